// Waits until an open payment is decided: by the live stream, and by held status questions where a stream does not get through.

const SILENCE_MS = 40_000; // The stream speaks every 15 s; one that is silent for longer is buffered or dead.
const REST_MS = 1000; // Between two held questions, should a server answer them without holding.

/** Is there nothing left to wait for, as far as this page goes? A decline is one: another card may follow. */
export function decided(intent) {
  return intent.status !== "processing" && intent.status !== "requires_action";
}

export function pause(ms, signal) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    addEventListener("online", done);
    signal?.addEventListener("abort", done);
  });
}

/** 0.5 s, 1 s, 2 s … 15 s, each with a quarter of chance, so that shops full of waiting pages do not come back as one. */
export function backoff(tries) {
  return Math.min(500 * 2 ** tries, 15_000) * (0.875 + Math.random() / 4);
}

/** One event of a stream, as {event, data}; comments give neither. */
function parseEvent(block) {
  const event = { event: "", data: "" };
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    if (colon < 1) continue;
    const name = line.slice(0, colon);
    if (name in event) event[name] += line.slice(colon + 1).replace(/^ /, "");
  }
  return event;
}

/** Yields the data of each `status` event, parsed. Ends with the stream. */
async function* events(body, alive) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    alive();
    text = (text + chunk.value).replaceAll("\r\n", "\n");
    const blocks = text.split("\n\n");
    text = blocks.pop();
    for (const event of blocks.map(parseEvent)) {
      if (event.event === "status") yield JSON.parse(event.data);
    }
  }
}

/** The last state that one stream told. Throws when it breaks; `news` may end it early by returning true. */
async function readStream(server, version, news, signal) {
  const control = new AbortController();
  const stop = () => control.abort();
  signal.addEventListener("abort", stop);
  let silence = setTimeout(stop, SILENCE_MS);
  const alive = () => {
    clearTimeout(silence);
    silence = setTimeout(stop, SILENCE_MS);
  };
  try {
    const body = await server.stream(version, control.signal);
    for await (const intent of events(body, alive)) {
      if (news(intent)) return;
    }
  } finally {
    clearTimeout(silence);
    signal.removeEventListener("abort", stop);
    control.abort();
  }
}

/** Calls `news` with every state from `intent` on until one is decided, and gives that one; null when `signal` aborts. */
export async function follow(server, intent, news, signal) {
  let latest = intent;
  const take = (next) => {
    if (next.version >= latest.version) latest = next;
    news(latest);
    return decided(latest);
  };
  let streams = true;
  let failures = 0;
  take(latest);
  while (!decided(latest) && !signal.aborted) {
    const before = latest.version;
    try {
      if (streams) await readStream(server, before, take, signal);
      else take(await server.nextStatus(before, signal));
      failures = 0;
    } catch {
      failures += 1; // Whatever broke, the question stays: this page must not stop asking.
    }
    if (latest.version > before) continue;
    // A stream that told nothing new is not opened again: questions get through where streams do not.
    if (!streams) await pause(failures ? backoff(failures) : REST_MS, signal);
    streams = false;
  }
  return signal.aborted ? null : latest;
}
