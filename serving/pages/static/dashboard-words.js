/* What the numbers of a bundle mean, in sentences. */

import { STATUS, channelName, count, decimal, isolate, money, percent, titleOf, when } from "./dashboard-dom.js";
import { listed, t, tn } from "./messages.js";

/** Choose between what is said of baskets, and of purchases that others followed. */
export const ofKind = (bundle, together, after) => (bundle.kind === "after" ? after : together);

function often(lift) {
  if (lift >= 1.05) return t("{lift} times as often as by chance", { lift: decimal(lift) });
  return lift > 0.95 ? t("about as often as by chance") : t("only {lift} times as often as by chance", { lift: decimal(lift) });
}

function soldWords(bundle) {
  const words = { often: often(bundle.lift), low: decimal(bundle.lift_low), high: decimal(bundle.lift_high) };
  if (bundle.kind !== "after") {
    return t("They are in one basket {often}; very likely between {low} and {high} times.", words);
  }
  const [a, b] = bundle.items.map(titleOf);
  return t("{b} follows {a} {often}; very likely between {low} and {high} times.", { a, b, ...words });
}

function supportWords(bundle) {
  const { support, cases, customers } = bundle;
  const words = { cases: count(cases), share: percent(bundle.support_share) };
  if (bundle.kind === "after") {
    return tn("{n} of {cases} purchases was followed by it.", "{n} of {cases} purchases were followed by it.", support, words);
  }
  const held = bundle.items.length === 2
    ? tn("{n} of {cases} baskets ({share}) holds both", "{n} of {cases} baskets ({share}) hold both", support, words)
    : tn("{n} of {cases} baskets ({share}) holds all of them", "{n} of {cases} baskets ({share}) hold all of them", support, words);
  if (!customers) return `${held}.`;
  return tn("{held}, bought by {n} known customer.", "{held}, bought by {n} known customers.", customers, { held });
}

function shareWords(bundle) {
  const { items, confidence, completes } = bundle;
  if (confidence) {
    const [a, b] = items.map(titleOf);
    const words = { a, b, share: percent(confidence.a_to_b), other: percent(confidence.b_to_a) };
    return bundle.kind === "after"
      ? t("Of those who bought {a}, {share} came back for {b}.", words)
      : t("Of the baskets with {a}, {share} hold {b} too; of those with {b}, {other} hold {a}.", words);
  }
  const best = completes.indexOf(Math.max(...completes));
  return t("Of the baskets with all the others, {share} hold {title} too.", { share: percent(completes[best]), title: titleOf(items[best]) });
}

function complementWords(bundle) {
  if (bundle.complement < 1) {
    return t("Customers who buy both tend to buy one instead of the other: rather substitutes than a bundle.");
  }
  const words = { often: often(bundle.complement) };
  return bundle.items.length === 2
    ? t("Customers who buy both put them into one basket {often}: they go together, and do not replace each other.", words)
    : t("Customers who buy all of them put them into one basket {often}: they go together, and do not replace each other.", words);
}

/** Sentences, the most important one first. */
export function evidenceWords(bundle) {
  const isKnown = (value) => value !== null && value !== undefined;
  const said = [soldWords(bundle), supportWords(bundle)];
  if (bundle.confidence || bundle.completes?.length) said.push(shareWords(bundle));
  if (bundle.evidence?.months.length) said.push(bundle.stability === 1
    ? t("It held in every month with enough sales to tell.")
    : t("It held in {share} of the months with enough sales to tell.", { share: percent(bundle.stability) }));
  if (isKnown(bundle.undiscounted_lift)) {
    said.push(t("Without what was on promotion: {often}.", { often: often(bundle.undiscounted_lift) }));
  }
  if (isKnown(bundle.complement)) said.push(complementWords(bundle));
  said.push(bundle.q_value < 0.001
    ? t("Fewer than 1 in {many} findings as sure as this one come from chance alone.", { many: count(1000) })
    : t("At most {share} of the findings as sure as this one come from chance alone.", { share: percent(bundle.q_value) }));
  return said;
}

const NAMES = {
  status: t("Status"), price: t("Price"), starts_at: t("Starts"), ends_at: t("Ends"), channels: t("Channels"),
  locations: t("Locations"), budget: t("Budget"), per_customer: t("Offers a customer"),
  offer_hours: t("Hours an offer stands"), gives_back: t("Given back on return"), note: t("Note"),
};
export const nameOf = (field) => NAMES[field] || field;

const NOTHING = {
  channels: t("all"), locations: t("all"), budget: t("without limit"), starts_at: t("at once"), ends_at: t("never"),
};

/** Write the value of one of a bundle's terms. */
export function valueOf(field, value) {
  if (value === null || value === undefined || value === "" || value.length === 0) return NOTHING[field] || t("none");
  if (field === "status") return STATUS[value] || value;
  if (field === "price" || field === "budget") return money(value);
  if (field === "starts_at" || field === "ends_at") return when(value);
  if (field === "channels") return listed(value.map(channelName));
  if (Array.isArray(value)) return listed(value.map(isolate));
  if (typeof value === "boolean") return value ? t("yes") : t("no");
  if (typeof value === "number") return decimal(value);
  return field === "note" ? isolate(value) : String(value);
}

/** What differs between two sets of terms: `[["price", "€4.00", "€3.50"], …]`. */
export function differences(before, after) {
  return Object.keys(NAMES)
    .filter((field) => JSON.stringify(before?.[field] ?? null) !== JSON.stringify(after?.[field] ?? null))
    .map((field) => [field, valueOf(field, before?.[field]), valueOf(field, after?.[field])]);
}
