/* What a marketer decides about a bundle: status, price, dates, places, budget. Only what was
   touched is sent; where somebody else was faster, theirs is shown and what was typed stays. */

import * as api from "./dashboard-api.js";
import { ONWARD, h, person, say, when } from "./dashboard-dom.js";
import { faultOf, otherFields } from "./dashboard-fields.js";
import { pricePart } from "./dashboard-price.js";
import { ENGLISH } from "./dashboard-problems.js";
import { differences, nameOf, valueOf } from "./dashboard-words.js";
import { t, tn } from "./messages.js";

/** What was typed when a session ended, kept in this tab until one is signed in again. */
const DRAFT = "omnibasket.draft";

/** Status → what may be done, as [words, next status, class]. */
const ACTIONS = {
  suggested: [[t("Approve"), "approved", ""], [t("Reject"), "rejected", "quiet"]],
  approved: [[t("Pause"), "paused", "quiet"], [t("Withdraw"), "withdrawn", "danger"]],
  paused: [[t("Resume"), "approved", ""], [t("Withdraw"), "withdrawn", "danger"]],
  rejected: [[t("Approve"), "approved", ""], [t("Suggest again"), "suggested", "quiet"]],
  withdrawn: [[t("Approve again"), "approved", ""], [t("Reject"), "rejected", "quiet"]],
};
const DONE = {
  approved: t("Approved."), rejected: t("Rejected."), paused: t("Paused."), withdrawn: t("Withdrawn."), suggested: t("Suggested again."),
};

