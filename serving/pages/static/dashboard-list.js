/* The list of bundles: filters, order, pages, and the same as a table to download. */

import * as api from "./dashboard-api.js";
import { ENGLISH, detail } from "./dashboard-problems.js";
import { glossary, heading } from "./dashboard-help.js";
import {
  ONWARD, STATUS, badge, count, decimal, h, isolate, minor, money, onDay, percent, say, segmentName, times, titleOf, titles,
} from "./dashboard-dom.js";
import { LANG, t, tn, tparts } from "./messages.js";

const PAGE = 50;
const MOST_ROWS = 1000;
const choices = JSON.parse(document.body.dataset.choices);
const ORDERS = {
  margin: t("Margin a month"), evidence: t("Strongest evidence"), lift: t("Lift"), support: t("Sold together"),
  confidence: t("Confidence"), stability: t("Steadiness"), changed: t("Last changed"),
};
const SORTED = {
  margin: t("sorted by margin a month"), evidence: t("sorted by strongest evidence"), lift: t("sorted by lift"),
  support: t("sorted by sold together"), confidence: t("sorted by confidence"),
  stability: t("sorted by steadiness"), changed: t("sorted by last changed"),
};
const USUAL = "margin";

/** Title, order that its heading gives, class, what a row shows, and what that means. */
const COLUMNS = [
  [t("Products"), "evidence", "products", productsCell,
    t("What is bought together: + in one basket, → the second some days after the first. Below them, their categories. Sorted by it, the strongest evidence comes first.")],
  [t("Status"), null, "", (row) => badge(row.status),
    t("Suggested: nobody has decided yet. Approved: customers get offers. Paused: no new offers. Rejected: not wanted. Withdrawn: its offers became void.")],
  [t("Lift"), "lift", "number", liftCell,
    t("How many times as often they are bought together as they would be by chance. Below: where it very likely lies.")],
  [t("Sold together"), "support", "number", supportCell,
    t("Baskets in your history that hold all of them, and their share of all baskets.")],
  [t("Confidence"), "confidence", "number wide", confidenceCell,
    t("Of the baskets that hold all but one of them, the share that holds that one too; the highest there is.")],
  [t("Steadiness"), "stability", "number wide", (row) => percent(row.stability),
    t("Share of the months in which they were bought together more often than by chance.")],
  [t("Price"), null, "number", priceCell,
    t("Of all of them together: as decided, otherwise as suggested. Crossed out: what they cost one by one.")],
  [t("Margin a month"), "margin", "number", marginCell,
    t("What this price is expected to add to your margin in a month, after the discounts that it gives away. Below: from the lowest to the highest estimate. It is not measured.")],
  [t("Changed"), "changed", "wide", (row) => (row.changed_at ? [onDay(row.changed_at), small(isolate(row.changed_by))] : "–"),
    t("When somebody last decided about it, and who.")],
];

const small = (text) => h("small", {}, text);

function productsCell(row, hash) {
  const parts = row.items.map((item, ix) => h("span", { class: "member" },
    ix ? h("span", { class: "joint" }, row.kind === "after" ? `${ONWARD} ` : "+ ") : null, titleOf(item)));
  const groups = [...new Set(row.items.map((item) => item.category).filter(Boolean))];
  return [
    h("a", { href: hash, "aria-label": titles(row) }, parts),
    groups.length ? small(groups.map(isolate).join(" · ")) : null,
    row.left_out ? h("small", { class: "why-not" }, t("Hardly worth a decision: {why}.", { why: row.left_out.text })) : null,
  ];
}

function liftCell(row) {
  if (row.lift === null) return "–";
  return [times(row.lift), small(t("{low} to {high}", { low: decimal(row.lift_low), high: decimal(row.lift_high) }))];
}

function supportCell(row) {
  if (row.support === null) return "–";
  return [count(row.support), small(percent(row.support_share))];
}

function confidenceCell(row) {
  return row.completes ? percent(Math.max(...row.completes)) : "–";
}

