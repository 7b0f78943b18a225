/* Short explanations behind a question mark, for mouse, touch and keyboard; screen readers hear
   them with the button. */

import { h, isolate, unique } from "./dashboard-dom.js";
import { t } from "./messages.js";

const EDGE = 8; // from the window's
const ROOM = 190; // below the button, or else it opens above

/** What explains `name`: `id` of the words, and `parts` to be put behind the name. */
export function help(name, text) {
  const id = unique("help");
  const words = h("span", { id, class: "help-words", popover: "auto", role: "note" }, text);
  const button = h("button", { type: "button", class: "help", popovertarget: id, "aria-label": t("What is “{name}”?", { name: isolate(name) }), "aria-describedby": id }, "?");
  const close = () => words.hidePopover();
  words.addEventListener("beforetoggle", ({ newState }) => {
    if (newState === "open") beside(button, words);
  });
  words.addEventListener("toggle", ({ newState }) => {
    if (newState === "open") window.addEventListener("scroll", close, { once: true, capture: true });
    else window.removeEventListener("scroll", close, { capture: true });
  });
  return { id, parts: [button, words] };
}

function beside(button, words) {
  const at = button.getBoundingClientRect();
  const width = Math.min(20 * parseFloat(getComputedStyle(document.documentElement).fontSize), window.innerWidth - 2 * EDGE);
  const below = at.bottom + ROOM < window.innerHeight;
  const begin = Math.min(Math.max(EDGE, at.left), window.innerWidth - width - EDGE);
  words.style.width = `${width}px`;
  words.style.left = `${begin}px`;
  words.style.top = below ? `${at.bottom + EDGE}px` : "auto";
  words.style.bottom = below ? "auto" : `${window.innerHeight - at.top + EDGE}px`;
}

/** A column's heading with its explanation; `title` may be a button that sorts. */
export function heading(name, text, props = {}, title = name) {
  const { id, parts } = help(name, text);
  if (title !== name) title.setAttribute("aria-describedby", id);
  return h("th", { scope: "col", "aria-label": name, ...props }, h("span", { class: "head" }, title, parts));
}

/** All explanations as a list, where headings are not seen. */
export function glossary(summary, entries) {
  return h("details", { class: "card fold glossary" }, h("summary", {}, summary),
    h("dl", {}, entries.map(([name, text]) => h("div", {}, h("dt", {}, name), h("dd", {}, text)))));
}

/** A figure's name with its explanation. */
export const term = (name, text) => h("dt", {}, name, " ", help(name, text).parts);
