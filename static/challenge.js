// Around the bank's page (3-D Secure): gives it room in the shop's page, and leaves for the card's page as soon as the payment
// is decided, whether the bank brought the shopper back (return.js says so), another tab did, or the time was over.

import { dress } from "./appearance.js";
import { follow } from "./follow.js";
import { randomId } from "./jwe.js";
import { embedded, meet } from "./merchant.js";
import { Server } from "./server.js";

const { intent: INTENT, origins, cardPage } = document.body.dataset;

const leave = () => location.replace(cardPage);

addEventListener("pageshow", (event) => event.persisted && location.reload());

// The way back stands in the bank's frame, whose sandbox lets it navigate nothing but itself: so it asks.
addEventListener("message", ({ origin, source, data }) => {
  const ours = origin === location.origin && source === document.getElementById("bank").contentWindow;
  if (ours && data?.paydesk === 1 && data.type === "back") leave();
});

document.documentElement.classList.toggle("embedded", embedded);
const shop = await meet(INTENT, JSON.parse(origins), randomId());
if (shop) {
  dress(document.documentElement, shop.appearance);
  const main = document.querySelector("main");
  new ResizeObserver(() => shop.tell("height", { height: main.getBoundingClientRect().height })).observe(main);
  const begun = { status: "requires_action", version: 0 };
  const elsewhere = ({ next_action: action }) => action && new URL(action.url).pathname !== location.pathname && leave();
  await follow(new Server(INTENT, shop.secret), begun, elsewhere, new AbortController().signal);
  leave();
}
