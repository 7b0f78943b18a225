/* Drawings as SVG. Each has its numbers as a table beside it or is a table itself, so nothing is
   told by a picture alone. */

import { heading } from "./dashboard-help.js";
import { count, decimal, h, inMonth, onDay, percent, s, times } from "./dashboard-dom.js";
import { ofKind } from "./dashboard-words.js";
import { t, tn } from "./messages.js";

/** A drawing as wide as its place: `draw(width)` gives its parts, again whenever that changes. */
export function drawing(label, height, draw) {
  const svg = s("svg", { role: "img", "aria-label": label, class: "drawing", height });
  let last = 0;
  const redraw = () => {
    if (!last) return;
    svg.setAttribute("viewBox", `0 0 ${last} ${height}`);
    svg.replaceChildren(...draw(last).flat(Infinity));
  };
  new ResizeObserver(([entry]) => {
    const width = Math.round(entry.contentRect.width);
    if (width === last) return;
    last = width;
    redraw();
  }).observe(svg);
  return { svg, redraw };
}

/** Numbers of a drawing, folded away; `note` says what the columns are. */
function numbers(caption, note, headings, rows) {
  return h("details", { class: "numbers" }, h("summary", {}, t("Show as a table")), h("p", { class: "hint" }, note),
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
      h("table", {}, h("caption", { class: "hidden" }, caption),
        h("thead", {}, h("tr", {}, headings.map((text) => h("th", { scope: "col" }, text)))),
        h("tbody", {}, rows.map(([first, ...rest]) =>
          h("tr", {}, h("th", { scope: "row" }, first), rest.map((text) => h("td", {}, text))))))));
}

/** A round number that is not below any of the values. */
function top(values) {
  const most = Math.max(0, ...values);
  if (!most) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((step) => step * power).find((step) => step >= most - 1e-12);
}

/** Bars over time. `series` is [{name, class, values}]; `write` says a value; `units` name the axes. */
function bars(width, height, labels, series, write, units) {
  const left = 46, bottom = 38, right = 4, above = 24;
  const high = top(series.flatMap((one) => one.values));
  const y = (value) => above + (height - above - bottom) * (1 - value / high);
  const step = (width - left - right) / labels.length;
  const each = Math.max(1, (step * 0.72) / series.length);
  const grid = [0, high / 2, high].map((value) => [
    s("line", { class: "grid", x1: left, x2: width - right, y1: y(value), y2: y(value) }),
    s("text", { class: "axis", x: left - 6, y: y(value) + 4, "text-anchor": "end" }, write(value)),
  ]);
  const drawn = series.map((one, of) => one.values.map((value, ix) =>
    s("rect", {
      class: one.class,
      x: left + step * ix + (step - each * series.length) / 2 + each * of,
      y: y(value), width: each, height: Math.max(0, y(0) - y(value)), rx: Math.min(2, each / 3),
    }, s("title", {}, `${labels[ix]}: ${series.length > 1 ? `${one.name} ` : ""}${write(value)}`))));
  const named = [
    s("text", { class: "axis", x: 0, y: 12 }, units.y),
    s("text", { class: "axis", x: left + (width - left - right) / 2, y: height - 4, "text-anchor": "middle" }, units.x),
  ];
  // As many labels as there is room for, the last one in any case.
  const every = Math.ceil(labels.length / Math.max(1, Math.floor((width - left) / 90)));
  const under = labels.map((text, ix) => {
    if ((labels.length - 1 - ix) % every) return [];
    const x = Math.min(left + step * (ix + 0.5), width - 36);
    return s("text", { class: "axis", x, y: height - 21, "text-anchor": "middle" }, text);
  });
  return [grid, drawn, under, named];
}

/** How often a bundle sold, month by month, as a share of all baskets. */
export function overTime(bundle, names) {
  const { evidence } = bundle;
  const { months, month_baskets: baskets, together } = evidence;
  if (!months.length) return h("p", { class: "quietly" }, t("There are no months to show."));
  const share = together.map((sold, ix) => (baskets[ix] ? sold / baskets[ix] : 0));
  const labels = months.map(inMonth);
  const ends = { low: percent(Math.min(...share)), high: percent(Math.max(...share)) };
  const label = ofKind(bundle,
    t("Share of baskets with all of it, by month, from {low} to {high}", ends),
    t("Share of purchases with all of it, by month, from {low} to {high}", ends));
  const units = { y: ofKind(bundle, t("share of all baskets"), t("share of all purchases")), x: t("month") };
  const { svg } = drawing(label, 210, (width) => bars(width, 210, labels, [{ class: "both", values: share }], percent, units));
  return h("figure", {}, h("div", { dir: "ltr" }, svg),
    h("figcaption", {}, ofKind(bundle,
      t("Share of each month’s baskets that held all of it."), t("Share of each month’s purchases that held all of it."))),
    numbers(t("By month"), ofKind(bundle,
      t("Baskets of each month: all, those with each product, and those with all of it together, also as a share of all."),
      t("Purchases of each month: all, those with each product, and those with all of it together, also as a share of all.")),
    [t("Month"), ofKind(bundle, t("All baskets"), t("All purchases")), ...names, t("Together"), t("Share")],
      months.map((_, ix) => [labels[ix], count(baskets[ix]), ...evidence.items_by_month.map((item) => count(item[ix])),
        count(together[ix]), percent(share[ix])])));
}

