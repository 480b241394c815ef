// Where the client secret comes from: the shop's page over postMessage, or, opened by itself, the fragment of the address.
// Everything that leaves the frame towards the shop goes through `Shop.tell`, so one place shows that no digit of a card does.

/** What may be told, and in which form; anything else a caller passes is dropped here. */
const TOLD = {
  height: ({ height }) => ({ height: Math.ceil(Number(height)) }),
  focus: ({ field }) => ({ field: field ?? null }),
  change: ({ complete, brand, error }) => ({ complete: complete === true, brand, error: error ?? null }),
  result: ({ intent, status }) => ({ intent, status }),
  fatal: ({ code, message }) => ({ code, message }),
};

export class Shop {
  #port;

  /** Without a port there is no shop beside us: the page stands alone. */
  constructor({ secret, origin, locale, appearance, isolated = false, port = null }) {
    Object.assign(this, { secret, origin, locale, appearance, isolated });
    this.#port = port;
  }

  tell(type, facts) {
    this.#port?.postMessage({ type, ...TOLD[type](facts) });
  }

  /** `deeds` holds a function per message that a shop may send: submit, appearance, destroy. */
  listen(deeds) {
    if (!this.#port) return;
    this.#port.onmessage = ({ data }) => {
      if (Object.hasOwn(deeds, data?.type)) deeds[data.type](data);
    };
  }
}

export const embedded = window.parent !== window;

function isInit(event, origins) {
  const { source, origin, data, ports } = event;
  if (source !== window.parent || !origins.includes(origin)) return false;
  return data?.paydesk === 1 && data.type === "init" && typeof data.clientSecret === "string" && ports.length === 1;
}

/** Says "ready" to each registered origin by name, and waits for the one answer that comes from the page around us. */
function introduce(origins, document) {
  return new Promise((resolve) => {
    const hear = (event) => {
      if (!isInit(event, origins)) return;
      removeEventListener("message", hear);
      const { clientSecret: secret, locale, appearance, isolated } = event.data;
      resolve(new Shop({ secret, origin: event.origin, locale, appearance, isolated: isolated === true, port: event.ports[0] }));
    };
    addEventListener("message", hear);
    for (const origin of new Set(origins)) window.parent.postMessage({ paydesk: 1, type: "ready", document }, origin);
  });
}

const drawer = (intent) => `paydesk:${intent}`;

/** Whether this tab has paid here, or is about to, in a page of its own. */
export const hasSecret = (intent) => sessionStorage.getItem(drawer(intent)) !== null;

/** The secret from the fragment, moved to sessionStorage and out of the address (and the history) at once; null if there is none.
 * It stays there until the tab is closed: who comes back after paying shall read "paid", not that something is missing. */
function takeSecret(intent) {
  const given = new URLSearchParams(location.hash.slice(1)).get("client_secret");
  if (location.hash) history.replaceState(null, "", location.pathname + location.search);
  if (given) sessionStorage.setItem(drawer(intent), given);
  return given ?? sessionStorage.getItem(drawer(intent));
}

/** The shop around us, or, at the top level, nobody: then the origin is our own. Null when no secret is to be had. */
export async function meet(intent, origins, documentId) {
  if (embedded) return introduce(origins, documentId);
  const secret = takeSecret(intent);
  return secret ? new Shop({ secret, origin: location.origin }) : null;
}