/** Form of a bundle. `saved(bundle)` gets its new state; `isDirty()` tells of what is not saved. */
export function termsPart(given, saved) {
  let bundle = given;
  let busy = false;
  const price = pricePart(bundle, mark);
  const fields = [price.field, ...otherFields(bundle, mark)].filter(Boolean);
  const trouble = h("div", { class: "alert", role: "alert", hidden: true });
  const actions = h("div", { class: "actions" });
  const assumed = h("p", { class: "hint assumed", hidden: true });
  const same = (a, b) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
  const dirty = () => fields.filter((field) => !same(field.read(), bundle.terms[field.name]));
  const form = h("form", { class: "terms", novalidate: true, "aria-label": t("Decision"), onsubmit: (event) => {
    event.preventDefault();
    save();
  } },
  h("section", { class: "card" }, h("h2", {}, t("Price")), price.element, price.field ? h("small", { class: "fault", id: faultOf(price.field.name) }) : null),
  h("section", { class: "card" }, h("h2", {}, t("Where, when and how much")),
    fields.filter((field) => field.element).map((field) => field.element)),
  h("section", { class: "card decide" }, h("h2", {}, t("Decision")), trouble, assumed, actions));

  function mark() {
    const touched = dirty().length > 0;
    const button = actions.querySelector("[type=submit]");
    if (button) button.disabled = !touched || busy;
    actions.querySelector(".unsaved").hidden = !touched;
  }

  function draw() {
    actions.replaceChildren(
      ...(ACTIONS[bundle.status] || []).map(([text, status, kind]) =>
        h("button", { type: "button", class: kind, onclick: () => decide(status) }, text)),
      h("button", { type: "submit", class: "quiet" }, t("Save changes")),
      h("span", { class: "unsaved hint", hidden: true }, t("There are changes that are not saved.")));
    const given = bundle.pricing?.assumed ?? [];
    assumed.hidden = !given.length;
    assumed.replaceChildren(h("strong", {}, t("Assumed, not measured:")), ` ${given.join("; ")}.`);
    mark();
  }

  function reset() {
    for (const field of fields) field.write(bundle.terms[field.name] ?? null);
  }

  function faults(errors) {
    let first = null;
    for (const field of fields) {
      const told = errors.filter((error) => error.pointer.split("/")[1] === field.name).map((error) => error.detail).join(" ");
      form.querySelector(`#${faultOf(field.name)}`).textContent = told;
      if (told) field.input.setAttribute("aria-invalid", "true");
      else field.input.removeAttribute("aria-invalid");
      if (told && !first) first = field.input;
    }
    return first;
  }

  async function decide(status) {
    if (status === "withdrawn" && !(await sure(bundle))) return;
    const change = { status };
    // What is approved is approved at the price that is seen.
    if (status === "approved" && !bundle.terms.price && price.field) change.price = price.field.shown();
    save(change);
  }

  async function save(change = {}) {
    if (busy) return;
    const sent = { ...Object.fromEntries(dirty().map((field) => [field.name, field.read()])), ...change };
    busy = true;
    form.setAttribute("aria-busy", "true");
    tell(null);
    try {
      let newer = await api.change(bundle.bundle_id, bundle.revision, sent);
      if (!newer.evidence) newer = await api.bundle(bundle.bundle_id);
      bundle = newer;
      reset();
      draw();
      say(change.status ? DONE[change.status] : t("Saved."));
      saved(bundle);
    } catch (error) {
      await failed(error, sent);
    } finally {
      busy = false;
      form.removeAttribute("aria-busy");
      mark();
    }
  }

  async function failed(error, sent) {
    if (api.isSignedOut(error)) {
      sessionStorage.setItem(DRAFT, JSON.stringify({ bundle_id: bundle.bundle_id, sent }));
      return location.reload();
    }
    if (error.kind === "bundle-stale") return overtaken();
    const wrong = error.errors || [];
    const title = error.kind === "invalid-request" ? t("What was entered is not valid") : error.title;
    tell(h("p", {}, h("strong", {}, `${title}.`), wrong.length || error.message === error.title ? "" : [" ", h("span", ENGLISH, error.message)]),
      // By the names that the fields have here, and not by those of the call.
      wrong.length ? h("ul", {}, wrong.map(({ pointer, detail }) => h("li", {}, `${nameOf(pointer.split("/")[1])}: `, h("span", ENGLISH, detail)))) : null);
    faults(wrong)?.focus();
  }

  /** Somebody else changed it: show theirs, keep what was typed here. */
  async function overtaken() {
    let newer;
    try {
      newer = await api.bundle(bundle.bundle_id);
    } catch (error) {
      return failed(error, {});
    }
    const kept = new Map(dirty().map((field) => [field.name, field.read()]));
    const before = { ...bundle.terms, status: bundle.status };
    const changes = differences(before, { ...newer.terms, status: newer.status });
    bundle = newer;
    for (const field of fields) if (!kept.has(field.name)) field.write(bundle.terms[field.name] ?? null);
    draw();
    tell(
      h("p", {}, h("strong", {}, t("Somebody else was faster.")), " ", t("{who} changed this bundle on {time}; nothing of yours was saved yet.", { who: person(newer.changed_by), time: when(newer.changed_at) })),
      h("ul", {}, changes.map(([name, was, is]) => h("li", {}, `${nameOf(name)}: ${was} ${ONWARD} ${is}`,
        kept.has(name) ? [" ", t("(you typed {value})", { value: valueOf(name, kept.get(name)) })] : ""))),
      h("p", {}, kept.size ? t("What you typed is still here. Decide again to save it.") : t("Look at it, and decide again.")));
    trouble.focus?.();
    saved(bundle);
  }

  function tell(...parts) {
    const said = parts.filter(Boolean);
    trouble.hidden = !said.length;
    say(""); // what was done before is not what happened now
    trouble.replaceChildren(...said);
    if (!said.length) faults([]);
  }

  reset();
  draw();
  restore();

  /** Put back what was typed before a session ended. */
  function restore() {
    const draft = JSON.parse(sessionStorage.getItem(DRAFT) || "null");
    if (draft?.bundle_id !== bundle.bundle_id) return;
    sessionStorage.removeItem(DRAFT);
    for (const field of fields) if (field.name in draft.sent) field.put(draft.sent[field.name]);
    mark();
    say(t("What you typed before your session ended is here again. It is not saved yet."));
  }

  return {
    element: form,
    isBusy: () => busy,
    isDirty: () => dirty().length > 0,
    revision: () => bundle.revision,
    reach: () => {
      form.scrollIntoView();
      form.querySelector("input")?.focus({ preventScroll: true });
    },
    /** Take over a state that came in while nothing was being typed. */
    renew: (newer) => {
      bundle = newer;
      reset();
      draw();
    },
  };
}

/** Ask before what was promised becomes void. */
function sure(bundle) {
  const standing = bundle.offers.standing;
  return new Promise((decided) => {
    const asked = h("dialog", { "aria-labelledby": "sure-title", class: "card" },
      h("h2", { id: "sure-title" }, t("Withdraw this bundle?")),
      h("p", {}, standing === 0 ? t("No customer holds an offer of it now.") : tn("{n} offer that a customer holds becomes void at once, in every channel.",
        "{n} offers that customers hold become void at once, in every channel.", standing),
      standing ? [" ", t("To keep what was promised, pause it instead.")] : ""),
      h("form", { method: "dialog", class: "actions" },
        h("button", { value: "yes", class: "danger" }, t("Withdraw")),
        h("button", { value: "no", class: "quiet", autofocus: true }, t("Keep it"))));
    asked.addEventListener("close", () => {
      asked.remove();
      decided(asked.returnValue === "yes");
    });
    document.body.append(asked);
    asked.showModal();
  });
}