function priceCell(row) {
  const full = row.pricing?.full_price;
  const price = row.terms.price || row.pricing?.suggested_price;
  if (!full) return "–";
  if (!price) return money(full);
  return [money(price), h("small", {}, h("s", {}, h("span", { class: "hidden" }, t("instead of"), " "), money(full)))];
}

function marginCell(row) {
  const pricing = row.pricing;
  if (!pricing) return "–";
  if (!row.terms.price && (pricing.sells_anyway || !pricing.expected_margin)) return h("span", { class: "tag" }, t("sells anyway"));
  const { low, middle, high } = pricing.expected_margin;
  const { currency } = pricing.full_price;
  return [minor(middle, currency), small(t("{low} to {high}", { low: minor(low, currency), high: minor(high, currency) }))];
}

let place = null;
let form = null;
let filters = null;
let loading = null;
let cursor = null;
let shown = [];
let total = 0;
let leftOut = [];

/** Show the list that the address asks for; what is there already stays. */
export function showList(section, asked) {
  if (!place) build(section);
  const wanted = Object.fromEntries(asked);
  if (filters && JSON.stringify(wanted) === JSON.stringify(filters)) return;
  filters = wanted;
  for (const field of form.elements) {
    if (!field.name) continue;
    if (field.type === "checkbox") field.checked = filters[field.name] === "true";
    else field.value = filters[field.name] ?? (field.name === "sort" ? USUAL : "");
  }
  load();
}

/** Take over what became of a bundle elsewhere on the page. */
export function noteChanged(bundle) {
  const at = shown.findIndex((row) => row.bundle_id === bundle.bundle_id);
  if (at < 0) return;
  shown[at] = bundle;
  drawRows();
}

function build(section) {
  place = {
    body: h("tbody"),
    count: h("p", { class: "count", id: "list-count" }),
    state: h("div", { class: "state" }),
    more: h("button", { type: "button", class: "more", hidden: true, onclick: () => load(cursor) }, t("Show more")),
    toggle: h("button", { type: "button", class: "quiet", onclick: toggle }),
    why: h("details", { class: "why" }),
    csv: h("a", { class: "button quiet", download: "bundles.csv", href: "#" }, t("Download as CSV")),
    full: h("a", { download: "bundles-all-columns.csv", href: "#" }, t("with all columns")),
    headings: new Map(),
  };
  form = h("form", { class: "filters", "aria-label": t("Filters"), onsubmit: (event) => event.preventDefault() }, fields());
  let later = 0;
  form.addEventListener("input", (event) => {
    clearTimeout(later);
    later = setTimeout(apply, event.target.matches("select, [type=checkbox]") ? 0 : 300);
  });
  const folded = h("details", { class: "card fold" }, h("summary", {}, t("Filter and sort")), form);
  folded.open = !window.matchMedia("(max-width: 640px)").matches;
  const head = COLUMNS.map(([title, order, kind, , text]) => {
    const words = order
      ? h("button", { type: "button", class: "order", onclick: () => sortBy(order) }, title, h("span", { class: "arrow", "aria-hidden": "true" }))
      : title;
    const cell = heading(title, text, { class: kind, role: "columnheader" }, words);
    if (order) place.headings.set(order, cell);
    return cell;
  });
  section.replaceChildren(
    h("div", { class: "title" },
      h("div", {}, h("h1", { id: "list-title", tabindex: "-1" }, t("Bundles")),
        h("p", { class: "lead" }, t("Products that sell together, found in your history. Decide which become offers."))),
      h("div", { class: "files" }, place.csv, place.full)),
    folded,
    h("div", { class: "listed" }, place.count, place.toggle),
    place.why,
    h("table", { class: "bundles", role: "table", "aria-describedby": "list-count" },
      h("caption", { class: "hidden" }, t("Bundles with their evidence. A heading that is a button sorts by it.")),
      h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, head)), place.body),
    place.state,
    place.more,
    glossary(t("What the columns mean"), COLUMNS.map(([title, , , , text]) => [title, text])),
  );
  place.body.setAttribute("role", "rowgroup");
}

