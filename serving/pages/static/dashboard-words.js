/* What the numbers of a bundle mean, in sentences. */

import { STATUS, channelName, count, decimal, isolate, money, percent, titleOf, when } from "./dashboard-dom.js";

/** What is counted: baskets, or purchases of the first product. */
export const unitOf = (bundle) => (bundle.kind === "after" ? "purchases" : "baskets");

function often(lift) {
  if (lift >= 1.05) return `${decimal(lift)} times as often as`;
  return lift > 0.95 ? "about as often as" : `only ${decimal(lift)} times as often as`;
}

/** Sentences, the most important one first. */
export function evidenceWords(bundle) {
  const { items, evidence } = bundle;
  const pair = items.length === 2;
  const them = pair ? "both" : "all of them";
  const said = [];
  const sold = bundle.kind === "after"
    ? `${titleOf(items[1])} follows ${titleOf(items[0])}`
    : `They are in one basket`;
  said.push(`${sold} ${often(bundle.lift)} by chance; very likely between ${decimal(bundle.lift_low)} and ${decimal(bundle.lift_high)} times.`);
  said.push(bundle.kind === "after"
    ? `${count(bundle.support)} of ${count(bundle.cases)} purchases were followed by it.`
    : `${count(bundle.support)} of ${count(bundle.cases)} baskets (${percent(bundle.support_share)}) hold ${them}`
      + (bundle.customers ? `, bought by ${count(bundle.customers)} known ${bundle.customers === 1 ? "customer" : "customers"}.` : "."));
  if (bundle.confidence) {
    const [a, b] = items.map(titleOf);
    said.push(bundle.kind === "after"
      ? `Of those who bought ${a}, ${percent(bundle.confidence.a_to_b)} came back for ${b}.`
      : `Of the baskets with ${a}, ${percent(bundle.confidence.a_to_b)} hold ${b} too; of those with ${b}, ${percent(bundle.confidence.b_to_a)} hold ${a}.`);
  } else if (bundle.completes?.length) {
    const best = bundle.completes.indexOf(Math.max(...bundle.completes));
    said.push(`Of the baskets with all the others, ${percent(bundle.completes[best])} hold ${titleOf(items[best])} too.`);
  }
  const months = evidence?.months.length;
  if (months) said.push(bundle.stability === 1
    ? "It held in every month with enough sales to tell."
    : `It held in ${percent(bundle.stability)} of the months with enough sales to tell.`);
  if (bundle.undiscounted_lift !== null && bundle.undiscounted_lift !== undefined) {
    said.push(`Without what was on promotion: ${often(bundle.undiscounted_lift)} by chance.`);
  }
  if (bundle.complement !== null && bundle.complement !== undefined) {
    said.push(bundle.complement < 1
      ? "Customers who buy both tend to buy one instead of the other: rather substitutes than a bundle."
      : `Customers who buy ${them} put them into one basket ${often(bundle.complement)} by chance: they go together, and do not replace each other.`);
  }
  said.push(bundle.q_value < 0.001
    ? "Fewer than 1 in 1,000 findings as sure as this one come from chance alone."
    : `At most ${percent(bundle.q_value)} of the findings as sure as this one come from chance alone.`);
  return said;
}

const NAMES = {
  status: "Status", price: "Price", starts_at: "Starts", ends_at: "Ends", channels: "Channels",
  locations: "Locations", budget: "Budget", per_customer: "Offers a customer",
  offer_hours: "Hours an offer stands", gives_back: "Given back on return", note: "Note",
};
export const nameOf = (field) => NAMES[field] || field;

/** Write the value of one of a bundle's terms. */
export function valueOf(field, value) {
  if (value === null || value === undefined || value === "" || value.length === 0) {
    return { channels: "all", locations: "all", budget: "without limit", starts_at: "at once", ends_at: "never" }[field] || "none";
  }
  if (field === "status") return STATUS[value] || value;
  if (field === "price" || field === "budget") return money(value);
  if (field === "starts_at" || field === "ends_at") return when(value);
  if (field === "channels") return value.map(channelName).join(", ");
  if (Array.isArray(value)) return value.map(isolate).join(", ");
  if (typeof value === "boolean") return value ? "yes" : "no";
  return field === "note" ? isolate(value) : String(value);
}

/** What differs between two sets of terms: `[["price", "€4.00", "€3.50"], …]`. */
export function differences(before, after) {
  return Object.keys(NAMES)
    .filter((field) => JSON.stringify(before?.[field] ?? null) !== JSON.stringify(after?.[field] ?? null))
    .map((field) => [field, valueOf(field, before?.[field]), valueOf(field, after?.[field])]);
}
