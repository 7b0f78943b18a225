/* The fields of a bundle's terms but the price. Each is {name, element, input, read, write, put}:
   `write` shows what is stored, `put` what somebody typed before. */

import { channelName, h, isolate, unique, when } from "./dashboard-dom.js";
import { moneyInput } from "./dashboard-price.js";
import { t } from "./messages.js";

const { channels, offering, currency: usual } = JSON.parse(document.body.dataset.choices);
const shiftSeconds = Number(document.body.dataset.shiftSeconds);

/** Where a field tells what is wrong with it. */
export const faultOf = (name) => `fault-${name}`;

/** All of them; `mark()` is told of whatever is typed. */
export function otherFields(bundle, mark) {
  const currency = bundle.pricing?.full_price.currency ?? bundle.items.find((item) => item.price)?.price.currency ?? usual;
  const clock = shiftSeconds ? " " + t("The workspace’s clock reads {time}.", { time: when(Date.now() + shiftSeconds * 1000) }) : "";
  const budget = moneyInput(currency, {});
  return [
    pair(dateField("starts_at", t("Offered from"), t("Empty: at once.") + clock), dateField("ends_at", t("Offered until"), t("Empty: until you end it."))),
    checks("channels", t("Channels"), channels, t("None ticked: everywhere. Where no placement shows offers that can be used, none can be ticked.")),
    list("locations", t("Locations"), bundle.evidence?.locations ?? [], t("None named: everywhere.")),
    pair(
      simple("budget", t("Budget for discounts ({currency})", { currency }), budget.input, budget.read, budget.write, t("Empty: without limit.")),
      number("per_customer", t("Offers a customer may get"), { min: 1, step: 1 })),
    pair(number("offer_hours", t("Hours an offer stands"), { min: 0, step: "any" }, t("168 are a week.")), check("gives_back", t("Stands again when its order is returned"))),
    text("note", t("Note"), t("For you and your colleagues.")),
  ].flat();

  function field(name, input, element, read, write, put = write) {
    input.setAttribute("aria-describedby", [...element.querySelectorAll(".hint, .fault")].map((one) => one.id).join(" "));
    element.addEventListener("input", mark);
    return { name, input, element, read, write, put };
  }
  function around(name, label, inputs, hint) {
    return h("div", { class: "field" }, label, inputs,
      hint ? h("small", { class: "hint", id: unique("hint") }, hint) : null, h("small", { class: "fault", id: faultOf(name) }));
  }
  function simple(name, label, input, read, write, hint, put) {
    const id = unique(name);
    input.id = id;
    input.name = name;
    return field(name, input, around(name, h("label", { for: id }, label), input, hint), read, write, put);
  }
  function number(name, label, props, hint) {
    const input = h("input", { type: "number", inputmode: "decimal", ...props });
    return simple(name, label, input, () => (input.value === "" ? null : Number(input.value)), (value) => {
      input.value = value ?? "";
    }, hint);
  }
  function dateField(name, label, hint) {
    const input = h("input", { type: "datetime-local" });
    let stored = null;
    return simple(name, label, input, () => {
      if (input.value === local(stored)) return stored; // to the second, as it came
      return input.value ? new Date(input.value).toISOString() : null;
    }, (value) => {
      stored = value;
      input.value = local(value);
    }, hint, (value) => {
      input.value = local(value);
    });
  }
  function text(name, label, hint) {
    const input = h("textarea", { rows: 2, maxlength: 1000 });
    return simple(name, label, input, () => input.value, (value) => {
      input.value = value ?? "";
    }, hint);
  }
  function check(name, label) {
    const input = h("input", { type: "checkbox", name });
    const element = h("div", { class: "field" }, h("label", { class: "check" }, input, label), h("small", { class: "fault", id: faultOf(name) }));
    return field(name, input, element, () => input.checked, (value) => {
      input.checked = Boolean(value);
    });
  }
  function checks(name, label, options, hint) {
    const boxes = options.map((value) => h("input", { type: "checkbox", name, value }));
    const element = h("fieldset", { class: "field" }, h("legend", {}, label),
      h("div", { class: "checks" }, boxes.map((box) => h("label", { class: "check" }, box, channelName(box.value)))),
      h("small", { class: "hint", id: unique("hint") }, hint), h("small", { class: "fault", id: faultOf(name) }));
    let stored = [];
    const tick = (values) => {
      for (const box of boxes) {
        box.checked = (values || []).includes(box.value);
        box.disabled = !box.checked && !offering.includes(box.value); // what was ticked may be cleared
      }
    };
    return field(name, boxes[0], element, () => {
      const ticked = boxes.filter((box) => box.checked).map((box) => box.value);
      const same = ticked.length === stored.length && ticked.every((value) => stored.includes(value));
      return same ? stored : ticked; // in whatever order they were stored
    }, (values) => {
      stored = values || [];
      tick(stored);
    }, tick);
  }
  /** Names that are added one by one; those where it sold most are suggested. */
  function list(name, label, known, hint) {
    const id = unique(name);
    const names = new Map(known.map((place) => [place.location_id, place.name]));
    const input = h("input", { id, list: `${id}-known`, maxlength: 200, autocomplete: "off" });
    const chips = h("ul", { class: "chips" });
    let values = [];
    const draw = () => chips.replaceChildren(...values.map((value) => {
      const shown = isolate(names.get(value) || value);
      return h("li", {}, shown, h("button", { type: "button", class: "plain", "aria-label": t("Remove {name}", { name: shown }), onclick: () => {
        values = values.filter((other) => other !== value);
        draw();
        input.focus();
        mark();
      } }, "×"));
    }));
    const add = () => {
      const value = input.value.trim();
      if (!value) return;
      if (!values.includes(value)) values = [...values, value];
      input.value = "";
      draw();
      mark();
    };
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault(); // adds a name, and does not save
      add();
    });
    input.addEventListener("change", add);
    const element = around(name, h("label", { for: id }, label), [
      h("div", { class: "adder" }, input, h("button", { type: "button", class: "quiet", onclick: add }, t("Add"))),
      h("datalist", { id: `${id}-known` }, known.map((place) => h("option", { value: place.location_id }, place.name || place.location_id))),
      chips,
    ], hint);
    return field(name, input, element, () => values, (given) => {
      values = [...(given || [])];
      draw();
    });
  }
}

/** Put two fields side by side where there is room. */
function pair(...fields) {
  const row = h("div", { class: "pair" }, fields.map((field) => field.element));
  return fields.map((field, ix) => ({ ...field, element: ix ? null : row }));
}

/** A time as `datetime-local` has it, in the browser's time zone. */
function local(text) {
  if (!text) return "";
  const at = new Date(text);
  return new Date(at - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
