/* A screen on the wall of a store: pairs itself, rotates what it was given, and goes on with the
   last lists while the network is away. It never shows anybody's history; at a kiosk, whoever scans
   a card sees what is for them, and the screen forgets them by itself. */

import { LOCALE, t } from "./messages.js";
import * as service from "./screen-service.js";
import * as view from "./screen-view.js";

const SLIDE = 10_000;
const IN_A_SLIDE = 3;
/** The bundle of the day comes after so many slides. */
const SLIDES_TO_BUNDLE = 3;
/** Prices that were not confirmed for so long are not shown: they may have changed. */
const PRICES_HOLD = 12 * 3_600_000;
const RETRY = 15_000;
const POLL = 3_000;
/** A new key is known to every process of the service within a second; so often it may be refused. */
const REFUSALS = 3;
const DAY = 24 * 3_600_000;
const KEPT = "omnibasket-screen";

const begun = Date.now();
let list = service.lastPlaylist();
let slide = 0;
let seen = new Set();
let guest = null;
let scans = 0; // an answer to an earlier scan than the latest shows nobody
let drawnAt = Date.now();
let lost = false;
let refused = 0;
let playing = 0;

// ---- what is on the wall

const isFresh = () => list && Date.now() - list.at < PRICES_HOLD;
const hasBundle = () => isFresh() && list.bundle && !(list.bundle.until && Date.now() - list.at > Date.parse(list.bundle.until) - Date.parse(list.made_at));

function draw() {
  drawnAt = Date.now();
  if (guest) return;
  if (!list?.items.length) {
    view.drawPlain(t("Welcome"));
    return;
  }
  document.body.dataset.playing = "";
  const slides = Math.max(1, Math.ceil(list.items.length / IN_A_SLIDE));
  const round = slides + (hasBundle() ? Math.floor(slides / SLIDES_TO_BUNDLE) || 1 : 0);
  const at = slide % round;
  const bundleEvery = Math.min(SLIDES_TO_BUNDLE, slides) + 1;
  if (hasBundle() && at % bundleEvery === bundleEvery - 1) {
    view.drawBundle(list);
    for (const item of list.bundle.items) seen.add(item.item_id);
  } else {
    const nth = hasBundle() ? at - Math.floor(at / bundleEvery) : at;
    const items = list.items.slice((nth % slides) * IN_A_SLIDE, (nth % slides) * IN_A_SLIDE + IN_A_SLIDE);
    view.drawGoods(list, items, isFresh());
    for (const item of items) seen.add(item.item_id);
  }
}

function next() {
  slide += 1;
  draw();
}

function showState() {
  const since = list && new Intl.DateTimeFormat(LOCALE, { timeStyle: "short", dateStyle: Date.now() - list.at > DAY ? "short" : undefined }).format(list.at);
  view.drawState(lost && since ? t("As of {time}", { time: since }) : "");
}

// ---- what is to be shown

let refreshing = false;
async function refresh() {
  clearTimeout(playing);
  if (refreshing) return;
  refreshing = true;
  try {
    await renew();
  } finally {
    refreshing = false;
  }
}

async function renew() {
  const answer = await service.playlist();
  if (answer.found) {
    const before = list;
    if (before && seen.size) service.report(before, [...seen]);
    seen = new Set();
    const isFirst = !before?.items.length || !document.body.hasAttribute("data-playing");
    list = answer.found;
    lost = false;
    refused = 0;
    if (isFirst) draw();
    keepShell();
    restartAtNight();
  } else if (answer.status === 401 || answer.problem === "location-forbidden") {
    refused += 1;
    if (refused < REFUSALS) {
      playing = setTimeout(refresh, POLL);
      return;
    }
    refused = 0;
    service.forgetKey(); // it was revoked
    list = null;
    stop();
    pair();
    return;
  } else if (answer.problem === "location-unknown") {
    list = null;
    stop();
    view.drawPlain(t("This store is not known"));
  } else {
    lost = true;
    if (!list) draw();
  }
  service.sendReports();
  showState();
  playing = setTimeout(refresh, answer.found ? list.refresh_seconds * 1_000 : RETRY);
}