/** Said outright, since rows are laid out as blocks where there is little room. */
const ROLES = {
  table: { role: "table" }, rowgroup: { role: "rowgroup" }, row: { role: "row" },
  rowheader: { role: "rowheader" }, cell: { role: "cell" },
};

/** Rows of a label, a bar and what it stands for: a table that is its own drawing. */
export function barTable(caption, headings, rows, most = Math.max(...rows.map((row) => row.value), 0) || 1) {
  return h("table", { class: "bars", ...ROLES.table }, h("caption", { class: "hidden" }, caption),
    h("thead", { class: "hidden" }, h("tr", {}, headings.map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", ROLES.rowgroup, rows.map((row) => h("tr", ROLES.row,
      h("th", { scope: "row", ...ROLES.rowheader }, row.label),
      h("td", { class: "bar", ...ROLES.cell }, s("svg", { class: "track", height: 14, "aria-hidden": "true" },
        s("rect", { class: row.class || "both", height: 14, rx: 3, width: `${(100 * row.value) / most}%` }),
        row.part === undefined ? [] : s("rect", { class: "both", height: 14, rx: 3, width: `${(100 * row.part) / most}%` }))),
      h("td", { class: "number", ...ROLES.cell }, row.text)))));
}

/** Baskets with each product and with all: of two as strips that lie over each other as they do. */
export function overlap(bundle, names) {
  const { each, all, total } = bundle.evidence.baskets;
  if (each.length !== 2) {
    const rows = each.map((held, ix) => ({ label: names[ix], value: held, part: all, class: `item${ix}`, text: count(held) }));
    rows.push({ label: t("All of them"), value: all, class: "both", text: count(all) });
    return h("figure", {}, barTable(ofKind(bundle, t("Baskets with each product"), t("Purchases with each product")),
      [t("Product"), "", ofKind(bundle, t("Baskets"), t("Purchases"))], rows),
    h("figcaption", {}, ofKind(bundle,
      t("Lengths are numbers of baskets, of {total} in all; the first part of each bar holds all of them.", { total: count(total) }),
      t("Lengths are numbers of purchases, of {total} in all; the first part of each bar holds all of them.", { total: count(total) }))));
  }
  const [a, b] = each;
  const held = { a: count(a), b: count(b), all: count(all), first: names[0], second: names[1] };
  const label = ofKind(bundle,
    t("{a} baskets hold {first}, {b} hold {second}, {all} hold both.", held),
    t("{a} purchases hold {first}, {b} hold {second}, {all} hold both.", held));
  const { svg } = drawing(label, 102, (width) => {
    const scale = width / Math.max(1, a + b - all);
    const begin = (a - all) * scale;
    const shared = Math.max(2, all * scale);
    const near = Math.min(Math.max(begin + shared / 2, 85), width - 85);
    return [
      s("rect", { class: "both faint", x: begin, y: 0, width: shared, height: 76 }),
      s("rect", { class: "item0", x: 0, y: 0, width: Math.max(2, a * scale), height: 34, rx: 5 }),
      s("rect", { class: "item1", x: begin, y: 42, width: Math.max(2, b * scale), height: 34, rx: 5 }),
      [0, 42].map((y) => s("rect", { class: "both", x: begin, y, width: shared, height: 34, rx: 5 })),
      s("text", { class: "mark", x: near, y: 96, "text-anchor": "middle" }, ofKind(bundle, tn("{n} basket with both", "{n} baskets with both", all), tn("{n} purchase with both", "{n} purchases with both", all))),
    ];
  });
  return h("figure", {}, h("div", { dir: "ltr" }, svg),
    h("ul", { class: "legend" },
      h("li", {}, h("i", { class: "item0" }), h("span", {}, `${names[0]}: ${count(a)}`)),
      h("li", {}, h("i", { class: "item1" }), h("span", {}, `${names[1]}: ${count(b)}`)),
      h("li", {}, h("i", { class: "both" }), h("span", {}, t("both: {n}", { n: count(all) })))),
    h("figcaption", {}, ofKind(bundle,
      t("Lengths are numbers of baskets, {total} in all. Where the bars overlap, both were bought.", { total: count(total) }),
      t("Lengths are numbers of purchases, {total} in all. Where the bars overlap, both were bought.", { total: count(total) }))));
}

/** Few round lifts below the highest one, with 0 and, where there is room for it, 1. */
function scale(high) {
  const round = [2, 3, 4, 5, 10, 20, 30, 50, 100, 200, 300, 500, 1000].filter((mark) => mark <= high);
  const half = round.filter((mark) => mark <= (round.at(-1) ?? 0) / 2);
  return [0, ...(high < 8 ? [1] : []), ...half.slice(-1), ...round.slice(-1)];
}