function fields() {
  const option = ([value, text]) => h("option", { value }, text);
  const select = (name, label, options) => field(label, h("select", { name }, options.map(option)));
  const input = (name, label, more) => field(label, h("input", { name, ...more }));
  const number = (name, label, step) => input(name, label, { type: "number", min: 0, step, inputmode: "decimal" });
  const segments = h("select", { name: "segment" }, option(["", t("Anywhere")]),
    choices.segments.map((segment) => option([segment, segmentName(segment)])));
  return [
    h("input", { type: "hidden", name: "show" }),
    input("q", t("Search titles"), { type: "search", maxlength: 200 }),
    select("status", t("Status"), [["", t("All")], ...Object.entries(STATUS)]),
    select("kind", t("Bought"), [["", t("Any way")], ["together", t("In one basket")], ["after", t("One after the other")]]),
    input("category", t("Category"), { list: "categories", maxlength: 200 }),
    field(t("Holds in"), segments),
    input("location_id", t("Bought at location"), { maxlength: 200 }),
    number("min_lift", t("Lift at least"), "any"),
    number("min_support", t("Sold together at least"), "1"),
    select("sort", t("Sort by"), Object.entries(ORDERS)),
    h("label", { class: "check" }, h("input", { type: "checkbox", name: "pays", value: "true" }), t("Pays for itself")),
    h("button", { type: "button", class: "quiet", onclick: clear }, t("Clear filters")),
    h("datalist", { id: "categories" }, choices.categories.map((name) => h("option", { value: name }))),
  ];
}

const field = (label, control) => h("label", { class: "field" }, h("span", {}, label), control);

function clear() {
  for (const control of form.elements) {
    if (control.type === "checkbox") control.checked = false;
    else if (control.name === "sort") control.value = USUAL;
    else if (control.name !== "show") control.value = "";
  }
  apply();
}

/** Show everything, or only what is worth a decision. */
function toggle() {
  form.elements.show.value = form.elements.show.value === "all" ? "" : "all";
  apply();
}

function sortBy(order) {
  const control = form.elements.sort;
  control.value = control.value === order ? USUAL : order;
  apply();
}

/** Bring what the form says into the address, which brings it into the list. */
function apply() {
  const given = api.query(Object.fromEntries(new FormData(form)));
  if (given.get("sort") === USUAL) given.delete("sort");
  history.replaceState(null, "", given.size ? `#${given}` : location.pathname);
  filters = Object.fromEntries(given);
  load();
}

async function load(from = null) {
  loading?.abort();
  loading = new AbortController();
  const { signal } = loading;
  busy(true);
  try {
    const page = await api.bundles({ ...filters, limit: PAGE, cursor: from }, signal);
    shown = from ? [...shown, ...page.bundles] : page.bundles;
    cursor = page.next_cursor;
    total = page.total;
    leftOut = page.left_out;
    busy(false);
    faults([]);
    draw();
    if (from) place.body.querySelectorAll("a")[shown.length - page.bundles.length]?.focus();
  } catch (error) {
    if (error.name === "AbortError") return;
    if (api.isSignedOut(error)) return location.reload();
    busy(false);
    fail(error);
  }
}

function busy(is) {
  place.body.parentElement.setAttribute("aria-busy", String(is));
  if (is && !shown.length) place.state.replaceChildren(h("p", { class: "quietly" }, t("Loading bundles…")));
}

