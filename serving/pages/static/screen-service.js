/* What a screen asks and reports, and what it keeps for when the network is away. */

import { LANG } from "./messages.js";

const here = document.body.dataset.location;
/** Without keys everybody on this machine may ask. */
export const IS_OPEN = document.body.hasAttribute("data-open");
const STORE = `omnibasket.screen.${here}`;
const PATIENCE = 8_000;
/** Reports that are kept while nobody takes them. */
const MOST_REPORTS = 500;

const kept = (name) => {
  try {
    return JSON.parse(localStorage.getItem(`${STORE}.${name}`));
  } catch {
    return null;
  }
};
const keep = (name, value) => {
  try {
    if (value === null) localStorage.removeItem(`${STORE}.${name}`);
    else localStorage.setItem(`${STORE}.${name}`, JSON.stringify(value));
  } catch {
    // Full, or not allowed: it goes on with what is in memory.
  }
};

let key = kept("key");
let reports = kept("reports") || [];
export const hasKey = () => IS_OPEN || key !== null;

/** Ask; @returns {found} or {problem: kind, status} or {lost: true} */
async function ask(path, method = "GET", body = null) {
  try {
    const answer = await fetch(path, {
      method,
      cache: "no-store",
      credentials: "omit",
      headers: {
        Accept: "application/json",
        ...(body ? { "Content-Type": "application/json" } : {}),
        ...(key && !path.startsWith("/screens/") ? { Authorization: `Bearer ${key}` } : {}),
      },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE),
    });
    if (answer.ok || answer.status === 207) return { found: await answer.json() };
    if (answer.status >= 500 || answer.status === 429) return { lost: true, status: answer.status };
    const told = await answer.json();
    return { problem: (told.type || "").replace(/^.*#/, ""), status: answer.status };
  } catch {
    return { lost: true, status: 0 };
  }
}

const path = (rest) => `/v1/screens/${encodeURIComponent(here)}/${rest}`;

export const lastPlaylist = () => kept("playlist");
export const forgetKey = () => {
  key = null;
  keep("key", null);
  keep("playlist", null);
};

/** Fetch what is to be shown; `at` is when, by this machine's clock. */
export async function playlist() {
  const answer = await ask(`${path("playlist")}?lang=${LANG}`);
  if (answer.found) {
    answer.found.at = Date.now();
    keep("playlist", answer.found);
  }
  return answer;
}

export const guest = (card) => ask(path("guests"), "POST", { card, lang: LANG });

export const beginPairing = () => ask("/screens/pairings", "POST", { location_id: here });
export async function fetchKey(secret) {
  const answer = await ask("/screens/pairings/key", "POST", { secret });
  if (answer.found) {
    key = answer.found.key;
    keep("key", key);
  }
  return answer;
}

const unique = () => `screen-${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}${Math.random().toString(36).slice(2)}`;

/** Report which products of an answer were on the wall. */
export function report(answer, itemIds) {
  if (!itemIds.length) return;
  reports.push({
    event_id: unique(), event: "view_item_list", occurred_at: new Date().toISOString(), channel: "store_screen",
    location_id: here, recommendation_id: answer.recommendation_id, placement: answer.placement,
    items: itemIds.map((id) => ({ item_id: id })),
  });
  reports = reports.slice(-MOST_REPORTS);
  keep("reports", reports);
  sendReports();
}

let sending = false;
export async function sendReports() {
  if (sending || !reports.length || !hasKey()) return;
  sending = true;
  const part = reports.slice(0, 100);
  const answer = await ask("/v1/events", "POST", { events: part });
  sending = false;
  // Kept, also by a key that is not known yet: sent twice, an event counts once.
  if (answer.lost || answer.status === 401 || answer.status === 403) return;
  const sent = new Set(part.map((one) => one.event_id));
  reports = reports.filter((one) => !sent.has(one.event_id));
  keep("reports", reports);
  if (answer.found && reports.length) await sendReports();
}
