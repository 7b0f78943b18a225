/* One bundle: what speaks for it, what is decided about it, and what became of its offers. */

import * as api from "./dashboard-api.js";
import { barTable, offersOverTime, overTime, overlap, whereItHolds } from "./dashboard-charts.js";
import { detail } from "./dashboard-problems.js";
import { heading as column, term } from "./dashboard-help.js";
import {
  ONWARD, badge, channelName, count, h, isolate, minor, money, nodes, percent, person, segmentName, titleOf, titles, when,
} from "./dashboard-dom.js";
import { noteChanged } from "./dashboard-list.js";
import { termsPart } from "./dashboard-terms.js";
import { differences, evidenceWords, nameOf, ofKind } from "./dashboard-words.js";
import { t, tn } from "./messages.js";

/** How often an open bundle looks what became of its offers. */
const RENEW_MS = 15_000;
const FIRST_LOCATIONS = 8;

let loading = null;
let timer = 0;

/** Show a bundle in place of the list. */
export async function openBundle(section, bundleId, filters) {
  closeBundle(section);
  loading = new AbortController();
  const { signal } = loading;
  const back = h("a", { class: "back", href: filters.size ? `#${filters}` : "#" }, t("All bundles"));
  section.setAttribute("aria-busy", "true");
  section.replaceChildren(back, heading(t("Loading…")));
  let found;
  try {
    found = await api.bundle(bundleId, signal);
  } catch (error) {
    if (error.name === "AbortError") return;
    if (api.isSignedOut(error)) return location.reload();
    section.replaceChildren(back, heading(error.title || t("Something went wrong")), detail(error),
      h("button", { type: "button", onclick: () => openBundle(section, bundleId, filters) }, t("Try again")));
    section.querySelector("h1").focus();
    return;
  } finally {
    if (loading?.signal === signal) section.removeAttribute("aria-busy");
  }
  draw(section, back, found, signal, () => openBundle(section, bundleId, filters));
}

/** Leave the bundle that is open, if one is. */
export function closeBundle(section) {
  loading?.abort();
  loading = null;
  clearInterval(timer);
  section.replaceChildren();
}

/** What a decision is made on, and what only loading it anew shows. */
const grounds = ({ items, evidence, pricing }) => [items, evidence, pricing?.curve];

const heading = (...parts) => h("h1", { id: "bundle-title", tabindex: "-1" }, ...parts);
const card = (title, ...parts) => h("section", { class: "card" }, h("h2", {}, title), ...parts);

function draw(section, back, found, signal, again) {
  let bundle = found;
  document.title = `${titles(bundle)} · ${isolate(document.body.dataset.workspace)}`;
  const status = h("div", { class: "standing" });
  const offers = h("section", { class: "card" });
  const history = h("section", { class: "card" });
  const elsewhere = h("div", { class: "notice", hidden: true });

  function told(newer) {
    bundle = newer;
    status.replaceChildren(badge(bundle.status), ...standing(bundle));
    offers.replaceChildren(h("h2", {}, t("Offers")), ...offersPart(bundle));
    history.replaceChildren(h("h2", {}, t("What was decided")), historyPart(bundle));
    noteChanged(bundle);
  }

  const terms = termsPart(bundle, told);
  told(bundle);
  section.replaceChildren(
    back,
    h("div", { class: "title" }, h("div", {}, heading(titles(bundle)), status),
      h("button", { type: "button", class: "quiet jump", onclick: () => terms.reach() }, t("To price and decision"))),
    elsewhere,
    h("div", { class: "columns" },
      h("div", { class: "evidence" }, ...evidencePart(bundle)),
      h("div", { class: "decision" }, terms.element),
      h("div", { class: "evidence" }, offers, history)),
  );
  section.querySelector("h1").focus({ preventScroll: true });
  window.scrollTo({ top: 0, behavior: "instant" });

  function notice(...said) {
    elsewhere.hidden = false;
    elsewhere.replaceChildren(...said.flatMap((one) => (typeof one === "string" ? nodes(one) : [one])));
  }

  async function renew() {
    if (document.hidden || terms.isBusy()) return;
    let newer;
    try {
      newer = await api.bundle(bundle.bundle_id, signal);
    } catch {
      return; // whoever decides next is told
    }
    // What was saved in the meantime is newer than this.
    if (terms.isBusy() || newer.revision < terms.revision()) return;
    if (JSON.stringify(newer) === JSON.stringify(bundle)) return;
    const overtaken = newer.revision !== terms.revision();
    if (overtaken && terms.isDirty()) {
      notice(t("{who} has changed this bundle since you opened it.", { who: person(newer.changed_by) }));
      return;
    }
    if (overtaken) terms.renew(newer);
    if (JSON.stringify(grounds(newer)) === JSON.stringify(grounds(found))) elsewhere.hidden = true;
    else notice(t("Its prices or its evidence have changed since you opened it."), " ", h("button", { type: "button", class: "plain", onclick: again }, t("Show the new ones")));
    told(newer);
  }
  timer = setInterval(renew, RENEW_MS);
  document.addEventListener("visibilitychange", renew, { signal });
}

