// One press of the button: encrypt, deliver, and read the answer. An attempt whose answer got lost is delivered again as the
// same bytes, which the server knows to be a repeat; so a lost answer can never become a second payment.

import { backoff, pause } from "./follow.js";
import { encrypt, randomId } from "./jwe.js";
import { Lost } from "./server.js";

// The server never saw these bytes as an attempt, so encrypting again is safe: with its new key, or with the right time.
const ENCRYPT_AGAIN = new Set(["card_key_expired", "card_payload_invalid"]);
const ENCRYPT_MAX = 3;

// In these a card may be entered: nothing is under way, nothing was paid.
export const OPEN = new Set(["requires_payment_method", "requires_confirmation"]);

const LATER = new Set(["rate_limited", "storage_unavailable", "psp_unavailable", "overloaded"]);

/** Seconds since 1970 by the server's clock: shoppers' clocks are wrong, their monotonic ones are not. */
export class ServerClock {
  #offset = 0;

  set(serverTime) {
    this.#offset = Date.parse(serverTime) - performance.now();
  }

  now() {
    return this.#offset + performance.now();
  }
}

/** What is encrypted: the card, bound to this intent, this shop and this minute (protocol.md, section 4). */
function payload(card, binding, clock) {
  return { v: 1, ...card, ...binding, iat: Math.floor(clock.now() / 1000), jti: randomId() };
}

/** Sends one JWE until it is answered. `lost` is told each time an answer went missing. */
async function deliver(server, jwe, lost, signal) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await server.confirm(jwe);
    } catch (error) {
      if (!(error instanceof Lost) || signal.aborted) throw error;
    }
    lost();
    await pause(backoff(tries), signal);
    // Only a state in which no other card can be tried answers for this JWE; from any other the same JWE goes out again.
    const known = await server.status().catch(() => null);
    if (known?.status === 200 && !OPEN.has(known.body.status)) return known;
  }
}

/** One of {kind: "state", intent}, {kind: "refused", code, message, param}, {kind: "later"} and {kind: "fatal", code}. */
async function read(answer, server) {
  const { status, body, code } = answer;
  if (status < 300) return stateOf(body);
  if (status === 402) {
    const { message, param } = body.error;
    return { kind: "refused", code, message, param: param ?? null };
  }
  if (LATER.has(code)) return { kind: "later" };
  if (status === 409) {
    if (code === "attempts_exhausted") return { kind: "fatal", code };
    return stateOf(body.payment_intent ?? (await server.status()).body);
  }
  return code === "card_payload_invalid" ? { kind: "later" } : { kind: "fatal", code };
}

/** A state as an answer: one that is declined reads like the refusal it was. */
export function stateOf(intent) {
  if (!OPEN.has(intent.status)) return { kind: "state", intent };
  const error = intent.last_payment_error;
  return error ? { kind: "refused", param: null, ...error } : { kind: "later" };
}

/** Pays with `card` {number, exp_month, exp_year, cvc, name?} bound to {intent, origin}; gives what `read` describes. Lost: ask the status. */
export async function pay({ server, clock, card, binding, lost, signal }) {
  for (let round = 1; ; round += 1) {
    let jwe;
    try {
      if (round > 1) clock.set((await server.session()).body.server_time);
      jwe = await encrypt(payload(card, binding, clock), await server.key());
    } catch (error) {
      if (error instanceof Lost) return { kind: "later" }; // Nothing was sent yet.
      throw error;
    }
    const answer = await deliver(server, jwe, lost, signal);
    if (!ENCRYPT_AGAIN.has(answer.code) || round === ENCRYPT_MAX) return read(answer, server);
  }
}
