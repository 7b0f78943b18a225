/* The example shop's own part: a cart, and telling Omnibasket of it. Everything else is omnibasket.js. */

import { LOCALE, t, tparts } from "./messages.js";

const CART = "shop.cart";
const read = () => JSON.parse(sessionStorage.getItem(CART) || "[]");
const write = (cart) => sessionStorage.setItem(CART, JSON.stringify(cart));
const page = document.body.dataset;

function put(item, quantity) {
  const cart = read();
  const line = cart.find((other) => other.item_id === item.item_id);
  if (line) line.quantity += quantity;
  else cart.push({ ...item, quantity });
  write(cart);
  window.omnibasket.add({ item_id: item.item_id, quantity });
}

function take(item_id) {
  const cart = read();
  const line = cart.find((other) => other.item_id === item_id);
  if (!line) return;
  write(cart.filter((other) => other !== line));
  window.omnibasket.remove({ item_id, quantity: line.quantity });
}

const say = (...parts) => {
  document.getElementById("said").replaceChildren(...parts);
};

/** A title keeps its own direction, whatever stands beside it. */
function named(title) {
  const name = document.createElement("bdi");
  name.textContent = title;
  return name;
}

function count() {
  const pieces = read().reduce((sum, line) => sum + line.quantity, 0);
  document.getElementById("cart-count").textContent = new Intl.NumberFormat(LOCALE).format(pieces);
}

function money(amount_minor, currency) {
  const form = new Intl.NumberFormat(LOCALE, { style: "currency", currency });
  return form.format(amount_minor / 10 ** form.resolvedOptions().maximumFractionDigits);
}

const MOST_CODES = 8; // of one call
const key = document.querySelector("script[data-link]").dataset.key;
const newNumber = () => `shop-${crypto.getRandomValues(new Uint32Array(2)).join("")}`;

let offers = []; // that stand for this visit
let number = newNumber(); // of the order that this cart becomes
let asked = 0;

const ordered = (cart) => cart.map(({ item_id, quantity, amount_minor, currency }) => ({
  item_id, quantity, ...(currency && { price: { amount_minor, currency } }),
}));

/** Use the offers that take off most together, or only ask which (`dry_run`): what a shop's
    server does with a key of its own. Gives what they take off; null for nothing. */
async function redeem(transaction_id, cart, dry_run) {
  if (!offers.length || !cart.length) return null;
  try {
    const answer = await fetch("/v1/redemptions", {
      method: "POST",
      keepalive: true, // the order holds, even if the page is left
      headers: {
        "Content-Type": "application/json", ...(key && { Authorization: `Bearer ${key}` }),
      },
      body: JSON.stringify({
        transaction_id, channel: "web", session_id: window.omnibasket.visit(),
        items: ordered(cart), codes: offers.slice(0, MOST_CODES).map((one) => one.code), dry_run,
      }),
    });
    return answer.ok ? (await answer.json()).discount : null;
  } catch {
    return null; // sold at full price
  }
}

function tellTotal(cart, discount) {
  const priced = cart.filter((line) => line.currency);
  const sum = priced.reduce((all, line) => all + line.amount_minor * line.quantity, 0);
  const off = discount?.amount_minor ?? 0;
  const words = { total: priced.length ? money(sum - off, priced[0].currency) : "", less: off ? money(off, discount.currency) : "" };
  document.getElementById("total").textContent = !priced.length ? ""
    : off ? t("Total {total}, {less} less as offered", words) : t("Total {total}", words);
}

async function drawTotal(cart) {
  const mine = (asked += 1);
  const discount = await redeem(number, cart, true);
  if (mine === asked) tellTotal(cart, discount);
}

function drawCart() {
  const cart = read();
  const rows = document.getElementById("cart");
  rows.replaceChildren(...cart.map((line) => {
    const row = document.createElement("li");
    const link = document.createElement("a");
    link.href = `/shop/items/${encodeURIComponent(line.item_id)}`;
    link.append(named(line.title));
    const button = document.createElement("button");
    button.textContent = t("Remove");
    button.setAttribute("aria-label", t("Remove {name}", { name: line.title }));
    button.addEventListener("click", () => {
      take(line.item_id);
      count();
      drawCart();
    });
    const pieces = document.createElement("span");
    pieces.textContent = `${new Intl.NumberFormat(LOCALE).format(line.quantity)} ×`;
    row.append(pieces, link, button);
    return row;
  }));
  tellTotal(cart, null);
  document.getElementById("pay").hidden = !cart.length;
  document.getElementById("empty").hidden = cart.length > 0;
  const place = document.querySelector("[data-omnibasket=web_cart]");
  place.dataset.cart = cart.map((line) => line.item_id).join(",");
  window.omnibasket.draw(place);
}

function start() {
  count();
  if (page.item) {
    const item = JSON.parse(page.item);
    if (item.currency) {
      document.getElementById("price").textContent = money(item.amount_minor, item.currency);
    }
    window.omnibasket.view(item.item_id);
    document.getElementById("add").addEventListener("click", () => {
      put(item, 1);
      count();
      say(...tparts("{title} is in your cart.", { title: named(item.title) }));
    });
  }
  if (document.getElementById("cart")) {
    document.querySelector("[data-omnibasket=web_cart]")
      .addEventListener("omnibasket:shown", (shown) => {
        offers = shown.detail.answer.offers;
        drawTotal(read());
      });
    drawCart();
    document.getElementById("pay").addEventListener("click", async () => {
      const cart = read();
      const redeemed = redeem(number, cart, false);
      window.omnibasket.purchase(number, cart.map(({ item_id, quantity }) => ({ item_id, quantity })));
      write([]);
      offers = [];
      number = newNumber();
      count();
      drawCart();
      const off = await redeemed;
      say(t("Thank you. Your order is on its way."), off ? " " + t("{amount} was taken off.", { amount: money(off.amount_minor, off.currency) }) : "");
    });
  }
}

/** Go on with a visit that was handed over: its code is in the address, and works once. */
async function takeOver() {
  const code = new URLSearchParams(location.hash.slice(1)).get("handover");
  if (!code) return;
  history.replaceState(null, "", location.pathname);
  // A link can come from anybody, and leads into the visit of whoever made it.
  if (!confirm(t("Go on here with the visit that was handed over? It takes the place of this cart."))) return;
  try {
    const answer = await fetch(`/v1/handovers/${encodeURIComponent(code)}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...(key && { Authorization: `Bearer ${key}` }) },
      body: JSON.stringify({ session_id: window.omnibasket.visit(), channel: "web" }),
    });
    if (!answer.ok) throw new Error(answer.status);
    const { cart } = await answer.json();
    write(cart.map((line) => ({ item_id: line.item_id, title: line.title || line.item_id, quantity: line.quantity, ...(line.price || {}) })));
    location.assign("/shop/cart");
  } catch {
    say(t("This code was used already, or is too old."));
  }
}

function begin() {
  start();
  takeOver();
  addEventListener("hashchange", takeOver);
}

if (window.omnibasket) begin();
else document.addEventListener("omnibasket:ready", begin, { once: true });