function draw() {
  const all = filters.show === "all";
  const others = leftOut.reduce((sum, one) => sum + one.bundles, 0);
  const found = all
    ? tn("{n} bundle", "{n} bundles", total)
    : tn("{n} bundle worth a decision", "{n} bundles worth a decision", total);
  place.count.textContent = shown.length < total
    ? tn("{found}, {n} shown", "{found}, {n} shown", shown.length, { found }) : found;
  const sorted = SORTED[filters.sort || USUAL];
  say(t("{count}, {sorted}.", { count: place.count.textContent, sorted }), true);
  place.toggle.textContent = all ? t("Show only what is worth a decision") : t("Show all {n}", { n: count(total + others) });
  place.toggle.hidden = !all && !others;
  place.why.hidden = !others;
  place.why.replaceChildren(
    h("summary", {}, tn("{n} more is left out", "{n} more are left out", others)),
    h("ul", {}, [...leftOut].sort((a, b) => b.bundles - a.bundles).map((one) => h("li", {}, t("{n}: {why}", { n: count(one.bundles), why: one.text })))),
    h("p", { class: "hint" }, t("What somebody has decided about is always listed.")));
  const asked = { ...filters, format: "csv", limit: MOST_ROWS };
  place.csv.href = `/v1/bundles?${api.query({ ...asked, columns: "short", lang: LANG })}`;
  place.full.href = `/v1/bundles?${api.query({ ...asked, lang: LANG })}`;
  for (const [order, cell] of place.headings) {
    if (order === (filters.sort || USUAL)) cell.setAttribute("aria-sort", "descending");
    else cell.removeAttribute("aria-sort");
  }
  place.more.hidden = !cursor;
  drawRows();
  place.state.replaceChildren(...(shown.length ? [] : nothing()));
}

function drawRows() {
  place.body.replaceChildren(...shown.map((row) => {
    const given = api.query({ bundle: row.bundle_id, ...filters });
    return h("tr", { role: "row", "data-bundle": row.bundle_id },
      COLUMNS.map(([title, , kind, show], ix) =>
        h(ix ? "td" : "th", { role: ix ? "cell" : "rowheader", scope: ix ? null : "row", class: kind, "data-label": title },
          show(row, `#${given}`))));
  }));
}

function nothing() {
  const filtered = api.query({ ...filters, sort: "", show: "" }).size > 0;
  const clearing = filtered ? h("button", { type: "button", class: "quiet", onclick: clear }, t("Clear filters")) : null;
  if (leftOut.length) {
    return [h("h2", {}, filtered ? t("No bundle worth a decision fits these filters") : t("No bundle is worth a decision")),
      h("div", { class: "actions" }, h("button", { type: "button", onclick: toggle }, place.toggle.textContent), clearing)];
  }
  if (filtered) return [h("h2", {}, t("No bundle fits these filters")), clearing];
  return [h("h2", {}, t("No bundles yet")),
    h("p", {}, tparts("Nothing in this history sells together more often than by chance. With more orders, or a lower {setting} under {section}, the next {command} may find some.", {
      setting: h("code", {}, "min_support"), section: h("code", {}, "[bundles]"), command: h("code", {}, "omnibasket train"),
    }))];
}

/** Mark the filters that a problem names. */
function faults(errors) {
  for (const control of form.elements) {
    if (!control.name || control.type === "hidden") continue;
    const wrong = errors.find((error) => error.pointer === `/${control.name}`);
    const label = control.closest("label");
    label.querySelector(".fault")?.remove();
    control.removeAttribute("aria-invalid");
    if (wrong) {
      const told = h("small", { class: "fault", id: `fault-${control.name}`, ...ENGLISH }, wrong.detail);
      label.append(told);
      control.setAttribute("aria-invalid", "true");
      control.setAttribute("aria-describedby", told.id);
    }
  }
}

function fail(error) {
  faults(error.errors || []);
  shown = [];
  cursor = null;
  place.more.hidden = true;
  place.count.textContent = "";
  place.toggle.hidden = place.why.hidden = true;
  place.body.replaceChildren();
  const again = h("button", { type: "button", onclick: () => load() }, t("Try again"));
  if (error.kind === "no-model") {
    place.state.replaceChildren(h("h2", {}, t("No model is loaded yet")),
      h("p", {}, tparts("Bundles come with a model: run {command}. It is taken up here by itself.", { command: h("code", {}, "omnibasket train") })), again);
    setTimeout(() => place.state.contains(again) && load(), 1000 * (error.retrySeconds || 5));
  } else {
    place.state.replaceChildren(h("h2", {}, error.title || t("Something went wrong")), detail(error), again);
  }
  say(error.isForeign ? error.title : error.message, true);
}
