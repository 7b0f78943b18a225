/* What is known of the customer who is served, and of the product in the hand. */

import { channelName, count, h, isolate, money, titleOf, unique, when } from "./dashboard-dom.js";
import { t, tn } from "./messages.js";

/** Products of a part that are seen at once. */
const SEEN = 6;

function section(title, ...content) {
  const id = unique("part");
  return h("section", { class: "card", "aria-labelledby": id }, h("h2", { id }, title), content);
}

/** Products to show, each with what may be done. */
function goods(items, actions) {
  return h("ul", { class: "goods" }, items.map((item) => h("li", { "data-item": item.item_id, class: item.image_url ? "pictured" : null },
    item.image_url ? h("img", { src: item.image_url, alt: "" }) : null,
    h("div", { class: "words" }, h("b", {}, titleOf(item)),
      h("small", {}, [item.price ? money(item.price) : null, stockWord(item.availability)].filter(Boolean).join(" · ")),
      item.reason ? h("small", {}, isolate(item.reason.text)) : null),
    h("div", { class: "actions" }, actions(item)))));
}

function stockWord(availability) {
  const there = availability?.sellable ?? availability?.on_hand;
  if (there === undefined || there === null) return null;
  return there > 0 ? t("{n} here", { n: count(there) }) : t("sold out here");
}

const button = (text, onclick, kind = "quiet") => h("button", { type: "button", class: kind, onclick }, text);

function purchases({ count: n, by_channel: channels, recent }) {
  return section(t("Last purchases"),
    channels.length
      ? h("p", {}, channels.map((one) => tn("{channel}: {n} order", "{channel}: {n} orders", one.orders, { channel: channelName(one.channel) })).join(" · "))
      : h("p", { class: "hint" }, t("Nothing is known.")),
    n ? h("ul", { class: "plainly" }, recent.map((one) => h("li", {},
      h("b", {}, one.at ? when(one.at) : t("A return")), " · ", [one.channel ? channelName(one.channel) : null, one.location_id ? isolate(one.location_name || one.location_id) : null].filter(Boolean).join(" · "),
      h("small", {}, one.items.map((item) => (item.item_id ? titleOf(item) : t("a product that is gone"))).join(" · ")),
      one.returns.length ? h("small", { class: "fault" }, tn("{n} product returned", "{n} products returned", one.returns.length)) : null))) : null);
}

function offers(list, show) {
  return section(t("Offers that stand"), list.length ? h("ul", { class: "plainly" }, list.map((one) => h("li", { class: "row" },
    h("span", { class: "grow" }, one.items.map(titleOf).join(" + "), h("small", {}, t("{price} until {when}", { price: money(one.price), when: when(one.expires_at) }))),
    button(t("Show the code"), () => show(one), "")))) : h("p", { class: "hint" }, t("None stands.")));
}

/** Draw the customer; `act` does what the buttons say. */
export function drawCustomer(target, served, list, offered, act) {
  const again = list.items.filter((item) => item.reason?.code === "repeat").slice(0, SEEN);
  const fresh = list.items.filter((item) => item.reason?.code !== "repeat").slice(0, SEEN);
  const actions = (item) => [
    button(t("Add to the order"), () => act.add(item)),
    button(t("Not interested"), () => act.dismiss(item)),
  ];
  target.replaceChildren(
    h("section", { class: "card row" },
      h("h2", { tabindex: -1, class: "grow" }, t("The customer"),
        h("small", {}, served.messages ? t("Messages by e-mail: yes") : t("Messages by e-mail: no"))),
      button(t("Order for pick-up"), act.handOver, ""), button(t("Finish"), act.finish)),
    ...(served.personal ? [] : [h("p", { class: "notice warn" }, t("This customer wants no personal recommendations: what follows is the same for everybody."))]),
    ...(offered.length ? [offers(offered, act.show)] : []),
    ...(again.length ? [section(t("Due now, or bought often"), goods(again, actions))] : []),
    section(t("New for them"), fresh.length ? goods(fresh, actions) : h("p", { class: "hint" }, t("Nothing to recommend."))),
    ...(offered.length ? [] : [offers(offered, act.show)]),
    ...(served.cart.length || served.views.length ? [section(t("Carts and visits"),
      served.cart.length ? [h("h3", {}, t("In the cart")), h("ul", { class: "plainly" }, served.cart.map((one) => h("li", {}, titleOf(one), h("small", {}, when(one.at)))))] : null,
      served.views.length ? [h("h3", {}, t("Looked at")), h("ul", { class: "plainly" }, served.views.slice(0, 5).map((one) => h("li", {},
        one.item_id ? titleOf(one) : t("a product that is gone"), h("small", {}, [channelName(one.channel), when(one.at)].join(" · ")))))] : null)] : []),
    purchases(served.orders));
}

/** Draw the product in the hand, and what goes with it. */
export function drawHand(target, item, goesWith, act, isServing) {
  const known = item.availability || {};
  const there = known.sellable ?? known.on_hand;
  const lines = [
    !item.sold ? t("No longer sold") : there === undefined || there === null ? t("Stock unknown at the moment")
      : there > 0 ? t("In stock here: {n}", { n: count(there) }) : t("Sold out here"),
  ];
  target.replaceChildren(h("section", { class: "card" },
    h("div", { class: "row" }, h("h2", { tabindex: -1, class: "grow" }, t("In the hand")), button(t("Put back"), act.putBack)),
    h("div", { class: "hand-item" }, h("img", { src: item.picture, alt: "" }),
      h("div", {}, h("b", {}, titleOf(item)), h("small", {}, item.labels.map(isolate).join(" · ")),
        item.price ? h("p", { class: "stock" }, money(item.price)) : null,
        h("p", { class: "stock" }, lines[0]),
        item.nearby.length ? h("p", {}, t("Next stores:"), h("small", {}, item.nearby.map((one) => t("{store}: {n}, {km} km", { store: isolate(one.name || one.location_id), n: count(one.on_hand), km: count(one.distance_km) })).join(" · "))) : null,
        known.delivery_days === undefined ? null : h("p", {}, tn("Delivered within {n} day", "Delivered within {n} days", known.delivery_days)),
        isServing ? h("p", {}, button(t("Add to the order"), () => act.add(item), "")) : null))),
  section(t("Goes with it"), goesWith.length
    ? goods(goesWith, (other) => (isServing ? [button(t("Add to the order"), () => act.add(other))] : []))
    : h("p", { class: "hint" }, t("Nothing is known."))));
}

/** A large code for the customer's phone. */
export function showCode(picture, heading, code, words) {
  const dialog = h("dialog", { class: "card large", onclose: () => dialog.remove() },
    h("h2", {}, heading), h("img", { src: picture, alt: t("QR code") }),
    code ? h("p", { class: "code" }, h("bdi", { dir: "ltr" }, code)) : null, words ? h("p", {}, words) : null,
    h("p", {}, h("button", { type: "button", onclick: () => dialog.close() }, t("Close"))));
  document.body.append(dialog);
  dialog.showModal();
}
