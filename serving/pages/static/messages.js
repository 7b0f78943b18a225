/* Texts in the page's language. The page holds them as JSON in #messages, by their English text,
   which is also what is shown where one is missing; serving/pages/localization.py puts them there.

     t("Signed in as {who}", { who })
     tn("1 bundle", "{n} bundles", n)            // n is written as the language writes numbers
     tparts("See {link} for more.", { link })    // a list: texts, and elements in their places

   `make messages` finds texts only as plain strings in such a call, and not inside of a template
   string. */

const given = JSON.parse(document.getElementById("messages")?.textContent || "{}");
const messages = given.messages ?? {};

export const LANG = document.documentElement.lang || "en";
/** For `Intl`: the language with the numerals that the service's own texts have. */
export const LOCALE = given.numerals ? `${LANG}-u-nu-${given.numerals}` : LANG;

const numbers = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 1 });
const plurals = new Intl.PluralRules(LANG);
const HOLE = /\{(\w+)\}/;

const filled = (text, values) => text.split(HOLE)
  .map((part, ix) => (ix % 2 ? values[part] ?? `{${part}}` : part)).join("");

/** A text with its values. */
export const t = (text, values = {}) => filled(messages[text] || text, values);

/** The form of a text that a number asks for. */
export function tn(one, many, n, values = {}) {
  const forms = messages[one];
  const form = forms ? forms[given.categories.indexOf(plurals.select(n))] ?? forms.at(-1) : n === 1 ? one : many;
  return filled(form, { n: numbers.format(n), ...values });
}

/** A text with its values as a list, so that elements may be among them. */
export const tparts = (text, values) => (messages[text] || text).split(HOLE)
  .map((part, ix) => (ix % 2 ? values[part] ?? `{${part}}` : part)).filter((part) => part !== "");

/** What a problem is called, by its kind: a problem's own title is English. */
export const problemTitle = (kind, title) => given.problems?.[kind] ?? title;

/** Several texts in a row: "a, b, c", "a، b، c". */
const lists = new Intl.ListFormat(LANG, { style: "narrow", type: "unit" });
export const listed = (texts) => (LANG === "en" ? texts.join(", ") : lists.format(texts));
