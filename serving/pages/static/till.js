/* The till's page: products and offers are scanned into one field, and each offer gets a verdict.
   Only the service's own answer is one. Where it does not come, the page says so and asks again:
   the same order asking twice redeems once. */

import { minor, titleOf } from "./dashboard-dom.js";
import { isCode, itemsOf, orderOf } from "./till-order.js";
import { ask } from "./till-service.js";
import { nextOrder, offersOf, productsOf, showVerdict } from "./till-view.js";
import { t } from "./messages.js";

const body = document.body;
const at = (id) => document.getElementById(id);
const field = { scan: at("scan"), receipt: at("receipt"), till: at("till"), location: at("location") };
const undoSeconds = Number(body.dataset.undoSeconds);
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
  if (isCode(text)) {
    await redeem(text);
    return;
  }
  const { found, problem, lost } = await ask(`/till/products/${encodeURIComponent(text)}`);
  if (lost) {
    showVerdict("unsure", t("No connection"), [t("The product was not counted. Scan it again when the connection is back.")]);
  } else if (problem) {
    showVerdict("bad", t("Unknown product"), [t("{text} is not in the catalogue, so no offer can count it.", { text })]);
  } else {
    const known = products.get(found.item_id) || { title: found.title, quantity: 0 };
    products.set(found.item_id, { ...known, quantity: known.quantity + 1 });
    showVerdict("", titleOf(found), [t("Counted.")]);
    draw();
  }
}

async function redeem(code) {
  const missing = lacking();
  if (missing) {
    showVerdict("unsure", missing, [t("Then scan the offer again.")]);
    return;
  }
  showVerdict("", t("Checking …"), []);
  const order = orderOf(field, products);
  const { found, problem } = await ask(`/v1/offers/${encodeURIComponent(code)}/redemptions`, {
    method: "POST",
    body: order,
    onLost: (retrying) => showVerdict(
      "unsure",
      retrying ? t("It is not known whether the offer is redeemed") : t("No connection: nothing was checked"),
      [retrying ? t("Asking again. Give no discount before the answer is here.") : t("The offer is checked as soon as the connection is back.")],
    ),
  });
  if (found) accepted(code, found, order);
  else await refused(code, problem);
}

function accepted(code, offer, order) {
  const used = offer.redemption;
  const whole = minor(used.discount.amount_minor, used.discount.currency);
  offers = [...offers.filter((one) => one.offer.offer_id !== offer.offer_id), { code, offer, order, at: Date.now() }];
  showVerdict("good", t("Redeemed: {discount} off", { discount: whole }), [
    t("{products} for {price} together", { products: offer.items.map(titleOf).join(" + "), price: minor(offer.price.amount_minor, offer.price.currency) }),
  ]);
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

/* A till's own program may hand over its order in the address: #receipt=1001&items=4711*2,4712&code=… */
function handedOver() {
  const given = new URLSearchParams(location.hash.slice(1));
  if (!given.has("receipt")) return;
  later(async () => {
    if (field.receipt.value !== given.get("receipt")) offers = [];
    field.receipt.value = given.get("receipt");
    products = new Map();
    draw();
    for (const [text, quantity] of itemsOf(given.get("items") || "")) {
      await scanned(text);
      const last = [...products.values()].at(-1);
      if (last) last.quantity += quantity - 1;
    }
    draw();
    for (const code of given.getAll("code")) await redeem(code);
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
