/* How verdicts, products and offers are drawn. */

import { h, nodes, titleOf } from "./dashboard-dom.js";
import { t, tn } from "./messages.js";

const at = (id) => document.getElementById(id);
const MARKS = { good: "✓ ", bad: "✗ ", unsure: "… " };
let counting = 0;

/** Show what became of a scan: `good`, `bad`, `unsure`, or "" where nothing was judged. */
export function showVerdict(kind, heading, lines, needed = [], foreign = false) {
  const place = at("verdict");
  place.className = `verdict ${kind}`;
  place.dataset.kind = kind;
  const english = foreign ? { lang: "en", dir: "ltr", class: "hint" } : {};
  place.replaceChildren(
    h("h2", {}, h("span", { "aria-hidden": true }, MARKS[kind] || ""), ...nodes(heading)),
    ...lines.filter(Boolean).map((line) => h("p", english, ...nodes(line))),
    ...(needed.length ? [h("p", {}, t("The offer needs:")), h("ul", {}, needed.map(({ title, here }) =>
      h("li", {}, here ? t("✓ {title}", { title }) : t("✗ {title}: not scanned", { title }))))] : []),
  );
}

/** Before the first scan. */
export const nextOrder = () => showVerdict("", t("Ready"), [t("Scan the products of the order, then the customer’s offer.")]);

export function productsOf(products, change) {
  at("products").replaceChildren(...[...products].map(([itemId, { title, quantity }]) => {
    const name = titleOf({ item_id: itemId, title });
    const button = (text, label, n) => h("button", { type: "button", class: "quiet", "aria-label": label, onclick: () => change(itemId, n) }, text);
    return h("li", {}, h("span", { class: "grow" }, name),
      button("−", t("One {title} less", { title: name }), quantity - 1),
      h("b", {}, String(quantity)),
      button("+", t("One {title} more", { title: name }), quantity + 1));
  }));
}

export function offersOf(offers, undoSeconds, undo) {
  clearInterval(counting);
  const place = at("offers");
  const buttons = [];
  place.replaceChildren(...offers.map((one) => {
    const button = h("button", { type: "button", class: "danger", onclick: () => undo(one) });
    buttons.push([one, button]);
    return h("li", {}, h("span", { class: "grow" }, one.offer.items.map(titleOf).join(" + ")), button);
  }));
  const tick = () => {
    for (const [one, button] of buttons) {
      const left = undoSeconds - Math.floor((Date.now() - one.at) / 1_000);
      button.hidden = left <= 0;
      button.textContent = tn("Undo ({n} second)", "Undo ({n} seconds)", left);
    }
  };
  tick();
  if (offers.length) counting = setInterval(tick, 1_000);
}
