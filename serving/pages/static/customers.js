/* One view of a customer: find them, show what is known, correct what is wrong.
   Nothing of a customer is kept: after minutes without a touch the page forgets them. */

import { isSignedOut, query, send, signOut } from "./dashboard-api.js";
import { h, nodes, say, when } from "./dashboard-dom.js";
import { drawCustomer } from "./customers-view.js";
import { KIND_NAMES } from "./customers-words.js";
import { LANG, t } from "./messages.js";

const at = (id) => document.getElementById(id);
const form = at("search");
const place = at("customer");
/** Without a touch for so long, whoever left does not show a customer to whoever passes. */
const FORGET_AFTER = 5 * 60_000;
let shown = null;
let idle = 0;
let turn = 0; // an answer to an earlier search than the latest shows nobody

for (const option of form.querySelectorAll("option[data-type]")) {
  option.textContent = KIND_NAMES[option.dataset.type] || option.dataset.type;
}

function trouble(text, foreign = false) {
  const alert = at("trouble");
  alert.hidden = !text;
  alert.lang = foreign ? "en" : LANG;
  alert.dir = foreign ? "ltr" : "auto";
  alert.replaceChildren(...nodes(text));
}

function failed(error) {
  if (isSignedOut(error)) location.reload();
  trouble(error.isForeign ? `${error.title}. ${error.message}` : error.message, error.isForeign);
}

function forget() {
  turn += 1;
  shown = null;
  place.replaceChildren();
  document.body.removeAttribute("data-shown");
}

function touched() {
  clearTimeout(idle);
  if (shown) {
    idle = setTimeout(() => {
      forget();
      form.reset();
      say(t("The customer was put away, because nobody used the page."));
    }, FORGET_AFTER);
  }
}
for (const event of ["pointerdown", "keydown", "scroll"]) addEventListener(event, touched, { passive: true });

/** The ids of whoever was asked for. */
async function found(kind, value) {
  if (kind === "id") return [value];
  const asked = kind === "order" ? { order_id: value } : kind === "offer" ? { offer: value }
    : { identifier_type: kind.slice("type:".length), identifier_value: value };
  return (await send(`/v1/customers?${query(asked)}`)).customer_ids;
}

async function open(customerId, reason) {
  turn += 1;
  const mine = turn;
  const path = `/v1/customers/${encodeURIComponent(customerId)}`;
  const [known, links] = await Promise.all([
    send(`${path}?${query({ reason, lang: LANG })}`),
    send(`${path}/links`).catch(() => null), // told from the history, which may be elsewhere
  ]);
  if (mine !== turn) return;
  shown = { customerId: known.customer_id, reason };
  drawCustomer(place, known, links, { correct, forget: () => { forget(); at("value").focus(); } });
  document.body.dataset.shown = known.customer_id;
  place.querySelector("h2").focus();
  touched();
}

/** Change something, and show how it is then. */
async function correct(method, path, body, done) {
  try {
    trouble("");
    const whose = shown;
    await send(path, method, body);
    if (!whose || whose !== shown) return;
    await open(whose.customerId, whose.reason);
    say(done);
  } catch (error) {
    failed(error);
    at("trouble").scrollIntoView({ block: "nearest" });
  }
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const empty = [at("value"), at("reason")].find((one) => !one.value.trim());
  for (const one of [at("value"), at("reason")]) one.toggleAttribute("aria-invalid", false);
  if (empty) {
    empty.setAttribute("aria-invalid", "true");
    empty.focus();
    trouble(empty === at("value") ? t("Enter what you look for.") : t("Say why you look at the customer."));
    return;
  }
  forget();
  const mine = turn;
  trouble("");
  const reason = at("reason").value.trim();
  try {
    const ids = await found(at("kind").value, at("value").value.trim());
    if (mine !== turn) return;
    if (ids.length === 1) {
      await open(ids[0], reason);
      return;
    }
    place.replaceChildren(h("section", { class: "card" },
      h("h2", { tabindex: -1 }, t("Several customers have that")),
      h("ul", { class: "plainly" }, ids.map((id) => h("li", {},
        h("button", { type: "button", class: "quiet", onclick: () => open(id, reason).catch(failed) }, id))))));
    place.querySelector("h2").focus();
  } catch (error) {
    failed(error);
  }
});

let cursor = null;
at("show-looks")?.addEventListener("click", async () => {
  try {
    const { looks, next } = await send(`/v1/looks?${query({ limit: 50, cursor })}`);
    const list = at("looks-list");
    if (cursor === null) {
      list.replaceChildren(h("div", { class: "wide" }, h("table", {}, h("caption", { class: "hidden" }, t("Who looked at customers")),
        h("thead", {}, h("tr", {}, [t("When"), t("Who"), t("Customer"), t("Why"), t("Where")].map((name) => h("th", { scope: "col" }, name)))),
        h("tbody", {}))));
      if (!looks.length) list.replaceChildren(h("p", {}, t("Nobody did.")));
    }
    list.querySelector("tbody")?.append(...looks.map((look) => h("tr", {},
      h("td", {}, when(look.at)), h("td", {}, h("bdi", {}, look.by)),
      h("td", {}, look.customer_id ? h("code", {}, look.customer_id) : t("erased since")),
      h("td", {}, h("bdi", {}, look.reason || "–")), h("td", {}, h("code", {}, look.page)))));
    cursor = next;
    at("show-looks").textContent = t("List more");
    at("show-looks").hidden = next === null;
  } catch (error) {
    failed(error);
  }
});

at("sign-out")?.addEventListener("click", async () => {
  try {
    await signOut();
  } catch (error) {
    if (!isSignedOut(error)) {
      failed(error);
      return;
    }
  }
  location.reload();
});
document.body.dataset.ready = "";
