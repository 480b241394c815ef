// What the shopper sees: one part of the page at a time, the bill above it, notices, and the button. Text goes in as textContent.

import { amountText } from "./money.js";

/** "Pay {amount}" with {amount: "$19.99"}. */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export class View {
  #root;
  #words;
  #bill = { amount: "", merchant: "" };
  state = "loading";

  constructor(root, words) {
    this.#root = root;
    this.#words = words;
  }

  #part(id) {
    return this.#root.querySelector(`#${id}`);
  }

  #say(key) {
    return fill(this.#words[key], this.#bill);
  }

  /** The amount and who gets it; from here on every text may name them. */
  bill(session, locale) {
    this.#bill = {
      amount: amountText(session.amount_decimal, session.currency, locale),
      merchant: session.merchant_name,
    };
    this.#part("merchant").textContent = this.#bill.merchant;
    this.#part("amount").textContent = this.#bill.amount;
    this.#part("test-mode").hidden = session.livemode;
    this.#part("consent").textContent = this.#say("consent");
    this.#part("consent").hidden = session.setup_future_usage !== "off_session";
    this.#part("bill").hidden = false;
    this.busy(false);
  }

  /** Shows one of: loading, form, processing, success, closed, fatal. `text` is a key of the words, said below its heading. */
  show(state, text = "") {
    const changed = state !== this.state;
    this.state = state;
    this.#root.dataset.state = state;
    for (const part of this.#root.querySelectorAll("[data-part]")) part.hidden = part.dataset.part !== state;
    const detail = this.#root.querySelector(`[data-part="${state}"] .detail`);
    if (detail && text) detail.textContent = this.#say(text);
    if (state !== "form") this.notice("");
    if (changed && state !== "form") this.#announce(state);
  }

  /** Screen readers hear the new heading; the focus follows only if it was in here, since the shop's page is not ours. */
  #announce(state) {
    const heading = this.#root.querySelector(`[data-part="${state}"] h2`);
    if (!heading) return;
    this.live(heading.textContent);
    if (document.hasFocus()) heading.focus();
  }

  live(text) {
    this.#part("live").textContent = text;
  }

  /** A sentence above the button: `text` as it is. Empty takes it away. */
  notice(text) {
    this.#part("notice").textContent = text;
    this.#part("notice").hidden = text === "";
  }

  busy(yes) {
    this.#part("fields").disabled = yes;
    this.#part("pay").classList.toggle("busy", yes);
    this.#part("pay-text").textContent = this.#say(yes ? "paying" : "pay");
    if (yes) this.live(this.#say("paying"));
  }

  /** A link to the bank's confirmation, or none; `alone`: it leaves the shop's page. */
  bank(url, alone) {
    const link = this.#part("bank");
    link.hidden = !url;
    link.target = alone ? "_top" : "";
    if (url) link.href = url;
  }

  /** A link back to the shop, where the page stands alone. */
  wayBack(url) {
    for (const link of this.#root.querySelectorAll(".way-back")) {
      link.href = url;
      link.textContent = this.#say("way_back");
      link.hidden = false;
    }
  }
}
