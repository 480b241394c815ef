// How an amount is written. The digits after the point are the server's (ISO 4217): Intl's own table differs for some currencies.

/** "19.99", "usd", "en" becomes "$19.99". The text goes to Intl as it is, so no amount passes through a float. */
export function amountText(decimal, currency, locale) {
  const digits = (decimal.split(".")[1] ?? "").length;
  const form = new Intl.NumberFormat(locale, {
    style: "currency",
    currency: currency.toUpperCase(),
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return form.format(decimal);
}
