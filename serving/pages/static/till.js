/* The till's page: products and offers are scanned into one field, and each offer gets a verdict.
   Only the service's own answer is one. Where it does not come, the page says so and asks again:
   the same order asking twice redeems once. */

import { isolate, minor, titleOf } from "./dashboard-dom.js";
import { isCode, itemsOf, orderOf } from "./till-order.js";
import { ask } from "./till-service.js";
import { nextOrder, offersOf, productsOf, showVerdict } from "./till-view.js";
import { listed, t } from "./messages.js";

const body = document.body;
const at = (id) => document.getElementById(id);
const field = { scan: at("scan"), receipt: at("receipt"), till: at("till"), location: at("location") };
const undoSeconds = Number(body.dataset.undoSeconds);
/** How far the workspace's clock is ahead of this one's, milliseconds. */
const shift = Number(body.dataset.shiftSeconds) * 1_000;
const STORE = "omnibasket.till";

/* What is scanned: products by id, and offers by code. */
let products = new Map();
let offers = [];
let busy = Promise.resolve();

const remembered = JSON.parse(localStorage.getItem(STORE) || "{}");
for (const { location_id: id, name } of JSON.parse(body.dataset.locations)) {
  field.location.append(new Option(name || id, id, false, id === remembered.location));
}
field.till.value = remembered.till || "";
const remember = () => localStorage.setItem(STORE, JSON.stringify({ location: field.location.value, till: field.till.value }));
field.location.addEventListener("change", remember);
field.till.addEventListener("change", remember);

const draw = () => {
  productsOf(products, (itemId, quantity) => {
    if (quantity > 0) products.get(itemId).quantity = quantity;
    else products.delete(itemId);
    draw();
    field.scan.focus();
  });
  offersOf(offers, undoSeconds, (one) => later(() => undo(one)));
};

/** One thing after the other, in the order of the scans. */
function later(what) {
  busy = busy.then(what).catch((error) => {
    showVerdict("bad", t("Something went wrong"), [error.message]);
    throw error;
  }).catch(() => {});
  return busy;
}

/** What the order still needs before an offer can be asked for; null if nothing. */
function lacking() {
  const first = [field.location, field.till, field.receipt].find((one) => !one.value.trim());
  if (!first) return null;
  first.focus();
  return first === field.receipt ? t("Enter the receipt number first") : t("Enter the store and the till first");
}

async function scanned(text) {
  if (isCode(text)) await redeem(text);
  else await count(text, 1);
}

/** Count pieces of a product; whether it was found. */
async function count(text, pieces) {
  const { found, problem, lost } = await ask(`/till/products/${encodeURIComponent(text)}`);
  if (lost) {
    showVerdict("unsure", t("No connection"), [t("The product was not counted. Scan it again when the connection is back.")]);
  } else if (problem?.kind === "item-unknown") {
    showVerdict("bad", t("Unknown product"), [t("{text} is not in the catalogue, so no offer can count it.", { text: isolate(text) })]);
  } else if (problem) {
    showVerdict("bad", problem.title, [problem.detail], [], problem.foreign);
  } else {
    const known = products.get(found.item_id) || { title: found.title, quantity: 0 };
    products.set(found.item_id, { ...known, quantity: known.quantity + pieces });
    showVerdict("", titleOf(found), [t("Counted.")]);
    draw();
  }
  return Boolean(found);
}

async function redeem(code) {
  const missing = lacking();
  if (missing) {
    showVerdict("unsure", missing, [t("Then scan the offer again.")]);
    return;
  }
  showVerdict("", t("Checking …"), []);
  const order = orderOf(field, products);
  let asked = 0;
  const { found, problem, isNew } = await ask(`/v1/offers/${encodeURIComponent(code)}/redemptions`, {
    method: "POST",
    body: order,
    onLost: (retrying) => {
      asked += Number(retrying);
      showVerdict(
        "unsure",
        retrying ? t("It is not known whether the offer is redeemed") : t("No connection: nothing was checked"),
        [retrying ? t("Asking again. Give no discount before the answer is here.") : t("The offer is checked as soon as the connection is back.")],
      );
    },
  });
  if (found) accepted(code, found, order, isNew || asked > 0);
  else if (problem.kind === "offer-unknown" && !/[\s-]/.test(code)) await neither(code, problem);
  else await refused(code, problem);
}

