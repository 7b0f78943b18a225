/* How products, the bundle of the day and the code of a screen are drawn. */

import { h, isolate, money, nodes } from "./dashboard-dom.js";
import { t } from "./messages.js";

const wall = document.getElementById("wall");
const toast = document.getElementById("toast");
const state = document.getElementById("state");
let toasting = 0;

function good(item, withPrice) {
  const picture = h("img", { src: item.picture, alt: "" });
  picture.addEventListener("error", () => { picture.hidden = true; });
  return h("article", { class: "good" },
    h("div", { class: "picture" }, picture),
    h("div", { class: "words" },
      h("h2", { dir: "auto" }, item.title),
      item.price && withPrice ? h("p", { class: "price" }, money(item.price)) : null,
      item.place ? h("p", { class: "place" }, isolate(item.place)) : null));
}

const top = (heading, beside) => h("header", { class: "top" }, h("h1", {}, heading), h("p", {}, beside));

function put(className, ...content) {
  wall.className = className;
  wall.replaceChildren(...content);
}

export function drawGoods(list, items, withPrice) {
  put("three", top(list.heading || t("Popular in this store"), list.card_type ? t("Scan your card to see what is for you") : isolate(list.location_name || "")),
    h("section", { class: "goods" }, items.map((item) => good(item, withPrice))));
}

export function drawBundle(list) {
  const { items, price, full_price: full, qr } = list.bundle;
  put("deal-of-the-day", top(t("Bundle of the day"), isolate(list.location_name || "")),
    h("section", { class: "bundle" },
      h("div", { class: "goods" }, items.map((item) => good(item, true))),
      h("div", { class: "deal" },
        qr ? h("img", { src: qr, alt: t("Code of its page") }) : null,
        h("div", { class: "words" },
          h("p", { class: "price" }, money(price)),
          h("p", {}, t("for all, instead of {price}", { price: money(full) })),
          qr ? h("p", {}, t("Scan it with your phone")) : h("p", {}, t("Ask for it at the till"))))));
}

/** @returns a function that tells how many seconds are left */
export function drawGuest(list, done) {
  const left = h("p", {});
  put("six", h("header", { class: "top" }, h("h1", {}, t("For you")),
    h("div", {}, left, h("button", { type: "button", class: "done", onclick: done }, t("Done")))),
  h("section", { class: "goods" }, list.items.slice(0, 6).map((item) => good(item, true))));
  return (seconds) => { left.replaceChildren(...nodes(t("This screen forgets you in {seconds} s", { seconds: String(seconds) }))); };
}

export function drawCode(code) {
  const address = `${location.host}/dashboard#screens`;
  put("", h("div", { class: "plain" }, h("h1", {}, t("Pair this screen")),
    h("p", {}, h("b", { class: "code" }, `${code.slice(0, 3)} ${code.slice(3)}`)),
    h("p", {}, t("Type the code at {address}", { address: isolate(address) })),
    h("p", {}, t("Store {id}", { id: isolate(document.body.dataset.location) }))));
}

export function drawPlain(heading, text = "") {
  put("", h("div", { class: "plain" }, h("h1", {}, heading), text ? h("p", {}, text) : null));
}

export function say(text, seconds = 5) {
  clearTimeout(toasting);
  toast.replaceChildren(...nodes(text));
  toasting = setTimeout(() => toast.replaceChildren(), seconds * 1_000);
}

export const drawState = (text) => state.replaceChildren(...nodes(text));