function standing(bundle) {
  const said = [];
  if (bundle.left_out && bundle.in_model) said.push(h("span", { class: "tag" }, t("hardly worth a decision: {why}", { why: bundle.left_out.text })));
  if (!bundle.in_model) said.push(h("span", { class: "tag" }, t("not found by the present model")));
  if (bundle.items.some((item) => item.active === false)) said.push(h("span", { class: "tag" }, t("a product is not sold any more")));
  if (bundle.changed_at) said.push(h("span", { class: "hint" }, t("last changed {time} by {who}", { time: when(bundle.changed_at), who: person(bundle.changed_by) })));
  return said;
}

function evidencePart(bundle) {
  const { evidence } = bundle;
  const names = bundle.items.map(titleOf);
  const parts = [card(t("Products"), productsTable(bundle), stockLine(bundle.stock))];
  if (!evidence || !bundle.in_model) {
    parts.unshift(card(t("In short"), h("p", {}, t("The present model does not hold this bundle, so there is no evidence to show."))));
    return parts;
  }
  const [first, ...others] = evidenceWords(bundle);
  parts.unshift(card(t("In short"), h("p", { class: "first" }, first), h("ul", { class: "words" }, others.map((text) => h("li", {}, text)))));
  const all = { label: t("Everywhere"), lift: bundle.lift, low: bundle.lift_low, high: bundle.lift_high, support: bundle.support };
  const segments = bundle.segments.map((one) => ({
    label: segmentName(one.segment), lift: one.lift, low: one.lift_low, high: one.lift_high, support: one.support,
  }));
  parts.push(
    card(bundle.items.length === 2 ? t("One, the other, and both") : t("Each, and all of them"), overlap(bundle, names)),
    card(t("Over time"), overTime(bundle, names)),
    card(t("Where it holds"), whereItHolds([all, ...segments], bundle),
      h("p", { class: "hint" }, t("The dot is the lift, the bar what it very likely lies in; the dashed line marks chance (1×)."))),
  );
  const channels = evidence.channels.filter((one) => one.baskets);
  if (channels.length) {
    parts.push(card(t("By channel"), barTable(t("By channel"), [t("Channel"), "", t("Together")], channels.map((one) => ({
      label: channelName(one.channel), value: one.together / one.baskets,
      text: t("{part} of {all} ({share})", { part: count(one.together), all: count(one.baskets), share: percent(one.together / one.baskets) }),
    }))), h("p", { class: "hint" }, ofKind(bundle, t("Bars: share of each channel’s baskets that hold all of it."), t("Bars: share of each channel’s purchases that hold all of it.")))));
  }
  if (evidence.locations.length) {
    parts.push(card(t("By location"), ...locationsPart(bundle)));
  }
  return parts;
}

/** Where it is bought most; those after the first few are folded away. */
function locationsPart(bundle) {
  const rows = bundle.evidence.locations.map((one) => ({
    label: isolate(one.name || one.location_id), value: one.together, text: count(one.together),
  }));
  const most = Math.max(1, ...rows.map((row) => row.value));
  const headings = [t("Location"), "", t("Together")];
  const rest = rows.slice(FIRST_LOCATIONS);
  return [
    barTable(t("By location"), headings, rows.slice(0, FIRST_LOCATIONS), most),
    rest.length ? h("details", { class: "numbers" }, h("summary", {}, tn("Show {n} more", "Show {n} more", rest.length)),
      barTable(t("More locations"), headings, rest, most)) : null,
    h("p", { class: "hint" }, ofKind(bundle, t("Bars: how many baskets of each location hold all of it."), t("Bars: how many purchases of each location hold all of it."))),
  ];
}