let rotating = 0;
function play() {
  draw();
  rotating = setInterval(next, SLIDE);
  refresh();
}

function stop() {
  scans += 1;
  clearInterval(guest);
  guest = null;
  clearInterval(rotating);
  clearTimeout(playing);
  delete document.body.dataset.playing;
}

// ---- pairing

async function pair() {
  const begin = await service.beginPairing();
  if (begin.problem === "keys-needed") {
    location.reload(); // everybody may ask now
    return;
  }
  if (!begin.found) {
    view.drawPlain(begin.problem === "location-unknown" ? t("This store is not known") : t("One moment"), begin.lost ? t("The service cannot be reached.") : "");
    setTimeout(pair, RETRY);
    return;
  }
  view.drawCode(begin.found.code);
  const poll = async () => {
    const answer = await service.fetchKey(begin.found.secret);
    if (answer.found) {
      view.drawPlain(t("Paired"));
      play();
    } else if (answer.problem === "code-unknown") pair();
    else setTimeout(poll, POLL);
  };
  setTimeout(poll, POLL);
}

// ---- a customer at a kiosk

function forget() {
  scans += 1;
  if (!guest) return;
  clearInterval(guest);
  guest = null;
  next();
}

async function scanned(card) {
  if (!list?.card_type) return;
  scans += 1;
  const mine = scans;
  const { found, problem } = await service.guest(card);
  if (mine !== scans) return;
  if (!found) {
    view.say(problem === "not-a-kiosk" ? t("Nobody scans cards at this screen.") : t("That is not possible at the moment."));
    return;
  }
  if (!found.known || !found.items.length) {
    view.say(t("Nothing is known for this card."));
    return;
  }
  if (guest) clearInterval(guest);
  const until = performance.now() + found.ends_after_seconds * 1_000;
  const tell = view.drawGuest(found, forget);
  document.querySelector("button.done").focus();
  service.report(found, found.items.slice(0, 6).map((item) => item.item_id));
  const tick = () => {
    const left = Math.ceil((until - performance.now()) / 1_000);
    drawnAt = Date.now();
    if (left <= 0) forget();
    else tell(left);
  };
  guest = setInterval(tick, 500);
  tick();
}

/* A scanner types fast and ends with Enter; the page shows none of it. */
let typed = "";
let typedAt = 0;
addEventListener("keydown", (event) => {
  if (event.key === "Escape") forget();
  if (!list?.card_type || event.ctrlKey || event.metaKey || event.altKey) return;
  if (Date.now() - typedAt > 2_000) typed = "";
  typedAt = Date.now();
  if (event.key === "Enter") {
    const card = typed;
    typed = "";
    if (card.length < 3) return; // the button's own Enter
    event.preventDefault();
    scanned(card);
  } else if (event.key.length === 1) typed += event.key;
});

// ---- going on by itself

async function keepShell() {
  if (!("caches" in self)) return; // plain HTTP: only what is in memory goes on
  const loaded = performance.getEntriesByType("resource").map((one) => one.name)
    .filter((name) => new URL(name).pathname.startsWith("/static/"));
  try {
    const kept = await caches.open(KEPT);
    const missing = [];
    for (const url of new Set([location.href, ...loaded])) if (!await kept.match(url, { ignoreVary: true })) missing.push(url);
    await kept.addAll(missing);
  } catch {
    // The next list tries again.
  }
}

/** A new release comes at night, when the page can be loaded for sure. */
function restartAtNight() {
  const hour = new Date().getHours();
  if (Date.now() - begun > DAY / 2 && hour >= 3 && hour < 5 && !guest) location.reload();
}

setInterval(() => {
  if (service.hasKey() && Date.now() - drawnAt > 6 * SLIDE) location.reload(); // it hangs
}, SLIDE);
addEventListener("online", () => {
  if (service.hasKey()) refresh();
});
addEventListener("offline", () => { lost = true; showState(); });
addEventListener("dblclick", () => document.documentElement.requestFullscreen?.().catch(() => {}));
navigator.wakeLock?.request("screen").catch(() => {});
navigator.serviceWorker?.register("/screens/worker.js").catch(() => {});

if (service.hasKey()) play();
else pair();
document.body.dataset.ready = "";
