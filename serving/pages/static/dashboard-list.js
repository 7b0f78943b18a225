/* The list of bundles: filters, order, pages, and the same as a table to download. */

import * as api from "./dashboard-api.js";
import { glossary, heading } from "./dashboard-help.js";
import {
  STATUS, badge, count, decimal, h, isolate, minor, money, onDay, percent, say, segmentName, times, titleOf, titles,
} from "./dashboard-dom.js";

const PAGE = 50;
const MOST_ROWS = 1000;
const choices = JSON.parse(document.body.dataset.choices);
const ORDERS = {
  margin: "Margin a month", evidence: "Strongest evidence", lift: "Lift", support: "Sold together",
  confidence: "Confidence", stability: "Steadiness", changed: "Last changed",
};
const USUAL = "margin";

/** Title, order that its heading gives, class, what a row shows, and what that means. */
const COLUMNS = [
  ["Products", "evidence", "products", productsCell,
    "What is bought together: + in one basket, → the second some days after the first. Below them, their categories. Sorted by it, the strongest evidence comes first."],
  ["Status", null, "", (row) => badge(row.status),
    "Suggested: nobody has decided yet. Approved: customers get offers. Paused: no new offers. Rejected: not wanted. Withdrawn: its offers became void."],
  ["Lift", "lift", "number", liftCell,
    "How many times as often they are bought together as they would be by chance. Below: where it very likely lies."],
  ["Sold together", "support", "number", supportCell,
    "Baskets in your history that hold all of them, and their share of all baskets."],
  ["Confidence", "confidence", "number wide", confidenceCell,
    "Of the baskets that hold all but one of them, the share that holds that one too; the highest there is."],
  ["Steadiness", "stability", "number wide", (row) => percent(row.stability),
    "Share of the months in which they were bought together more often than by chance."],
  ["Price", null, "number", priceCell,
    "Of all of them together: as decided, otherwise as suggested. Crossed out: what they cost one by one."],
  ["Margin a month", "margin", "number", marginCell,
    "What this price is expected to add to your margin in a month, after the discounts that it gives away. Below: from the lowest to the highest estimate. It is not measured."],
  ["Changed", "changed", "wide", (row) => (row.changed_at ? [onDay(row.changed_at), small(isolate(row.changed_by))] : "–"),
    "When somebody last decided about it, and who."],
];

const small = (text) => h("small", {}, text);

function productsCell(row, hash) {
  const parts = row.items.map((item, ix) => h("span", { class: "member" },
    ix ? h("span", { class: "joint" }, row.kind === "after" ? "→ " : "+ ") : null, titleOf(item)));
  const groups = [...new Set(row.items.map((item) => item.category).filter(Boolean))];
  return [
    h("a", { href: hash, "aria-label": titles(row) }, parts),
    groups.length ? small(groups.map(isolate).join(" · ")) : null,
    row.left_out ? h("small", { class: "why-not" }, `Hardly worth a decision: ${row.left_out.text}.`) : null,
  ];
}

function liftCell(row) {
  if (row.lift === null) return "–";
  return [times(row.lift), small(`${decimal(row.lift_low)} to ${decimal(row.lift_high)}`)];
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
  return [money(price), h("small", {}, h("s", {}, h("span", { class: "hidden" }, "instead of "), money(full)))];
}

function marginCell(row) {
  const pricing = row.pricing;
  if (!pricing) return "–";
  if (!row.terms.price && (pricing.sells_anyway || !pricing.expected_margin)) return h("span", { class: "tag" }, "sells anyway");
  const { low, middle, high } = pricing.expected_margin;
  const { currency } = pricing.full_price;
  return [minor(middle, currency), small(`${minor(low, currency)} to ${minor(high, currency)}`)];
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
    more: h("button", { type: "button", class: "more", hidden: true, onclick: () => load(cursor) }, "Show more"),
    toggle: h("button", { type: "button", class: "quiet", onclick: toggle }),
    why: h("details", { class: "why" }),
    csv: h("a", { class: "button quiet", download: "bundles.csv", href: "#" }, "Download as CSV"),
    full: h("a", { download: "bundles-all-columns.csv", href: "#" }, "with all columns"),
    headings: new Map(),
  };
  form = h("form", { class: "filters", "aria-label": "Filters", onsubmit: (event) => event.preventDefault() }, fields());
  let later = 0;
  form.addEventListener("input", (event) => {
    clearTimeout(later);
    later = setTimeout(apply, event.target.matches("select, [type=checkbox]") ? 0 : 300);
  });
  const folded = h("details", { class: "card fold" }, h("summary", {}, "Filter and sort"), form);
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
      h("div", {}, h("h1", { id: "list-title", tabindex: "-1" }, "Bundles"),
        h("p", { class: "lead" }, "Products that sell together, found in your history. Decide which become offers.")),
      h("div", { class: "files" }, place.csv, place.full)),
    folded,
    h("div", { class: "listed" }, place.count, place.toggle),
    place.why,
    h("table", { class: "bundles", role: "table", "aria-describedby": "list-count" },
      h("caption", { class: "hidden" }, "Bundles with their evidence. A heading that is a button sorts by it."),
      h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, head)), place.body),
    place.state,
    place.more,
    glossary("What the columns mean", COLUMNS.map(([title, , , , text]) => [title, text])),
  );
  place.body.setAttribute("role", "rowgroup");
}

