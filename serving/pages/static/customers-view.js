/* What is known about a customer, drawn section by section. */

import { channelName, count, decimal, h, isolate, money, say, titleOf, unique, when } from "./dashboard-dom.js";
import { EVIDENCE, KIND_NAMES, LOOK_KINDS, MESSAGE_STATES, OFFER_STATES, PURPOSES } from "./customers-words.js";
import { listed, t, tn } from "./messages.js";

const CHANNELS = ["email", "web", "app", "pos", "store_screen", "associate", "marketplace"];

/** A part of the page; what is empty says so. */
function section(title, filled, ...content) {
  const id = unique("part");
  return h("section", { class: "card", "aria-labelledby": id },
    h("h2", { id }, title), filled ? content : h("p", { class: "hint" }, t("Nothing is known.")));
}

const nameOf = (item) => (item.item_id === null ? t("a product that is gone") : titleOf(item));
const place = (one) => (one.location_id ? isolate(one.location_name || one.location_id) : null);
const inPlace = (one) => [one.channel ? channelName(one.channel) : t("channel unknown"), place(one)].filter(Boolean).join(" · ");

function table(caption, headings, rows) {
  return h("div", { class: "wide" }, h("table", {}, h("caption", { class: "hidden" }, caption),
    h("thead", {}, h("tr", {}, headings.map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, rows.map((cells) => h("tr", {}, cells.map((cell, ix) => h(ix ? "td" : "th", ix ? {} : { scope: "row" }, cell)))))));
}

function pieces(item) {
  return item.quantity === 1 ? nameOf(item) : t("{n} × {title}", { n: decimal(item.quantity), title: nameOf(item) });
}

/** A list of which the first few are seen at once. */
function folded(name, rows, few, more) {
  if (rows.length <= few + 1) return h(name, { class: "plainly" }, rows);
  return [h(name, { class: "plainly" }, rows.slice(0, few)),
    h("details", {}, h("summary", {}, more(rows.length - few)),
      h(name, { class: "plainly", ...(name === "ol" ? { start: few + 1 } : {}) }, rows.slice(few)))];
}

function orders({ count: n, by_channel: channels, recent, older }) {
  const total = [tn("{n} order is known one by one.", "{n} orders are known one by one.", n)];
  if (older.lines) total.push(tn("Before them, {n} line is known in sum only.", "Before them, {n} lines are known in sum only.", older.lines));
  return section(t("Orders and returns"), channels.length || older.lines, h("p", {}, total.join(" ")),
    table(t("Orders by channel"), [t("Channel"), t("Orders"), t("Amount bought"), t("Amount returned"), t("Last time")], channels.map((one) => [
      channelName(one.channel), count(one.orders), money(one.bought), money(one.returned), when(one.last_at)])),
    folded("ol", recent.map((one) => h("li", {},
      h("p", {}, h("b", {}, one.at ? when(one.at) : t("An order of which only returns are known")), " · ",
        one.at ? [inPlace(one), " · ", money(one.amount)] : null),
      one.items.length ? h("p", {}, one.items.map(pieces).join(" · ")) : null,
      one.returns.map((back) => h("p", { class: "back" },
        t("Returned on {when}, {where}: {what}, {amount}", { when: when(back.at), where: inPlace(back), what: pieces(back), amount: money(back.amount) }))))), 5, (n) => tn("{n} more order", "{n} more orders", n)));
}

function shownAnswers(answers) {
  return section(t("What was shown, and why"), answers.length, folded("ol", answers.map((one) => h("li", {},
    h("details", {},
      h("summary", {}, h("b", {}, when(one.decided_at)), " · ", one.channel ? channelName(one.channel) : null, " · ",
        h("code", {}, one.placement), " · ",
        one.held ? t("not sent") : tn("{n} product", "{n} products", one.items.length)),
      one.held ? h("p", {}, one.held.text) : null,
      h("ul", {}, one.items.map((item) => h("li", {}, titleOf(item),
        item.reason ? h("span", { class: "quietly" }, " – ", h("q", { dir: "auto" }, item.reason)) : null))),
      one.fallback ? h("p", { class: "hint" }, t("Too little was known for a personal answer.")) : null,
      one.text.map((sentence) => h("p", { class: "hint" }, sentence)),
      one.withheld.map((item) => h("p", { class: "hint" }, titleOf(item), ": ", item.text)),
      h("p", { class: "hint" }, h("code", {}, one.recommendation_id))))), 8, (n) => tn("{n} more answer", "{n} more answers", n)));
}

function offers(list) {
  return section(t("Offers"), list.length, table(t("Offers"), [t("Products"), t("Price"), t("Until"), t("State")], list.map((one) => [
    one.items.map(titleOf).join(" + "), money(one.price), when(one.expires_at),
    one.redemption
      ? t("{state} on {when}, {where}", { state: OFFER_STATES[one.state], when: when(one.redemption.redeemed_at), where: channelName(one.redemption.channel) })
      : OFFER_STATES[one.state] || one.state])));
}

function messages(list) {
  return section(t("Messages"), list.length, table(t("Messages"), [t("To go out"), t("Channel"), t("Placement"), t("State")], list.map((one) => [
    when(one.send_at), channelName(one.channel), h("code", {}, one.placement), MESSAGE_STATES[one.state] || one.state])));
}

function consents(known, correct) {
  const { consents: said, effective, history } = known;
  const id = { purpose: unique("purpose"), channel: unique("channel"), given: unique("given"), source: unique("source") };
  const now = Object.entries(effective).map(([purpose, channels]) => [
    PURPOSES[purpose] || purpose,
    listed(CHANNELS.filter((name) => channels[name]).map(channelName)) || t("nowhere"),
    listed(CHANNELS.filter((name) => !channels[name]).map(channelName)) || t("nowhere")]);
  const form = h("form", { class: "pair", novalidate: true, onsubmit: (event) => {
    event.preventDefault();
    const [purpose, channel, given, source] = Object.values(id).map((name) => form.querySelector(`#${name}`).value);
    correct("PUT", `/v1/customers/${known.customer_id}/consents`,
      { consents: [{ purpose, channel: channel || null, given: given === "yes", source }] }, t("The consent was noted."));
  } },
  h("div", { class: "field" }, h("label", { for: id.purpose }, t("Purpose")),
    h("select", { id: id.purpose }, Object.entries(PURPOSES).map(([value, text]) => h("option", { value }, text)))),
  h("div", { class: "field" }, h("label", { for: id.channel }, t("Channel")),
    h("select", { id: id.channel }, h("option", { value: "" }, t("every channel")), CHANNELS.map((value) => h("option", { value }, channelName(value))))),
  h("div", { class: "field" }, h("label", { for: id.given }, t("The customer says")),
    h("select", { id: id.given }, h("option", { value: "no" }, t("no")), h("option", { value: "yes" }, t("yes")))),
  h("div", { class: "field" }, h("label", { for: id.source }, t("Where it was said")), h("input", { id: id.source, maxlength: 200 })),
  h("p", { class: "actions" }, h("button", { type: "submit", class: "quiet" }, t("Note it"))));
  return section(t("Consents"), true, table(t("What is allowed"), [t("Purpose"), t("Allowed on"), t("Not allowed on")], now),
    said.length ? null : h("p", { class: "hint" }, t("The customer said nothing; these are the settings.")),
    h("h3", {}, t("What the customer said")),
    history.length ? table(t("What the customer said"), [t("When"), t("Purpose"), t("Channel"), t("Said"), t("Where"), t("Noted by")], history.map((one) => [
      when(one.at), PURPOSES[one.purpose] || one.purpose, one.channel ? channelName(one.channel) : t("every channel"),
      one.given ? t("yes") : t("no"), one.source ? isolate(one.source) : "–", one.noted_by ? isolate(one.noted_by) : t("an export")]))
      : h("p", { class: "hint" }, t("Nothing is known.")),
    form);
}

function dismissals(known, correct) {
  return section(t("Not interested"), known.dismissals.length, h("ul", { class: "plainly" }, known.dismissals.map((one) => h("li", { class: "row" },
    h("span", { class: "grow" }, one.extent === "category" ? t("Everything like {title}", { title: titleOf(one) }) : titleOf(one),
      h("small", {}, one.stands ? when(one.at) : t("taken back on {when}", { when: when(one.at) }))),
    h("button", { type: "button", class: "quiet", onclick: () => correct("PUT", `/v1/customers/${known.customer_id}/dismissals`,
      { item_id: one.item_id, extent: one.extent, stands: !one.stands },
      one.stands ? t("It may be shown again.") : t("It will not be shown.")) },
    one.stands ? t("Show it again") : t("Do not show it"))))));
}

function cartAndViews({ cart, views }) {
  return section(t("Carts and visits"), cart.length || views.length,
    cart.length ? [h("h3", {}, t("In the cart")), h("ul", {}, cart.map((one) => h("li", {}, pieces(one), h("small", {}, when(one.at)))))] : null,
    views.length ? [h("h3", {}, t("Looked at")), folded("ul", views.map((one) => h("li", {},
      nameOf(one), h("small", {}, [LOOK_KINDS[one.kind], channelName(one.channel), when(one.at)].join(" · ")))), 6, (n) => tn("{n} more", "{n} more", n))] : null);
}

function links(known, correct) {
  if (known === null) {
    return section(t("Why these identifiers are one person’s"), true, h("p", { class: "hint" }, t("The history is not on this machine, so links cannot be shown here.")));
  }
  const name = (end) => `${KIND_NAMES[end.type] || end.type} ${isolate(end.masked)}`;
  return section(t("Why these identifiers are one person’s"), known.links.length, h("ul", { class: "plainly" }, known.links.map((one) => h("li", { class: "row" },
    h("span", { class: "grow" }, one.ends.map(name).join(" + "),
      h("small", {}, tn("seen once, {where}", "seen {n} times, {where}", one.seen, { where: EVIDENCE[one.evidence] || one.evidence }), " · ",
        one.undone ? t("will be apart from the next ingest on") : one.joins ? t("joined") : t("kept apart"))),
    one.joins || one.undone ? h("button", { type: "button", class: one.undone ? "quiet" : "danger", onclick: () => {
      const body = { reason: "" };
      if (one.undone) correct("PUT", `/v1/identities/links/${one.link_id}`, body, t("They join again at the next ingest."));
      else confirmUndo(one, (reason) => correct("DELETE", `/v1/identities/links/${one.link_id}`, { reason }, t("They will be apart from the next ingest on.")));
    } }, one.undone ? t("One person after all") : t("Not one person")) : null))));
}

function confirmUndo(link, undo) {
  const input = h("input", { id: unique("why"), maxlength: 200 });
  const dialog = h("dialog", { class: "card", onclose: () => dialog.remove() },
    h("h2", {}, t("Are they different people?")),
    h("p", {}, t("The next ingest splits the customer. What was shown, said and redeemed stays with the identifier that it came from.")),
    h("div", { class: "field" }, h("label", { for: input.id }, t("Reason")), input),
    h("p", { class: "actions" },
      h("button", { type: "button", class: "danger", onclick: () => { undo(input.value.trim()); dialog.close(); } }, t("Split them")),
      h("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, t("Cancel"))));
  document.body.append(dialog);
  dialog.showModal();
}

/** Draw a customer. `links` is null where the history is elsewhere. */
export function drawCustomer(target, known, links_, { correct, forget }) {
  const copy = () => navigator.clipboard?.writeText(known.customer_id).then(() => say(t("Copied.")));
  target.replaceChildren(
    h("section", { class: "card" },
      h("div", { class: "row" }, h("h2", { tabindex: -1, class: "grow" }, t("Customer {id}", { id: isolate(known.customer_id) })),
        h("button", { type: "button", class: "quiet", onclick: copy }, t("Copy the id")),
        h("button", { type: "button", class: "quiet", onclick: forget }, t("Put away"))),
      h("ul", { class: "chips" }, known.identifiers.map((one) => h("li", {}, KIND_NAMES[one.type] || one.type, " ", h("code", {}, isolate(one.masked))))),
      known.identifiers.some((one) => one.hashed) ? h("p", { class: "hint" }, t("Personal identifiers are kept as hashes only; the first digits are shown.")) : null,
      known.holdouts.some((one) => one.held_out) ? h("p", { class: "notice warn" },
        t("In a holdout: the customer is shown nothing of {names}.", { names: listed(known.holdouts.filter((one) => one.held_out).map((one) => isolate(one.holdout))) })) : null),
    h("div", { class: "sides" }, orders(known.orders), shownAnswers(known.shown)),
    h("div", { class: "sides" }, offers(known.offers), messages(known.messages)),
    consents(known.consents, correct),
    h("div", { class: "sides" }, dismissals(known, correct), cartAndViews(known)),
    links(links_, correct));
}
