/* The price of a bundle: a slider along the points that the service worked out, and what each of
   them would mean. Nothing is computed here; what lies between two points is the nearer one's. */

import { digitsOf, h, minor, percent, s, unique } from "./dashboard-dom.js";
import { drawing } from "./dashboard-charts.js";
import { term } from "./dashboard-help.js";
import { t, tn } from "./messages.js";

/** A field for money: what is typed in whole units is read in minor units. */
export function moneyInput(currency, props) {
  const digits = digitsOf(currency);
  const input = h("input", { type: "number", inputmode: "decimal", min: 0, step: (10 ** -digits).toFixed(digits), ...props });
  return {
    input,
    read: () => (input.value === "" ? null : { amount_minor: Math.round(Number(input.value) * 10 ** digits), currency }),
    write: (given) => {
      input.value = given ? (given.amount_minor / 10 ** digits).toFixed(digits) : "";
    },
  };
}

/** The part of the form that is about the price; `changed()` is told when it is another one. */
export function pricePart(bundle, changed) {
  const currency = bundle.pricing?.full_price.currency ?? bundle.items.find((item) => item.price)?.price.currency;
  if (!currency) return withoutPrice();
  const { pricing } = bundle;
  const curve = pricing?.curve ?? [];
  const id = unique("price");
  const typed = moneyInput(currency, { id, name: "price", "aria-describedby": `${id}-verdict fault-price` });
  const words = { at: 0, touched: false };
  const slider = h("input", {
    type: "range", min: 0, max: Math.max(0, curve.length - 1), step: 1, disabled: curve.length < 2,
    "aria-label": t("Price, from the floor to the full price"), oninput: () => take(curve[slider.valueAsNumber].price_minor),
  });
  const readout = h("dl", { class: "readout", "aria-live": "off" });
  const verdict = h("p", { class: "verdict", id: `${id}-verdict` });
  const chart = curve.length > 1 ? curveDrawing(pricing, curve, currency, () => words.at) : null;
  const range = h("div", { class: "range" });

  function show() {
    const given = typed.read()?.amount_minor ?? null;
    words.at = nearest(curve, given ?? pricing?.suggested_price?.amount_minor ?? curve.at(-1)?.price_minor);
    slider.value = words.at;
    const point = curve[words.at];
    if (!point) return;
    slider.setAttribute("aria-valuetext", t("{price}, {share} off, margin a month about {margin}", { price: minor(point.price_minor, currency), share: percent(point.discount_share), margin: minor(point.middle, currency) }));
    // Of a price off the curve nothing is known.
    const known = given !== null && given >= curve[0].price_minor && given <= curve.at(-1).price_minor;
    readout.hidden = range.hidden = !known;
    readout.replaceChildren(...meaning(point, currency));
    range.replaceChildren(...rangeBar(point, curve, currency));
    const said = judged(pricing, point, given, currency);
    verdict.className = `verdict ${said.class}`;
    verdict.textContent = said.text;
    chart?.redraw();
  }

  function take(amount_minor) {
    words.touched = true;
    typed.write({ amount_minor, currency });
    show();
    changed();
  }

  typed.input.addEventListener("input", () => {
    words.touched = true;
    show();
    changed();
  });
  const suggested = pricing?.suggested_price;
  const element = h("div", { class: "price" },
    pricing
      ? [
        pricing.sells_anyway ? h("p", { class: "notice warn" }, t("This bundle sells anyway: no allowed discount is expected to bring in more than it costs.")) : null,
        chart ? [h("div", { dir: "ltr" }, chart.svg), h("ul", { class: "legend" },
          h("li", {}, h("i", { class: "both" }), h("span", {}, t("expected margin a month"))),
          h("li", {}, h("i", { class: "span" }), h("span", {}, t("between low and high"))),
          suggested ? h("li", {}, h("i", { class: "dot" }), h("span", {}, t("suggested: {price}", { price: minor(suggested.amount_minor, currency) }))) : null)] : null,
        // Prices rise to the right, whatever way the page is read: as in the drawing above.
        h("div", { dir: "ltr" }, slider,
          h("div", { class: "ends" }, h("span", {}, t("{price} lowest price", { price: minor(curve[0]?.price_minor, currency) })),
            h("span", {}, t("{price} one by one", { price: minor(pricing.full_price.amount_minor, currency) })))),
      ]
      : h("p", { class: "notice warn" }, bundle.in_model
        ? t("The price of a product is not known, so nothing can be said of what the bundle would earn.")
        : t("The present model did not find this bundle, so nothing can be said of what it would earn.")),
    h("div", { class: "pair" },
      h("div", { class: "field" }, h("label", { for: id }, t("Price of the bundle ({currency})", { currency })), typed.input),
      suggested ? h("button", { type: "button", class: "quiet", onclick: () => take(suggested.amount_minor) }, t("Take the suggested price")) : null),
    pricing ? [verdict, readout, range, h("p", { class: "hint" }, pricing.estimate)] : null,
  );
  return {
    element,
    field: {
      name: "price",
      input: typed.input,
      // A suggestion that nobody touched is no decision.
      read: () => (words.touched ? typed.read() : bundle.terms.price),
      write: (price) => {
        words.touched = false;
        bundle = { ...bundle, terms: { ...bundle.terms, price } };
        typed.write(price ?? suggested ?? pricing?.full_price);
        show();
      },
      put: (price) => {
        words.touched = true;
        typed.write(price);
        show();
      },
      shown: typed.read,
    },
  };
}

