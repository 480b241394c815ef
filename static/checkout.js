// Paydesk's loader, for the shop's page:
//
//   <script src="https://pay.example/checkout.js"></script>
//   const form = Paydesk.mount("#pay", { clientSecret, onResult: ({ intent, status }) => { … } });
//   form.submit(); form.update({ accent: "#0a7" }); form.destroy();
//
// It makes one iframe from Paydesk's own origin and speaks with that iframe alone. No card data ever comes out here.
// A result is advice: the webhook and the status endpoint are the truth.
(() => {
  "use strict";

  const script = document.currentScript;
  if (!script?.src) {
    throw new Error('Paydesk: load checkout.js with a plain <script src="…/checkout.js">, not as a module and not inlined.');
  }
  const HOME = new URL(script.src).origin;

  if (window.Paydesk) {
    if (window.Paydesk.origin === HOME) return; // Loaded twice: the first one serves.
    throw new Error(`Paydesk: already loaded from ${window.Paydesk.origin}.`);
  }

  const SECRET = /^(pi_[a-z0-9]+)_secret_[A-Za-z0-9_-]+$/;
  const OPTIONS = ["clientSecret", "onResult", "onChange", "onFocus", "onFatal", "appearance", "locale"];
  const HEIGHT_MAX = 4000;
  const FIRST_HEIGHT = 430; // About what the form needs, so that the page below jumps little.
  const SILENCE_MS = 4000; // The frame says "ready" before its load event; this much later it never will.
  const mounted = new WeakSet();

  function misuse(message) {
    throw new TypeError(`Paydesk.mount: ${message}`);
  }

  function findTarget(target) {
    const element = typeof target === "string" ? document.querySelector(target) : target;
    if (!(element instanceof Element)) {
      misuse(typeof target === "string" ? `nothing in this page matches "${target}".` : "target must be an element or a selector.");
    }
    if (mounted.has(element)) misuse("this element holds a form already; call destroy() on it first.");
    return element;
  }

  /** The intent's id, which the client secret begins with. */
  function checkOptions(options) {
    if (typeof options !== "object" || options === null) misuse("the second argument must be an object of options.");
    const strange = Object.keys(options).find((name) => !OPTIONS.includes(name));
    if (strange) misuse(`there is no option "${strange}". There are: ${OPTIONS.join(", ")}.`);
    const parts = SECRET.exec(options.clientSecret ?? "");
    if (!parts) misuse("clientSecret must be the client_secret of a payment intent, pi_…_secret_….");
    if (typeof options.onResult !== "function") misuse("onResult must be a function.");
    for (const name of ["onChange", "onFocus", "onFatal"]) {
      if (options[name] !== undefined && typeof options[name] !== "function") misuse(`${name} must be a function.`);
    }
    return parts[1];
  }

  function makeFrame(intent, locale) {
    const frame = document.createElement("iframe");
    const url = new URL(`/checkout/${intent}`, HOME);
    if (locale) url.searchParams.set("locale", locale);
    frame.src = url.href;
    frame.title = "Card payment";
    frame.allow = "payment";
    frame.referrerPolicy = "no-referrer";
    Object.assign(frame.style, { display: "block", width: "100%", border: "0", height: `${FIRST_HEIGHT}px` });
    return frame;
  }

  class Mounted {
    #frame;
    #options;
    #target;
    #port = null;
    #documents = new Set();
    #silence;
    #gone = false;

    constructor(target, options, intent) {
      this.#target = target;
      this.#options = { ...options };
      this.#frame = makeFrame(intent, options.locale);
      window.addEventListener("message", this.#hear); // Before the frame exists, so that its "ready" is not missed.
      this.#frame.addEventListener("load", () => this.#expect());
      mounted.add(target);
      target.append(this.#frame);
    }

    /** "ready" counts from Paydesk's origin and our own frame's window alone, and once per document. */
    #hear = (event) => {
      if (event.origin !== HOME || event.source !== this.#frame.contentWindow) return;
      const { paydesk, type, document: name = Symbol("unnamed") } = event.data ?? {};
      if (paydesk !== 1 || type !== "ready" || this.#documents.has(name)) return;
      this.#documents.add(name);
      this.#answer();
    };

    #answer() {
      clearTimeout(this.#silence);
      this.#port?.close();
      const { port1, port2 } = new MessageChannel();
      this.#port = port1;
      port1.onmessage = (event) => this.#receive(event.data);
      const { clientSecret, locale, appearance } = this.#options;
      const init = { paydesk: 1, type: "init", clientSecret, locale, appearance, isolated: window.crossOriginIsolated };
      this.#frame.contentWindow.postMessage(init, HOME, [port2]);
    }

    #receive({ type, ...facts }) {
      if (type === "height") this.#frame.style.height = `${Math.min(Math.max(Number(facts.height) || 0, 40), HEIGHT_MAX)}px`;
      if (type === "focus") this.#options.onFocus?.(facts);
      if (type === "change") this.#options.onChange?.(facts);
      if (type === "result") this.#options.onResult(facts);
      if (type === "fatal") this.#fail(facts);
    }

    /** Whoever builds the shop must see it somewhere. */
    #fail(facts) {
      if (this.#options.onFatal) this.#options.onFatal(facts);
      else console.error(`Paydesk: ${facts.message ?? facts.code}`);
    }

    /** A document was loaded that may not be ours at all: refused by the browser, or an error page. */
    #expect() {
      clearTimeout(this.#silence);
      if (this.#port) return;
      const message = `The form could not be loaded. Is ${location.origin} registered as an origin of this account?`;
      this.#silence = setTimeout(() => this.#receive({ type: "fatal", code: "frame_unreachable", message }), SILENCE_MS);
    }

    #send(message) {
      if (this.#gone) throw new Error("Paydesk: this form was destroyed.");
      if (!this.#port) throw new Error("Paydesk: the form is not ready yet.");
      this.#port.postMessage(message);
    }

    submit() {
      this.#send({ type: "submit" });
    }

    /** Also before the form is ready: then it starts with these looks. */
    update(appearance) {
      this.#options.appearance = { ...this.#options.appearance, ...appearance };
      if (this.#gone || this.#port) this.#send({ type: "appearance", appearance });
    }

    destroy() {
      if (this.#gone) return;
      this.#port?.postMessage({ type: "destroy" });
      this.#gone = true;
      this.#port?.close();
      clearTimeout(this.#silence);
      window.removeEventListener("message", this.#hear);
      mounted.delete(this.#target);
      this.#frame.remove();
    }
  }

  function mount(target, options) {
    const intent = checkOptions(options);
    const form = new Mounted(findTarget(target), options, intent);
    return Object.freeze({
      submit: () => form.submit(),
      update: (appearance) => form.update(appearance),
      destroy: () => form.destroy(),
    });
  }

  Object.defineProperty(window, "Paydesk", { value: Object.freeze({ origin: HOME, mount }) });
})();
