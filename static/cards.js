// What a card number tells while it is typed: brand, grouping, and whether it can be whole. Pure; no page, no network.
// The server decides what is accepted; this only spares the shopper a round trip.

const BRANDS = [
  { name: "amex", label: "Amex", starts: /^3[47]/, lengths: [15], groups: [4, 6, 5], cvc: 4 },
  { name: "visa", label: "Visa", starts: /^4/, lengths: [13, 16, 19] },
  { name: "mastercard", label: "Mastercard", starts: /^(5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, lengths: [16] },
  { name: "discover", label: "Discover", starts: /^(6011|64[4-9]|65)/, lengths: [16, 17, 18, 19] },
  { name: "diners", label: "Diners Club", starts: /^(30[0-5]|3095|3[689])/, lengths: [14, 15, 16, 17, 18, 19], short: [4, 6, 4] },
  { name: "jcb", label: "JCB", starts: /^35(2[89]|[3-8])/, lengths: [16, 17, 18, 19] },
  { name: "unionpay", label: "UnionPay", starts: /^(62|81)/, lengths: [16, 17, 18, 19] },
];

// A brand we do not know is still a card: ISO/IEC 7812 allows up to 19 digits.
const UNKNOWN = { name: "unknown", label: "", lengths: [12, 13, 14, 15, 16, 17, 18, 19] };

const ZEROS = [0x30, 0x660, 0x6f0, 0xff10]; // ASCII, Arabic-Indic, its eastern form, full width: keyboards produce all four

/** The ASCII digits of what was typed, everything else dropped. */
export function digitsOf(text) {
  return Array.from(text, (letter) => {
    const zero = ZEROS.find((start) => letter.codePointAt(0) >= start && letter.codePointAt(0) <= start + 9);
    return zero === undefined ? "" : String(letter.codePointAt(0) - zero);
  }).join("");
}

/** The brand's record, with the `lengths` its number may have and that of its `cvc`. */
export function brandOf(digits) {
  const found = BRANDS.find((brand) => brand.starts.test(digits)) ?? UNKNOWN;
  return { cvc: 3, ...found };
}

/** "378282246310005" becomes "3782 822463 10005"; most others go in fours. */
export function group(digits) {
  const brand = brandOf(digits);
  const sizes = brand.groups ?? (brand.short && digits.length <= 14 ? brand.short : [4, 4, 4, 4, 3]);
  const parts = [];
  let from = 0;
  for (const size of sizes) {
    if (from < digits.length) parts.push(digits.slice(from, from + size));
    from += size;
  }
  return parts.join(" ");
}

/** The check digit of ISO/IEC 7812-1, annex B. */
export function luhn(digits) {
  let sum = 0;
  Array.from(digits).reverse().forEach((letter, place) => {
    const value = Number(letter) * (place % 2 ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  });
  return sum % 10 === 0;
}

/** What is wrong with a number, as a code of the words, or null. */
export function numberError(digits) {
  const { lengths } = brandOf(digits);
  if (digits.length < Math.min(...lengths)) return "incomplete_number";
  return lengths.includes(digits.length) && luhn(digits) ? null : "incorrect_number";
}

/** "1230" or "122030" as {month, year}; what is not there yet is NaN. */
export function expiryOf(digits) {
  const year = digits.slice(2);
  const whole = year.length === 4 ? Number(year) : year.length === 2 ? 2000 + Number(year) : NaN;
  return { month: digits.length < 2 ? NaN : Number(digits.slice(0, 2)), year: whole };
}

/** `now` is the server's time in milliseconds. At UTC−12 a month ends twelve hours later: there the card still holds. */
export function expiryError(digits, now) {
  const { month, year } = expiryOf(digits);
  if (month < 1 || month > 12) return "invalid_expiry_month";
  if (Number.isNaN(month) || Number.isNaN(year)) return "incomplete_expiry";
  const western = new Date(now - 12 * 3_600_000);
  const months = (year - western.getUTCFullYear()) * 12 + (month - 1 - western.getUTCMonth());
  if (months < 0) return "expired_card";
  return year > western.getUTCFullYear() + 50 ? "invalid_expiry_year" : null;
}

export function cvcError(digits, brand) {
  return digits.length === brand.cvc ? null : "incomplete_cvc";
}

/** "12" becomes "12 / " while typing forward; a month that can only be one digit gets its zero. */
export function formatExpiry(digits, deleting) {
  const typed = /^[2-9]/.test(digits) && !deleting ? `0${digits}` : digits;
  const year = typed.slice(2);
  const kept = year.startsWith("20") ? year.slice(0, 4) : year.slice(0, 2);
  if (typed.length < 2 || (deleting && !kept)) return typed.slice(0, 2);
  return `${typed.slice(0, 2)} / ${kept}`;
}
