// The frame's requests to Paydesk. An answer that cannot be read, or that promises nothing, is Lost: its effect is unknown.

export class Lost extends Error {}

// Only these say "no PSP acted". Any other 5xx may come from something between us and the server.
const PROMISES = new Set(["storage_unavailable", "psp_unavailable", "overloaded"]);

const CONFIRM_TIMEOUT_MS = 60_000; // A confirm waits for the bank; a connection silent for longer than this is dead.
const READ_TIMEOUT_MS = 15_000;
const WAIT_SECONDS = 30;

/** Aborts when `signal` does or after `ms`, whichever is first. */
function deadline(ms, signal) {
  const control = new AbortController();
  const end = () => control.abort();
  const timer = setTimeout(end, ms);
  signal?.addEventListener("abort", end);
  return {
    signal: control.signal,
    clear() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
    },
  };
}

export class Server {
  #intent;
  #secret;

  constructor(intent, secret) {
    this.#intent = intent;
    this.#secret = secret;
  }

  session() {
    return this.#ask(`/checkout/${this.#intent}/session`);
  }

  /** The newest public card key. */
  async key() {
    const answer = await this.#ask("/checkout/keys");
    const jwk = answer.body.keys?.[0];
    if (!jwk) throw new Lost("no card key");
    return jwk;
  }

  confirm(card) {
    const init = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ card }) };
    return this.#ask(`/checkout/${this.#intent}/confirm`, init, CONFIRM_TIMEOUT_MS);
  }

  status() {
    return this.#ask(`/v1/payment_intents/${this.#intent}/status`);
  }

  /** Held by the server until the version is above `version`, for WAIT_SECONDS at most. */
  async nextStatus(version, signal) {
    const path = `/v1/payment_intents/${this.#intent}/status?wait=${WAIT_SECONDS}&after=${version}`;
    const answer = await this.#ask(path, {}, WAIT_SECONDS * 1000 + READ_TIMEOUT_MS, signal);
    if (answer.status !== 200) throw new Lost(`${path} ${answer.status}`);
    return answer.body;
  }

  /** The open answer of the stream; its body is server-sent events. */
  async stream(version, signal) {
    const headers = { Accept: "text/event-stream", "Last-Event-ID": String(version) };
    const answer = await this.#fetch(`/v1/payment_intents/${this.#intent}/stream`, { headers, signal });
    const kind = answer.headers.get("Content-Type") ?? "";
    if (!answer.ok || !kind.startsWith("text/event-stream")) throw new Lost(`stream ${answer.status}`);
    return answer.body;
  }

  #fetch(path, init) {
    const headers = { Authorization: `Bearer ${this.#secret}`, ...init.headers };
    return fetch(path, { cache: "no-store", credentials: "omit", redirect: "error", ...init, headers });
  }

  async #ask(path, init = {}, ms = READ_TIMEOUT_MS, signal = undefined) {
    const limit = deadline(ms, signal);
    let status, body;
    try {
      const answer = await this.#fetch(path, { ...init, signal: limit.signal });
      status = answer.status;
      body = await answer.json();
    } catch (cause) {
      throw new Lost(path, { cause });
    } finally {
      limit.clear();
    }
    const code = body?.error?.code ?? null;
    const readable = status < 300 || (code !== null && (status < 500 || PROMISES.has(code)));
    if (!readable) throw new Lost(`${path} ${status}`);
    return { status, body, code };
  }
}
