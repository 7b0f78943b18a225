/* What a problem's own words look like: they are English, whatever language the page is in. */

import { h } from "./dashboard-dom.js";
import { LANG } from "./messages.js";

/** Attributes of an element that holds English words. */
export const ENGLISH = LANG === "en" ? {} : { lang: "en", dir: "ltr" };

/** A problem's detail, beneath its title. */
export const detail = (error) => h("p", error.isForeign ? { class: "hint", ...ENGLISH } : {}, error.message);