function fields() {
  const option = ([value, text]) => h("option", { value }, text);
  const select = (name, label, options) => field(label, h("select", { name }, options.map(option)));
  const input = (name, label, more) => field(label, h("input", { name, ...more }));
  const number = (name, label, step) => input(name, label, { type: "number", min: 0, step, inputmode: "decimal" });
  const segments = h("select", { name: "segment" }, option(["", "Anywhere"]),
    choices.segments.map((segment) => option([segment, segmentName(segment)])));
  return [
    h("input", { type: "hidden", name: "show" }),
    input("q", "Search titles", { type: "search", maxlength: 200 }),
    select("status", "Status", [["", "All"], ...Object.entries(STATUS)]),
    select("kind", "Bought", [["", "Any way"], ["together", "In one basket"], ["after", "One after the other"]]),
    input("category", "Category", { list: "categories", maxlength: 200 }),
    field("Holds in", segments),
    input("location_id", "Bought at location", { maxlength: 200 }),
    number("min_lift", "Lift at least", "any"),
    number("min_support", "Sold together at least", "1"),
    select("sort", "Sort by", Object.entries(ORDERS)),
    h("label", { class: "check" }, h("input", { type: "checkbox", name: "pays", value: "true" }), "Pays for itself"),
    h("button", { type: "button", class: "quiet", onclick: clear }, "Clear filters"),
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
  if (is && !shown.length) place.state.replaceChildren(h("p", { class: "quietly" }, "Loading bundles…"));
}

function draw() {
  const named = ORDERS[filters.sort || USUAL];
  const all = filters.show === "all";
  const others = leftOut.reduce((sum, one) => sum + one.bundles, 0);
  const what = total === 1 ? "1 bundle" : `${count(total)} bundles`;
  place.count.textContent = all ? what : `${what} worth a decision`;
  if (shown.length < total) place.count.textContent += `, ${count(shown.length)} shown`;
  say(`${place.count.textContent}, sorted by ${named.toLowerCase()}.`, true);
  place.toggle.textContent = all ? "Show only what is worth a decision" : `Show all ${count(total + others)}`;
  place.toggle.hidden = !all && !others;
  place.why.hidden = !others;
  place.why.replaceChildren(
    h("summary", {}, others === 1 ? "1 more is left out" : `${count(others)} more are left out`),
    h("ul", {}, [...leftOut].sort((a, b) => b.bundles - a.bundles).map((one) => h("li", {}, `${count(one.bundles)}: ${one.text}`))),
    h("p", { class: "hint" }, "What somebody has decided about is always listed."));
  const asked = { ...filters, format: "csv", limit: MOST_ROWS };
  place.csv.href = `/v1/bundles?${api.query({ ...asked, columns: "short" })}`;
  place.full.href = `/v1/bundles?${api.query(asked)}`;
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
  const clearing = filtered ? h("button", { type: "button", class: "quiet", onclick: clear }, "Clear filters") : null;
  if (leftOut.length) {
    return [h("h2", {}, filtered ? "No bundle worth a decision fits these filters" : "No bundle is worth a decision"),
      h("div", { class: "actions" }, h("button", { type: "button", onclick: toggle }, place.toggle.textContent), clearing)];
  }
  if (filtered) return [h("h2", {}, "No bundle fits these filters"), clearing];
  return [h("h2", {}, "No bundles yet"),
    h("p", {}, "Nothing in this history sells together more often than by chance. With more orders, or a lower ",
      h("code", {}, "min_support"), " under ", h("code", {}, "[bundles]"), ", the next ",
      h("code", {}, "omnibasket train"), " may find some.")];
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
      const told = h("small", { class: "fault", id: `fault-${control.name}` }, wrong.detail);
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
  const again = h("button", { type: "button", onclick: () => load() }, "Try again");
  if (error.kind === "no-model") {
    place.state.replaceChildren(h("h2", {}, "No model is loaded yet"),
      h("p", {}, "Bundles come with a model: run ", h("code", {}, "omnibasket train"), ". It is taken up here by itself."), again);
    setTimeout(() => place.state.contains(again) && load(), 1000 * (error.retrySeconds || 5));
  } else {
    place.state.replaceChildren(h("h2", {}, error.title || "Something went wrong"), h("p", {}, error.message), again);
  }
  say(error.message, true);
}
