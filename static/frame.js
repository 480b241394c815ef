// The card frame. Reads from top to bottom: meet the shop, open the session, pay, wait, tell. Its parts, in the order of use:
// merchant.js (secret and messages), server.js (requests), form.js with cards.js (fields), pay.js with jwe.js (one attempt),
// follow.js (waiting for an open outcome), view.js with money.js (what is shown), appearance.js (the shop's colours).

import { dress } from "./appearance.js";
import { backoff, follow, pause } from "./follow.js";
import { CardForm, fieldOf } from "./form.js";
import { randomId } from "./jwe.js";
import { embedded, meet } from "./merchant.js";
import { OPEN, pay, ServerClock, stateOf } from "./pay.js";
import { Server } from "./server.js";
import { View } from "./view.js";

const { intent: INTENT, origins, locale: PAGE_LOCALE } = document.body.dataset;
const ORIGINS = JSON.parse(origins);
const WORDS = JSON.parse(document.getElementById("words").textContent);

const PAID = new Set(["succeeded", "requires_capture"]);

/** The shop's locale where it is a variant of the page's language ("de-AT" on a German page), else the page's. */
function localeFor(wanted) {
  try {
    const [locale] = Intl.getCanonicalLocales(wanted ?? []);
    return locale?.split("-")[0] === PAGE_LOCALE.split("-")[0] ? locale : PAGE_LOCALE;
  } catch {
    return PAGE_LOCALE;
  }
}

/** An address on Paydesk itself, or null: a challenge is a document of ours. */
function ownAddress(text) {
  try {
    const url = new URL(text, location.origin);
    return url.origin === location.origin ? url.href : null;
  } catch {
    return null;
  }
}

class Checkout {
  #shop;
  #server;
  #view;
  #form;
  #clock = new ServerClock();
  #stop = new AbortController();
  #session;
  #busy = false;
  #pressed = false;
  #told = false;

