// The four fields: grouping while typing, errors beside the field, and the card as it will be encrypted. Digits stay in here.

import { brandOf, cvcError, digitsOf, expiryError, expiryOf, formatExpiry, group, numberError } from "./cards.js";

const FIELDS = ["number", "expiry", "cvc", "name"];

// Which field a refusal of the server is about, by its `param` or its code.
const FIELD_OF = {
  number: "number",
  incorrect_number: "number",
  exp_month: "expiry",
  exp_year: "expiry",
  expired_card: "expiry",
  invalid_expiry_month: "expiry",
  invalid_expiry_year: "expiry",
  cvc: "cvc",
  incorrect_cvc: "cvc",
};

export function fieldOf({ code, param }) {
  return FIELD_OF[param] ?? FIELD_OF[code] ?? null;
}

/** Writes `text` and leaves the caret behind as many digits as it stood behind before. */
function rewrite(input, text, digitsBefore) {
  if (input.value === text) return;
  let caret = 0;
  for (let seen = 0; caret < text.length && seen < digitsBefore; caret += 1) {
    if (/\d/.test(text[caret])) seen += 1;
  }
  // Behind the last digit the caret stands behind the separator that follows it, too.
  if (digitsOf(text.slice(caret)) === "") caret = text.length;
  input.value = text;
  if (document.activeElement === input) input.setSelectionRange(caret, caret);
}

export class CardForm {
  #inputs = {};
  #form;
  #words;
  #now;
  #tell;
  #last = "";
  #typed = { number: "", expiry: "" };

  /** `now` gives the server's time in milliseconds; `tell(type, facts)` hears `change` and `focus`. */
  constructor(form, words, now, tell) {
    this.#form = form;
    this.#words = words;
    this.#now = now;
    this.#tell = tell;
    for (const name of FIELDS) this.#attend(name, form.querySelector(`#${name}`));
  }

  #attend(name, input) {
    this.#inputs[name] = input;
    input.addEventListener("input", (event) => {
      this.#format(name, input, event.inputType ?? "");
      this.#mark(name, null);
      this.#changed();
    });
    input.addEventListener("focus", () => this.#tell("focus", { field: name }));
    input.addEventListener("blur", () => {
      if (input.value) this.#mark(name, this.#wrong(name));
      this.#changed();
      this.#tell("focus", { field: null });
    });
  }

  #format(name, input, inputType) {
    if (name === "name") return;
    const deleting = inputType.startsWith("delete");
    let before = digitsOf(input.value.slice(0, input.selectionStart ?? undefined)).length;
    let digits = digitsOf(input.value);
    if (inputType === "deleteContentBackward" && digits === this.#typed[name] && before > 0) {
      // Only a separator went: the shopper meant the digit in front of it.
      digits = digits.slice(0, before - 1) + digits.slice(before);
      before -= 1;
    }
    this.#write[name](digits, before, deleting);
    this.#typed[name] = digitsOf(input.value);
  }

  #write = {
    number: (digits, before) => {
      const brand = brandOf(digits);
      rewrite(this.#inputs.number, group(digits.slice(0, Math.max(...brand.lengths))), before);
      this.#form.querySelector("#brand").textContent = brand.label;
    },
    expiry: (digits, before, deleting) => {
      const text = formatExpiry(digits, deleting);
      const padded = digitsOf(text).startsWith("0") && !digits.startsWith("0");
      rewrite(this.#inputs.expiry, text, before + (padded ? 1 : 0));
    },
    cvc: (digits, before) => rewrite(this.#inputs.cvc, digits.slice(0, 4), before),
  };

  #digits(name) {
    return digitsOf(this.#inputs[name].value);
  }

  #wrong(name) {
    if (name === "number") return numberError(this.#digits("number"));
    if (name === "expiry") return expiryError(this.#digits("expiry"), this.#now());
    return name === "cvc" ? cvcError(this.#digits("cvc"), brandOf(this.#digits("number"))) : null;
  }

  #mark(name, code, message = "") {
    const input = this.#inputs[name];
    const place = this.#form.querySelector(`#${name}-error`);
    if (!place) return;
    place.textContent = code ? (this.#words.errors[code] ?? message) : "";
    input.dataset.error = code ?? "";
    if (code) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }

  /** Tells what the shop may know, and only when it is news. */
  #changed() {
    const shown = FIELDS.map((name) => this.#inputs[name].dataset.error).find(Boolean) ?? null;
    const complete = FIELDS.every((name) => this.#wrong(name) === null);
    const facts = { complete, brand: brandOf(this.#digits("number")).name, error: shown };
    if (JSON.stringify(facts) === this.#last) return;
    this.#last = JSON.stringify(facts);
    this.#tell("change", facts);
  }

  /** Marks every field that is wrong, moves to the first, and says whether there was none. */
  check() {
    for (const name of FIELDS) this.#mark(name, this.#wrong(name));
    this.#changed();
    const first = FIELDS.find((name) => this.#wrong(name) !== null);
    if (first) this.#inputs[first].focus();
    return first === undefined;
  }

  /** The server's refusal, at the field it is about. */
  refuse(field, code, message) {
    this.#mark(field, code, message);
    this.#changed();
    this.focus(field);
  }

  focus(field) {
    this.#inputs[field].focus();
    this.#inputs[field].select();
  }

  card() {
    const { month, year } = expiryOf(this.#digits("expiry"));
    const card = { number: this.#digits("number"), exp_month: month, exp_year: year, cvc: this.#digits("cvc") };
    const name = this.#inputs.name.value.trim();
    return name ? { ...card, name } : card;
  }

  clear() {
    for (const name of FIELDS) this.#inputs[name].value = "";
    this.#form.querySelector("#brand").textContent = "";
    this.#typed = { number: "", expiry: "" };
  }
}
