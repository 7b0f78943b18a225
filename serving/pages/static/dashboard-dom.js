/* Elements, and how numbers, money and times are written. Whatever comes from data becomes a text
   node or an attribute's value, never markup. A name of another language keeps to itself: it stands
   in a <bdi>, or between the characters that do the same where there can be no element. */

import { LANG, LOCALE, t } from "./messages.js";

const SVG = "http://www.w3.org/2000/svg";

const FIRST = "\u2068"; // begins a part whose direction is that of its own first letter
const END = "\u2069";
const PART = new RegExp(`${FIRST}([^${END}]*)${END}`);
const DIRECTING = /[\u202a-\u202e\u2066-\u2069]/g;

/** Keep a name from turning around what stands beside it: `h` makes it a <bdi>. */
export const isolate = (name) => `${FIRST}${String(name).replace(DIRECTING, "")}${END}`;

/** The same as nodes: texts, and a <bdi> for each name. */
export function nodes(text) {
  return String(text).split(PART).map((part, ix) => {
    if (ix % 2 === 0) return part;
    const name = document.createElement("bdi");
    name.textContent = part;
    return name;
  }).filter((part) => part !== "");
}

function fill(element, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else if (name.startsWith("aria-")) element.setAttribute(name, String(value === true ? "" : value).replace(DIRECTING, ""));
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  const given = children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
  // A drawing and a list to choose from hold no elements in their texts.
  const plain = !(element instanceof HTMLElement) || element.localName === "option";
  element.append(...given.flatMap((child) => (typeof child === "string" && !plain ? nodes(child) : [child])));
  return element;
}

/** Make an element: `h("a", { href, class: "x", onclick: f }, "text", child, [children])`. */
export function h(name, props = {}, ...children) {
  return fill(document.createElement(name), props, children);
}

/** Make an element of a drawing. */
export function s(name, props = {}, ...children) {
  return fill(document.createElementNS(SVG, name), props, children);
}

/** A number that names elements of this page only once. */
let named = 0;
export const unique = (what) => `${what}-${(named += 1)}`;

let fading = 0;

/** Tell what happened, in words that screen readers speak; `seen` where the page shows it as well. */
export function say(text, seen = false) {
  const place = document.getElementById("said");
  clearTimeout(fading);
  place.className = seen ? "hidden" : "";
  place.textContent = "";
  // The same words are spoken again only where they came anew.
  requestAnimationFrame(() => {
    place.replaceChildren(...nodes(text));
  });
  if (!text) return;
  fading = setTimeout(() => {
    place.className = "hidden";
  }, 8_000);
}

const whole = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const oneDigit = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 1 });
const day = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium" });
const moment = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium", timeStyle: "short" });
const monthName = new Intl.DateTimeFormat(LOCALE, { month: "short", year: "numeric", timeZone: "UTC" });

export const count = (value) => (value === null || value === undefined ? "–" : whole.format(value));
export const decimal = (value) => (Math.abs(value) < 10 ? oneDigit : whole).format(value);
export const times = (value) => (value === null || value === undefined ? "–" : `${decimal(value)}×`);
export const when = (text) => (text ? moment.format(new Date(text)) : "–");
export const onDay = (text) => day.format(new Date(text));
export const inMonth = (text) => monthName.format(new Date(`${text}-01T00:00:00Z`));

/** A share as a percentage that shows what small shares are. */
export function percent(share) {
  if (share === null || share === undefined) return "–";
  const value = Math.abs(share * 100);
  const digits = value < 1 && value !== 0 ? { maximumSignificantDigits: 2 } : { maximumFractionDigits: value < 10 ? 1 : 0 };
  return new Intl.NumberFormat(LOCALE, { style: "percent", ...digits }).format(share);
}

const forms = new Map();
function formOf(currency, short) {
  const key = `${currency} ${short}`;
  if (!forms.has(key)) {
    const digits = short ? { maximumFractionDigits: 0 } : {};
    forms.set(key, new Intl.NumberFormat(LOCALE, { style: "currency", currency, ...digits }));
  }
  return forms.get(key);
}

/** How many digits a currency has after its point. */
export const digitsOf = (currency) => formOf(currency, false).resolvedOptions().maximumFractionDigits;

/** Write minor units; large sums without cents. */
export function minor(amount, currency) {
  if (amount === null || amount === undefined || !currency) return "–";
  const value = amount / 10 ** digitsOf(currency);
  const text = formOf(currency, Math.abs(value) >= 100).format(value);
  return text.replace(/^-/, "−");
}

export const money = (given) => (given ? minor(given.amount_minor, given.currency) : "–");
export const titleOf = (item) => isolate(item.title || item.item_id);
/** The name of whoever decided. */
export const person = (name) => (name ? isolate(name) : t("Somebody"));
/** What points on in the direction of reading. */
export const ONWARD = document.documentElement.dir === "rtl" ? "←" : "→";
/** The products of a bundle in a line; an arrow where their order matters. */
export const titles = (bundle) => bundle.items.map(titleOf).join(bundle.kind === "after" ? ` ${ONWARD} ` : " + ");

export const STATUS = {
  suggested: t("Suggested"), approved: t("Approved"), paused: t("Paused"), rejected: t("Rejected"),
  withdrawn: t("Withdrawn"),
};
export const badge = (status) => h("span", { class: `badge ${status}` }, STATUS[status] || status);

const WORDS = {
  pos: t("Till"), web: t("Web shop"), app: t("App"), email: t("E-mail"), store_screen: t("Store screen"),
  associate: t("Associate’s tablet"), marketplace: t("Marketplace"),
};
export const channelName = (channel) => WORDS[channel] || channel;

const SEASONS = { winter: t("winter"), spring: t("spring"), summer: t("summer"), autumn: t("autumn") };

/** `channel:web` as people say it. */
export function segmentName(segment) {
  const [kind, ...rest] = segment.split(":");
  const name = rest.join(":");
  if (kind === "channel") return t("Channel: {name}", { name: channelName(name) });
  if (kind === "season") return t("Season: {name}", { name: SEASONS[name] || isolate(name) });
  if (kind === "region") return t("Region: {name}", { name: isolate(name) });
  return rest.length ? `${kind[0].toUpperCase()}${kind.slice(1)}: ${isolate(name)}` : segment;
}
