/* The tablet of whoever serves customers: one field finds products and customers, one screen shows
   what matters, and nothing of a customer stays behind: after minutes without a touch it signs out. */

import { isSignedOut, query, send, signOut } from "./dashboard-api.js";
import { h, isolate, nodes, say, titleOf } from "./dashboard-dom.js";
import { readCode } from "./associate-camera.js";
import { drawCustomer, drawHand, showCode } from "./associate-view.js";
import { LANG, t, tn } from "./messages.js";

const body = document.body;
const at = (id) => document.getElementById(id);
const PLACEMENT = "associate_tablet";
const COUNT = 24;
const IDLE = Number(body.dataset.idleSeconds) * 1_000;
/** How far the workspace's clock is ahead of this one's, milliseconds. */
const shift = Number(body.dataset.shiftSeconds) * 1_000;
const STORE = "omnibasket.associate";
const store = at("location");

let served = null; // the customer
let list = null; // what is recommended to them
let hand = null; // the product in the hand
let order = new Map(); // products of the order for pick-up
let visit = ""; // its visit
let idle = 0;
let turn = 0; // an answer to an earlier scan than the latest shows nobody

for (const { location_id: id, name } of JSON.parse(body.dataset.locations)) {
  store.append(new Option(name || id, id, false, id === localStorage.getItem(STORE)));
}
store.addEventListener("change", () => localStorage.setItem(STORE, store.value));
const here = () => store.value || null;
const unique = (what) => `${what}-${crypto.getRandomValues(new Uint32Array(4)).join("")}`;

function trouble(error) {
  const alert = at("trouble");
  alert.hidden = !error;
  if (!error) return;
  if (isSignedOut(error)) location.reload();
  alert.replaceChildren(error.isForeign ? `${error.title}. ` : "",
    h("span", error.isForeign ? { lang: "en", dir: "ltr" } : {}, ...nodes(error.message)));
  alert.scrollIntoView({ block: "nearest" });
}

async function tried(what) {
  try {
    trouble(null);
    return await what();
  } catch (error) {
    trouble(error);
    return null;
  }
}

function event(name, items, more = {}) {
  return {
    event_id: unique(name), event: name, occurred_at: new Date(Date.now() + Math.min(0, shift)).toISOString(),
    channel: "associate", location_id: here(), items, ...more,
  };
}
const tell = (...events) => send("/v1/events", "POST", { events });

// ---- the customer

const recommend = (customerId) => send("/v1/recommendations", "POST", {
  placement: PLACEMENT, customer_id: customerId, location_id: here(), count: COUNT, lang: LANG,
});

async function serve(customer, mine) {
  const [answer, { offers }] = await Promise.all([
    recommend(customer.customer_id), send(`/v1/customers/${encodeURIComponent(customer.customer_id)}/offers`),
  ]);
  if (mine !== turn) return;
  served = customer;
  order = new Map();
  visit = unique("associate");
  // What the answer promised just now stands, too.
  const all = new Map([...answer.offers, ...offers].map((one) => [one.offer_id, one]));
  list = answer;
  draw([...all.values()]);
  at("customer").querySelector("h2").focus();
  if (hand) take(hand);
}

let offered = [];
function draw(offers = offered) {
  offered = offers;
  drawCustomer(at("customer"), served, list, offered, act);
  body.dataset.serving = "";
}

function finish() {
  turn += 1;
  served = null;
  list = null;
  hand = null;
  offered = [];
  order = new Map();
  at("customer").replaceChildren();
  at("hand").replaceChildren();
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
  delete body.dataset.serving;
  trouble(null);
  at("scan").value = "";
  at("scan").focus();
}

const act = {
  finish,
  putBack() {
    hand = null;
    at("hand").replaceChildren();
    at("scan").focus();
  },
  show: (offer) => showCode(`/v1/offers/${encodeURIComponent(offer.offer_id)}/qr.svg`, offer.items.map(titleOf).join(" + "), offer.code, t("The customer shows this code at the till.")),
  dismiss: (item) => tried(async () => {
    const mine = turn;
    await tell(event("dismiss", [{ item_id: item.item_id }], { customer_id: served.customer_id }));
    if (mine !== turn || !list) return;
    list = { ...list, items: list.items.filter((one) => one.item_id !== item.item_id) };
    draw();
    say(t("{title} will not be shown again.", { title: titleOf(item) }));
  }),
  add: (item) => tried(async () => {
    await tell(event("add_to_cart", [{ item_id: item.item_id }], { customer_id: served.customer_id, session_id: visit }));
    order.set(item.item_id, { item, quantity: (order.get(item.item_id)?.quantity || 0) + 1 });
    const pieces = [...order.values()].reduce((sum, one) => sum + one.quantity, 0);
    say(tn("{title} is in the order: {n} piece.", "{title} is in the order: {n} pieces.", pieces, { title: titleOf(item) }), true);
  }),
  handOver: () => tried(async () => {
    const whose = served;
    const made = await send("/v1/handovers", "POST", order.size ? { session_id: visit } : { customer_id: served.customer_id });
    if (whose !== served) return;
    const minutes = Math.max(1, Math.round((Date.parse(made.expires_at) - Date.now() - shift) / 60_000));
    showCode(made.qr, t("Order for pick-up"), null,
      tn("The customer scans it with their phone and orders there; it holds for {n} minute, once.", "The customer scans it with their phone and orders there; it holds for {n} minutes, once.", minutes));
  }),
};

// ---- the product in the hand

function take(item) {
  hand = item;
  drawHand(at("hand"), item, item.goes_with, act, Boolean(served));
  at("hand").querySelector("h2").focus();
}

async function scanned(text) {
  turn += 1;
  const mine = turn;
  const found = await tried(() => send("/v1/associate/scans", "POST", { text, location_id: here(), reason: t("served in the store"), lang: LANG }));
  if (mine !== turn) return;
  at("scan").value = "";
  if (!found) return;
  if (found.item) take(found.item);
  else await tried(() => serve(found.customer, mine));
}

at("find").addEventListener("submit", (submitted) => {
  submitted.preventDefault();
  const text = at("scan").value.trim();
  if (text) scanned(text);
  else at("scan").focus();
});
at("camera").addEventListener("click", async () => {
  const { text, trouble: wrong } = await readCode();
  if (wrong) trouble(new Error(wrong));
  else if (text) scanned(text);
});
/* A scanner types wherever the focus is. */
addEventListener("keydown", (pressed) => {
  const isTyping = pressed.target.closest("input, select, textarea, dialog");
  if (!isTyping && pressed.key.length === 1 && !pressed.ctrlKey && !pressed.metaKey && !pressed.altKey && pressed.key !== " ") at("scan").focus();
});

// ---- nobody is left on the tablet

async function leave() {
  finish();
  try {
    await signOut();
  } catch {
    // Signed out already, or away: the page shows nobody in any case.
  }
  location.reload();
}

function touched() {
  clearTimeout(idle);
  idle = setTimeout(leave, IDLE);
}
for (const name of ["pointerdown", "keydown", "scroll"]) addEventListener(name, touched, { passive: true });
touched();
at("sign-out")?.addEventListener("click", leave);
body.dataset.ready = "";