/** Lift with its interval, in all and where it holds besides; a line marks what chance gives. */
export function whereItHolds(rows, bundle) {
  const high = Math.max(...rows.map((row) => row.high), 1) * 1.04;
  const at = (value) => `${(100 * Math.max(0, value)) / high}%`;
  const headings = [
    [t("Where"), t("Everywhere, and where it was tested by itself and holds: a channel, a region of your locations, a season.")],
    [t("Lift"), t("How many times as often as by chance, and between what it very likely lies (95% interval).")],
    [t("Together"), ofKind(bundle, t("How many baskets there hold all of it."), t("How many purchases there hold all of it."))],
  ].map(([name, text], ix) => heading(name, text, { class: ix ? "number" : "" }));
  headings.splice(1, 0, h("th", { scope: "col" }, h("span", { class: "hidden" }, t("Drawn"))));
  const shown = scale(high);
  return h("table", { class: "bars lifts", ...ROLES.table },
    h("caption", { class: "hidden" }, t("Lift with its 95% interval")),
    h("thead", {}, h("tr", {}, headings)),
    h("tbody", ROLES.rowgroup, rows.map((row) => h("tr", ROLES.row,
      h("th", { scope: "row", ...ROLES.rowheader }, row.label),
      h("td", { class: "bar", ...ROLES.cell }, s("svg", { class: "track", height: 18, "aria-hidden": "true" },
        s("line", { class: "chance", x1: at(1), x2: at(1), y1: 0, y2: 18 }),
        s("line", { class: "span", x1: at(row.low), x2: at(row.high), y1: 9, y2: 9 }),
        s("circle", { class: "both", cx: at(row.lift), cy: 9, r: 5 }))),
      h("td", { class: "number", ...ROLES.cell }, `${times(row.lift)} (${decimal(row.low)}–${decimal(row.high)})`),
      h("td", { class: "number", "data-after": t("together"), ...ROLES.cell }, count(row.support))))),
    // The scale of the drawn column.
    h("tfoot", { "aria-hidden": "true" }, h("tr", {}, h("th", {}, h("small", {}, t("times as often as by chance"))),
      h("td", { class: "bar" }, s("svg", { class: "track", height: 18 }, shown.map((mark) => [
        s("line", { class: "grid", x1: at(mark), x2: at(mark), y1: 0, y2: 4 }),
        s("text", { class: "axis", x: at(mark), y: 16, "text-anchor": mark ? "middle" : "start" }, times(mark))]).flat())),
      h("td", {}), h("td", {}))));
}

/** Offers made and used, day by day; many days become weeks. */
export function offersOverTime(days) {
  if (!days.length) return h("p", { class: "quietly" }, t("No offers yet."));
  const filled = steps(days);
  const series = [
    { name: t("issued"), class: "item0", values: filled.map((one) => one.issued) },
    { name: t("redeemed"), class: "both", values: filled.map((one) => one.redeemed) },
  ];
  const sum = (name) => days.reduce((all, one) => all + one[name], 0);
  const label = t("Offers by day: {issued} issued, {redeemed} redeemed", { issued: count(sum("issued")), redeemed: count(sum("redeemed")) });
  const labels = filled.map((one) => onDay(`${one.day}T12:00:00Z`));
  const units = { y: t("offers"), x: t("day, UTC") };
  const { svg } = drawing(label, 190, (width) => bars(width, 190, labels, series, decimal, units));
  return h("figure", {}, h("div", { dir: "ltr" }, svg),
    h("ul", { class: "legend" }, series.map((one) => h("li", {}, h("i", { class: one.class }), h("span", {}, one.name)))),
    numbers(t("Offers by day"), t("Offers that were issued, and that orders used, on each day."), [t("Day"), t("Issued"), t("Redeemed")],
      days.map((one) => [onDay(`${one.day.slice(0, 10)}T12:00:00Z`), count(one.issued), count(one.redeemed)])));
}

const DAY = 86_400_000;

/** Put days without anything between those with something; beyond a quarter, by week. */
function steps(days) {
  const at = (one) => Date.parse(`${one.day.slice(0, 10)}T00:00:00Z`);
  const last = at(days.at(-1));
  const begin = Math.min(at(days[0]), last - 6 * DAY);
  const length = (last - begin) / DAY + 1;
  const step = length > 92 ? 7 : 1;
  const filled = Array.from({ length: Math.ceil(length / step) }, (_, ix) => ({
    day: new Date(begin + ix * step * DAY).toISOString().slice(0, 10), issued: 0, redeemed: 0,
  }));
  for (const one of days) {
    const place = filled[Math.floor((at(one) - begin) / DAY / step)];
    place.issued += one.issued;
    place.redeemed += one.redeemed;
  }
  return filled;
}
