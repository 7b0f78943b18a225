/* Screens in stores: which there are, when each was last seen, and pairing one by its code. */

import { send } from "./dashboard-api.js";
import { h, isolate, say, unique, when } from "./dashboard-dom.js";
import { listed, t, tn } from "./messages.js";

/** Seen within so many seconds, a screen is well: it asks every two minutes. */
const WELL = 5 * 60;
const types = JSON.parse(document.body.dataset.choices).identifiers;

function state(one) {
  if (!one.seen_at) return [h("b", { class: "fault" }, t("never seen")), null];
  const seconds = (Date.now() - Date.parse(one.seen_at)) / 1_000;
  return [seconds < WELL ? t("running") : h("b", { class: "fault" }, t("silent")), h("small", {}, t("last seen {when}", { when: when(one.seen_at) }))];
}

function row(one, draw) {
  return h("tr", {},
    h("th", { scope: "row" }, isolate(one.name), h("small", {}, one.card_type ? t("Kiosk: customers scan {type}", { type: isolate(one.card_type) }) : null)),
    h("td", {}, h("a", { href: `/screens/${encodeURIComponent(one.location_id)}` }, isolate(one.location_id))),
    h("td", {}, state(one)),
    h("td", { class: "shows" }, one.shows.length ? listed(one.shows.slice(0, 3).map(isolate)) : "–",
      one.shows.length > 3 ? h("small", {}, tn("and {n} more", "and {n} more", one.shows.length - 3)) : null),
    h("td", {}, h("small", {}, t("{when} by {name}", { when: when(one.paired_at), name: isolate(one.paired_by) }))),
    h("td", {}, h("button", { type: "button", class: "danger", onclick: () => confirmRevoke(one, draw) }, t("Revoke"))));
}

function confirmRevoke(one, draw) {
  const dialog = h("dialog", { class: "card", onclose: () => dialog.remove() },
    h("h2", {}, t("Revoke the key of {name}?", { name: isolate(one.name) })),
    h("p", {}, t("The screen then shows a code, to be paired anew.")),
    h("p", { class: "actions" },
      h("button", { type: "button", class: "danger", onclick: async () => {
        dialog.close();
        await tried(() => send(`/v1/screens/${one.screen_id}`, "DELETE"));
        await draw();
        say(t("The key was revoked."));
      } }, t("Revoke")),
      h("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, t("Cancel"))));
  document.body.append(dialog);
  dialog.showModal();
}

async function tried(what) {
  const alert = document.getElementById("screens-trouble");
  alert.hidden = true;
  try {
    return await what();
  } catch (error) {
    alert.hidden = false;
    alert.replaceChildren(error.isForeign ? `${error.title}. ` : "", h("span", error.isForeign ? { lang: "en", dir: "ltr" } : {}, error.message));
    return null;
  }
}

function pairing(draw) {
  const id = { code: unique("code"), name: unique("name"), card: unique("card") };
  const form = h("form", { class: "card", autocomplete: "off", onsubmit: async (event) => {
    event.preventDefault();
    const value = (name) => form.querySelector(`#${name}`).value.trim();
    const made = await tried(() => send("/v1/screens", "POST", { code: value(id.code), name: value(id.name), card_type: value(id.card) || null }));
    if (!made) return;
    form.reset();
    say(t("Paired. The screen in store {id} shows its list within seconds.", { id: isolate(made.location_id) }));
    setTimeout(draw, 4_000);
  } },
  h("h2", {}, t("Pair a screen")),
  h("p", { class: "hint" }, t("Open /screens/ and the id of the store on the screen. It shows a code: type it here.")),
  h("div", { class: "pair" },
    h("div", { class: "field" }, h("label", { for: id.code }, t("Code on the screen")), h("input", { id: id.code, maxlength: 12, minlength: 6, required: true, spellcheck: false, autocapitalize: "characters" })),
    h("div", { class: "field" }, h("label", { for: id.name }, t("Name of the screen")), h("input", { id: id.name, maxlength: 100, required: true, placeholder: t("Such as “Entrance”") })),
    h("div", { class: "field" }, h("label", { for: id.card }, t("What customers scan there")),
      h("select", { id: id.card }, h("option", { value: "" }, t("Nothing: the same for everybody")), types.map((type) => h("option", { value: type }, type))))),
  h("p", { class: "actions" }, h("button", { type: "submit" }, t("Pair"))));
  return form;
}

/** Show the screens. */
export async function showScreens(target) {
  const list = h("div", {});
  const draw = async () => {
    const found = await tried(() => send("/v1/screens"));
    if (!found) return;
    list.replaceChildren(found.screens.length
      ? h("div", { class: "card wide" }, h("table", { class: "screens" }, h("caption", { class: "hidden" }, t("Screens")),
        h("thead", {}, h("tr", {}, [t("Screen"), t("Store"), t("State"), t("Shows"), t("Paired"), ""].map((name) => h(name ? "th" : "td", name ? { scope: "col" } : {}, name)))),
        h("tbody", {}, found.screens.map((one) => row(one, draw)))))
      : h("p", { class: "card" }, t("No screen is paired.")));
  };
  target.replaceChildren(
    h("div", { class: "title" }, h("h1", { id: "screens-title", tabindex: -1 }, t("Screens")),
      h("button", { type: "button", class: "quiet", onclick: draw }, t("Look again"))),
    h("p", { class: "alert", role: "alert", id: "screens-trouble", hidden: true }), list, pairing(draw));
  await draw();
}