/** What looks like a code and is no offer's may be a product's number. */
async function neither(text, problem) {
  if (!(await count(text, 1))) showVerdict("bad", problem.title, [problem.detail], [], problem.foreign);
}

/** Say what to take off, once: the service answers the same order as often as it asks. */
function accepted(code, offer, order, isNew) {
  const used = offer.redemption;
  const known = offers.find((one) => one.offer.offer_id === offer.offer_id);
  if (known || !isNew) {
    showVerdict("unsure", t("This receipt uses the offer already"), [t("Give its discount once only.")]);
  } else {
    showVerdict("good", t("Redeemed: {discount} off", { discount: minor(used.discount.amount_minor, used.discount.currency) }), [
      t("{products} for {price} together", { products: offer.items.map(titleOf).join(" + "), price: minor(offer.price.amount_minor, offer.price.currency) }),
    ]);
  }
  if (!known) offers = [...offers, { code, offer, order, at: Date.parse(used.redeemed_at) - shift }];
  draw();
}

/** Say why not, and which products the offer needs. */
async function refused(code, problem) {
  let [lines, needed] = [[problem.detail], []];
  if (["offer-incomplete", "offer-overlaps"].includes(problem.kind)) {
    const { found } = await ask(`/v1/offers/${encodeURIComponent(code)}`);
    // A list of the products says more than the detail, which names them by their ids.
    if (found) [lines, needed] = [[], found.items.map((item) => ({ title: titleOf(item), here: products.has(item.item_id) }))];
  }
  showVerdict("bad", problem.title, lines, needed, problem.foreign);
}

async function undo(one) {
  showVerdict("", t("Undoing …"), []);
  const query = new URLSearchParams({ channel: "pos", location_id: one.order.location_id, till_id: one.order.till_id });
  const number = encodeURIComponent(one.order.transaction_id);
  const { found, problem } = await ask(`/v1/offers/${encodeURIComponent(one.code)}/redemptions/${number}?${query}`, {
    method: "DELETE",
    onLost: () => showVerdict("unsure", t("It is not known whether that is undone"), [t("Asking again.")]),
  });
  if (!found) {
    showVerdict("bad", problem.title, [problem.detail], [], problem.foreign);
    return;
  }
  offers = offers.filter((other) => other !== one);
  const stands = found.state === "standing";
  showVerdict(
    "",
    t("Undone: give no discount"),
    [stands ? t("The offer can be used again.") : t("The offer has ended meanwhile.")],
  );
  draw();
  field.scan.focus();
}

at("order").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = field.scan.value.trim();
  if (!text) {
    field.scan.focus();
    return;
  }
  field.scan.value = "";
  later(() => scanned(text));
});

at("next").addEventListener("click", () => later(() => {
  products = new Map();
  offers = [];
  field.receipt.value = "";
  nextOrder();
  draw();
  field.receipt.focus();
}));

/* A scanner types wherever one is: what is not meant for another field goes into its own. */
document.addEventListener("keydown", (event) => {
  const elsewhere = event.target.closest("input, select, textarea, button, a");
  if (!elsewhere && event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) field.scan.focus();
});

/* A till's own program may hand over its order in the address: #receipt=1001&items=4711*2,4712&code=…
   A link can come from anybody, so the code waits in the field until somebody presses Enter. */
function handedOver() {
  const given = new URLSearchParams(location.hash.slice(1));
  if (!given.has("receipt")) return;
  later(async () => {
    if (field.receipt.value !== given.get("receipt")) offers = [];
    field.receipt.value = given.get("receipt");
    products = new Map();
    nextOrder();
    draw();
    const left = [];
    for (const [text, pieces] of itemsOf(given.get("items") || "")) {
      if (!(await count(text, pieces))) left.push(isolate(text));
    }
    if (left.length) {
      showVerdict("bad", t("Some products were not counted"), [listed(left), t("Scan them, or leave them out.")]);
    }
    field.scan.value = given.get("code") || "";
    field.scan.focus();
  });
}
addEventListener("hashchange", handedOver);

at("sign-out")?.addEventListener("click", async () => {
  await ask("/dashboard/session", { method: "DELETE" });
  location.reload();
});

nextOrder();
draw();
handedOver();
if (!field.till.value) field.till.focus();
else if (!field.receipt.value) field.receipt.focus();
body.dataset.ready = "";