const PRODUCT_COLUMNS = [
  [t("Product"), t("Below its title: its number, brand and category.")],
  [t("Price"), t("What one costs now.")],
  [t("Cost"), t("What one costs you. Where it is not known, what its category usually earns stands for it.")],
  [t("Margin"), t("What one earns: its price less its cost.")],
];

function productsTable(bundle) {
  // Rows are laid out as blocks where there is little room, so what they are is said outright.
  const cell = (...parts) => h("td", { class: "number", role: "cell" }, ...parts);
  return h("table", { class: "members", role: "table" }, h("caption", { class: "hidden" }, t("Products of the bundle")),
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, PRODUCT_COLUMNS.map(([name, text], ix) =>
      column(name, text, { class: ix ? "number" : "", role: "columnheader" })))),
    h("tbody", { role: "rowgroup" }, bundle.items.map((item) => h("tr", { role: "row" },
      h("th", { scope: "row", role: "rowheader" }, titleOf(item), h("small", {},
        [item.item_id, item.brand, item.category].filter(Boolean).map(isolate).join(" · "), item.active === false ? [" · ", t("not sold any more")] : "")),
      cell(money(item.price)),
      cell(item.cost ? money(item.cost) : t("not known")),
      cell(item.price && item.cost
        ? minor(item.price.amount_minor - item.cost.amount_minor, item.price.currency) : "–")))));
}

function stockLine(stock) {
  if (!stock) return null;
  return h("p", { class: stock.locations_with_all ? "hint" : "notice warn" },
    stock.locations_with_all ? tn("All of them lie on the shelf at {held} of {n} location.", "All of them lie on the shelf at {held} of {n} locations.", stock.locations, { held: count(stock.locations_with_all) })
      : t("Nowhere do all of them lie on the shelf."));
}

function offersPart(bundle) {
  const { offers, terms } = bundle;
  const facts = [
    [t("Issued"), offers.issued, t("Offers made to customers so far.")],
    [t("Standing"), offers.standing, t("Offers that customers hold and may still use.")],
    [t("Redeemed"), offers.redeemed, t("Offers that orders used.")],
    [t("Returned"), offers.returned, t("Times that an offer stood again because its order was returned.")],
  ];
  const parts = [h("dl", { class: "readout" }, facts.map(([name, value, text]) => h("div", {}, term(name, text), h("dd", {}, count(value)))))];
  const spent = offers.spent?.amount_minor ?? 0;
  const reserved = offers.reserved?.amount_minor ?? 0;
  const currency = (offers.spent || terms.budget)?.currency;
  if (terms.budget) {
    const total = terms.budget.amount_minor;
    parts.push(h("p", {}, t("Of a budget of {budget}, {spent} are spent and {promised} promised.", { budget: money(terms.budget), spent: minor(spent, currency), promised: minor(reserved, currency) })),
      barTable(t("Budget"), ["", "", ""], [
        { label: t("Spent"), value: spent, text: percent(spent / total) },
        { label: t("Promised"), value: reserved, class: "item0", text: percent(reserved / total) },
        { label: t("Left"), value: Math.max(0, total - spent - reserved), class: "rest", text: percent(Math.max(0, total - spent - reserved) / total) },
      ]), h("p", { class: "hint" }, t("Bars: shares of the budget.")));
  } else if (offers.issued) {
    parts.push(h("p", {}, t("Discounts given: {spent}; promised: {promised}. There is no budget.", { spent: minor(spent, currency), promised: minor(reserved, currency) })));
  }
  parts.push(offersOverTime(bundle.offers_by_day || []));
  return parts;
}

function historyPart(bundle) {
  const changes = [...(bundle.history || [])].reverse();
  if (!changes.length) return h("p", { class: "quietly" }, t("Nobody has decided anything yet."));
  return h("ol", { class: "history", reversed: true }, changes.map((change) => h("li", {},
    h("p", {}, h("strong", {}, person(change.changed_by)), ` · ${when(change.changed_at)}`),
    h("ul", {}, differences(change.before, change.after).map(([field, was, is]) =>
      h("li", {}, `${nameOf(field)}: `, h("s", {}, was), ` ${ONWARD} `, is))))));
}