  constructor(shop, view) {
    this.#shop = shop;
    this.#view = view;
    this.#server = new Server(INTENT, shop.secret);
    const form = document.getElementById("card");
    this.#form = new CardForm(form, WORDS, () => this.#clock.now(), (type, facts) => shop.tell(type, facts));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#press();
    });
    shop.listen({
      submit: () => this.#press(),
      appearance: ({ appearance }) => dress(document.documentElement, appearance),
      destroy: () => this.#end(),
    });
  }

  async open() {
    const answer = await this.#untilAnswered(() => this.#server.session());
    if (!answer) return;
    if (answer.status !== 200) {
      this.#fatal(answer.code);
      return;
    }
    this.#session = answer.body;
    this.#clock.set(answer.body.server_time);
    this.#view.bill(this.#session, localeFor(this.#shop.locale));
    const declined = OPEN.has(answer.body.status) && answer.body.last_payment_error;
    await this.#show(declined ? stateOf(answer.body) : { kind: "state", intent: answer.body });
  }

  /** Asks until something readable comes back that is not "slow down"; null when the shop took the frame away. */
  async #untilAnswered(ask) {
    for (let tries = 0; !this.#stop.signal.aborted; tries += 1) {
      const answer = await ask().catch(() => null);
      if (answer && answer.status !== 429 && answer.status < 500) return answer;
      await pause(backoff(tries), this.#stop.signal);
    }
    return null;
  }

  async #press() {
    if (this.#busy || this.#view.state !== "form" || !this.#form.check()) return;
    this.#busy = true;
    this.#pressed = true;
    this.#view.notice("");
    this.#view.busy(true);
    const answer = await this.#attempt().catch(() => this.#askStatus());
    this.#busy = false;
    if (!answer || this.#stop.signal.aborted) return;
    this.#view.busy(false);
    await this.#show(answer);
  }

  #attempt() {
    return pay({
      server: this.#server,
      clock: this.#clock,
      card: this.#form.card(),
      binding: { intent: INTENT, origin: this.#shop.origin },
      lost: () => this.#view.show("processing", "lost_text"),
      signal: this.#stop.signal,
    });
  }

  async #askStatus() {
    const answer = await this.#untilAnswered(() => this.#server.status());
    if (!answer) return null;
    return answer.status === 200 ? stateOf(answer.body) : { kind: "fatal", code: answer.code };
  }

  /** One answer of pay.js, on the page. */
  #show(answer) {
    if (answer.kind === "state") return this.#arrive(answer.intent);
    if (answer.kind === "fatal") return this.#fatal(answer.code);
    this.#view.show("form");
    if (answer.kind === "later") {
      this.#view.notice(WORDS.later);
      return undefined;
    }
    return this.#refused(answer);
  }

  /** A decline, or a card that cannot be charged: said at its field, else above the button; another card may be tried. */
  #refused({ code, decline_code: reason, message, param }) {
    const field = fieldOf({ code, param });
    if (field && this.#pressed) {
      this.#form.refuse(field, code, message);
      return;
    }
    this.#view.notice(WORDS.errors[reason] ?? WORDS.errors[code] ?? message);
    if (this.#pressed) this.#form.focus("number");
  }

  /** A state of the intent, on the page. */
  async #arrive(intent) {
    if (OPEN.has(intent.status)) this.#view.show("form");
    else if (PAID.has(intent.status)) this.#settled(intent, "success");
    else if (intent.status === "canceled") this.#settled(intent, "closed");
    else await this.#wait(intent);
  }

  /** "Do not pay again" until the outcome is known. */
  async #wait(intent) {
    this.#view.show("processing", "processing_text");
    const known = await follow(this.#server, intent, (news) => this.#challenge(news), this.#stop.signal);
    if (known) await this.#show(OPEN.has(known.status) ? stateOf(known) : { kind: "state", intent: known });
  }

  /** The bank wants to hear from the shopper: at once after a press, by a link where the page was only loaded. */
  #challenge(intent) {
    const action = intent.status === "requires_action" ? intent.next_action : null;
    const url = action?.type === "challenge" ? ownAddress(action.url) : null;
    const alone = this.#shop.isolated && !("credentialless" in HTMLIFrameElement.prototype);
    this.#view.bank(url && this.#bankPage(url, alone), alone);
    if (!url || alone || !this.#pressed) return;
    this.#pressed = false;
    this.#form.clear();
    location.assign(this.#bankPage(url, alone));
  }

  /** In an isolated shop a bank's page can be framed without its cookies; where a browser cannot do that, only at the top. */
  #bankPage(address, alone) {
    const url = new URL(address);
    url.searchParams.set("locale", PAGE_LOCALE);
    if (alone) url.hash = `client_secret=${this.#shop.secret}`;
    else if (this.#shop.isolated) url.searchParams.set("isolated", "1");
    return url.href;
  }

  #settled(intent, part) {
    this.#form.clear();
    this.#view.show(part, `${part}_text`);
    if (this.#told) return;
    this.#told = true;
    this.#shop.tell("result", { intent: intent.id, status: intent.status });
    if (!embedded) this.#goBack(intent);
  }

  /** Redirect mode: back to the shop, with the words that Stripe's merchants know. */
  #goBack(intent) {
    if (!this.#session.return_url) return;
    const url = new URL(this.#session.return_url);
    if (!["https:", "http:"].includes(url.protocol)) return;
    url.searchParams.set("payment_intent", intent.id);
    url.searchParams.set("redirect_status", PAID.has(intent.status) ? "succeeded" : "failed");
    this.#view.wayBack(url.href);
    location.replace(url.href);
  }

  #fatal(code) {
    fatal(this.#view, this.#shop, code);
  }

  #end() {
    this.#stop.abort();
    this.#form.clear();
    this.#view.show("loading");
  }
}

/** Nothing can be paid here; a reload or another link is needed. */
function fatal(view, shop, code) {
  const message = WORDS.fatal[code] ?? WORDS.fatal.other;
  view.show("fatal");
  document.getElementById("fatal-text").textContent = message;
  shop?.tell("fatal", { code: code ?? "other", message });
}

/** The frame's height follows its content: the shop's page is told whenever it changes. Until there is something to pay, the
 * loader's guess stands: shrinking to one line first would make the shop's page jump twice. */
function tellHeight(shop, view) {
  const main = document.querySelector("main");
  const tell = () => view.state !== "loading" && shop.tell("height", { height: main.getBoundingClientRect().height });
  new ResizeObserver(tell).observe(main);
}

async function start() {
  const view = new View(document.body, WORDS);
  document.documentElement.classList.toggle("embedded", embedded);
  // A page brought back from the cache has a port that nobody answers: begin anew, with a new handshake.
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  addEventListener("hashchange", () => location.reload());
  const shop = await meet(INTENT, ORIGINS, randomId());
  if (shop) dress(document.documentElement, shop.appearance);
  if (shop && embedded) tellHeight(shop, view);
  if (!window.isSecureContext) return fatal(view, shop, "insecure_context");
  if (!shop?.secret.startsWith(`${INTENT}_secret_`)) return fatal(view, shop, "invalid_client_secret");
  return new Checkout(shop, view).open();
}

start();