function withoutPrice() {
  return {
    element: h("p", { class: "notice warn" }, t("The prices of these products are not known, so they cannot be offered at a price.")),
    field: null,
  };
}

function nearest(curve, amount) {
  let best = 0;
  curve.forEach((point, ix) => {
    if (Math.abs(point.price_minor - amount) < Math.abs(curve[best].price_minor - amount)) best = ix;
  });
  return best;
}

function judged(pricing, point, given, currency) {
  const floor = pricing.floor_price.amount_minor;
  const full = pricing.full_price.amount_minor;
  if (given === null) return { class: "", text: "" };
  if (given < floor) return { class: "bad", text: t("Below the floor of {price}: too little margin is left.", { price: minor(floor, currency) }) };
  if (given >= full) return { class: "warn", text: t("Not below what the products cost one by one.") };
  if (point.middle <= 0) return { class: "warn", text: t("At this price it mostly makes cheaper what sells anyway.") };
  if (point.low > 0) return { class: "good", text: t("Pays for itself even by the lowest estimate.") };
  return { class: "", text: t("Expected to pay for itself; by the lowest estimate it does not.") };
}

/** Tenths matter below ten; above, it is whole pieces. */
function moreSold(even) {
  const n = even < 10 ? Math.round(even * 10) / 10 : Math.ceil(even);
  return tn("{n} more sold a month", "{n} more sold a month", n);
}

function meaning(point, currency) {
  const even = point.break_even_sales;
  return [
    [t("Discount"), percent(point.discount_share), t("What is taken off what the products cost one by one.")],
    [t("Margin left"), percent(point.margin_share), t("Share of the price that is left after what the products cost you.")],
    [t("Breaks even with"), point.discount_share === 0 ? "–" : even === null || even === undefined ? t("no number of sales") : moreSold(even),
      t("Products that must be sold besides, in a month, to earn back the discount for those who would have bought all of them anyway.")],
    [t("Expected a month"), minor(point.middle, currency), t("Margin that it adds, or loses, in a month, by the middle of the estimates.")],
  ].map(([name, value, text]) => h("div", {}, term(name, text), h("dd", {}, value)));
}

/** From the lowest to the highest estimate, on one scale for all prices. */
function rangeBar(point, curve, currency) {
  const low = Math.min(0, ...curve.map((one) => one.low));
  const high = Math.max(0, ...curve.map((one) => one.high)) || 1;
  const at = (value) => `${(100 * (value - low)) / (high - low)}%`;
  const span = `${(100 * (point.high - point.low)) / (high - low)}%`;
  const text = t("Between {low} and {high} a month", { low: minor(point.low, currency), high: minor(point.high, currency) });
  return [
    s("svg", { class: "track", height: 22, role: "img", "aria-label": text },
      s("line", { class: "chance", x1: at(0), x2: at(0), y1: 0, y2: 22 }),
      s("rect", { class: "span", x: at(point.low), width: span, y: 6, height: 10, rx: 5 }),
      s("circle", { class: "both", cx: at(point.middle), cy: 11, r: 6 })),
    h("p", { class: "hint" }, t("{range}; the line marks 0.", { range: text })),
  ];
}

/** Expected margin by price, with the span of the estimates. */
function curveDrawing(pricing, curve, currency, at) {
  const height = 178, above = 30, below = 32;
  const side = 10; // half of the slider's knob, so that both lie over each other
  const high = Math.max(...curve.map((one) => one.high), 0) || 1;
  // What far too low a price would lose says little; the loss is drawn as deep as the gain is high.
  const low = Math.max(Math.min(...curve.map((one) => one.low), 0), -high);
  const y = (value) => above + (height - above - below) * (1 - (Math.min(high, Math.max(low, value)) - low) / (high - low));
  const label = t("Expected margin a month by price, from {low} to {high}", { low: minor(curve[0].price_minor, currency), high: minor(curve.at(-1).price_minor, currency) });
  return drawing(label, height, (width) => {
    const x = (ix) => side + ((width - 2 * side) * ix) / (curve.length - 1);
    const line = (name) => curve.map((one, ix) => `${x(ix).toFixed(1)} ${y(one[name]).toFixed(1)}`);
    const suggested = pricing.suggested_price ? nearest(curve, pricing.suggested_price.amount_minor) : null;
    const now = at();
    const right = width - side;
    const ticks = [high, ...(low < 0 ? [low] : [])];
    return [
      s("text", { class: "axis", x: side, y: 12 }, t("margin a month ({currency})", { currency })),
      ticks.map((value) => [
        s("line", { class: "grid", x1: side, x2: right, y1: y(value), y2: y(value) }),
        s("text", { class: "axis", x: right, y: y(value) - 4, "text-anchor": "end" }, minor(value, currency)),
      ]),
      s("path", { class: "area", d: `M${line("low").join("L")}L${line("high").reverse().join("L")}Z` }),
      s("line", { class: "chance", x1: side, x2: right, y1: y(0), y2: y(0) }),
      s("text", { class: "axis", x: side, y: y(0) - 4 }, minor(0, currency)),
      s("path", { class: "middle", d: `M${line("middle").join("L")}` }),
      suggested === null ? [] : s("circle", { class: "dot", cx: x(suggested), cy: y(curve[suggested].middle), r: 4 }),
      s("line", { class: "now", x1: x(now), x2: x(now), y1: above, y2: height - below + 8 }),
      s("circle", { class: "both", cx: x(now), cy: y(curve[now].middle), r: 6 }),
      s("text", { class: "axis", x: width / 2, y: height - 6, "text-anchor": "middle" }, t("price of all together ({currency})", { currency })),
    ];
  });
}
