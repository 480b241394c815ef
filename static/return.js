// The bank has sent the shopper back: to the card's page, which shows what became of the payment.

import { hasSecret } from "./merchant.js";

const { intent: INTENT, cardPage } = document.body.dataset;

/** Is the page around this one our own, with the bank's frame in it? */
function inOurs() {
  try {
    return window.parent !== window && window.parent.location.origin === location.origin;
  } catch {
    return false;
  }
}

if (inOurs()) {
  window.parent.postMessage({ paydesk: 1, type: "back" }, location.origin);
} else if (window.parent !== window || hasSecret(INTENT)) {
  location.replace(cardPage);
} else {
  // In a window of its own, where a bank's app may end: the page that the shopper came from shows the result.
  document.querySelector(".spinner").remove();
  document.getElementById("alone").hidden = false;
}
