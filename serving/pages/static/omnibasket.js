/*
 * Omnibasket on a shop's page: draws placements, and reports what was seen and clicked.
 *
 *   <script src="https://recommendations.example/static/omnibasket.js" data-key="KEY" defer></script>
 *   <section data-omnibasket="web_product" data-item-ids="SKU-1" data-link="/p/{item_id}"></section>
 *
 * No dependencies, no cookies, no inline styles or scripts. A placement that cannot be had keeps
 * what stands in it, so a page never waits for, or breaks with, this file. docs/shop.md has it all.
 */
(() => {
  "use strict";

  const script = document.currentScript;
  const given = script ? script.dataset : {};
  const service = (given.service || (script ? new URL(script.src).origin : location.origin))
    .replace(/\/+$/, "");
  // BCP 47; what a page says in another form is no reason to be refused.
  const LANG = (given.lang || document.documentElement.lang).replace(/_/g, "-");
  const isTag = (tag) => /^[a-z]{2,8}(-[a-z0-9]{1,8})*$/i.test(tag) && tag.length <= 35;
  const TIMEOUT_MS = Number(given.timeoutMs) || 3000;
  const SEEN_MS = 500; // in view for so long counts as seen
  const SEND_AFTER_MS = 300;
  const MOST_WAITING = 200;
  const MOST_AT_ONCE = 50; // bodies of a page that is being left are limited to 64 KB
  const VISIT = "omnibasket.visit";
  const WAITING = "omnibasket.events";

  // ---- what is kept in the browser: a random name of the visit, and events not yet accepted

  const store = (() => {
    const memory = new Map();
    let real = null;
    try {
      real = given.storage === "none" ? null
        : given.storage === "local" ? window.localStorage : window.sessionStorage;
      real?.setItem("omnibasket.probe", "1");
      real?.removeItem("omnibasket.probe");
    } catch {
      real = null; // blocked by the browser: the visit lasts as long as the page
    }
    return {
      get: (name) => (real ? real.getItem(name) : memory.get(name)) ?? null,
      set: (name, value) => {
        memory.set(name, value);
        try {
          real?.setItem(name, value);
        } catch { /* full: memory has it */ }
      },
      remove: (name) => {
        memory.delete(name);
        real?.removeItem(name);
      },
    };
  })();

  function name(prefix) {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return prefix + Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  function visit() {
    let id = store.get(VISIT);
    if (!id) {
      id = name("v-");
      store.set(VISIT, id);
    }
    return id;
  }

  // ---- asking the service

  let aheadMs = 0; // the service's clock less the browser's, which is often wrong

  async function ask(path, body, keepalive = false) {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), TIMEOUT_MS);
    const headers = { "Content-Type": "application/json" };
    if (given.key) headers.Authorization = `Bearer ${given.key}`;
    try {
      const response = await fetch(service + path, {
        method: "POST",
        headers,
        body: JSON.stringify(body),
        signal: stop.signal,
        credentials: "omit",
        keepalive,
      });
      const answer = await response.json().catch(() => null);
      if (!response.ok) {
        const error = new Error(answer?.detail || answer?.title || `HTTP ${response.status}`);
        error.status = response.status;
        error.problem = answer;
        throw error;
      }
      return answer;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ask for a placement; `question` has the fields of POST /v1/recommendations. */
  async function recommend(placement, question = {}) {
    const sent = Date.now();
    const answer = await ask("/v1/recommendations", {
      placement,
      session_id: visit(),
      ...(isTag(LANG) && { lang: LANG }),
      ...question,
    });
    aheadMs = Date.parse(answer.as_of) - sent;
    // The service counts in whole seconds: less than that is no difference between two clocks.
    if (Math.abs(aheadMs) < 2000) aheadMs = 0;
    return answer;
  }

  // ---- reporting what happened

  let waiting = [];
  try {
    waiting = JSON.parse(store.get(WAITING) || "[]");
  } catch {
    waiting = [];
  }
  let timer = null;
  let sending = null;

  const keep = () => store.set(WAITING, JSON.stringify(waiting));

  /** Report one event with the fields of POST /v1/events; resolves once it is on its way. */
  function track(event, fields = {}) {
    waiting.push({
      event_id: name("e-"),
      event,
      occurred_at: new Date(Date.now() + aheadMs).toISOString(),
      session_id: visit(),
      channel: given.channel || "web",
      ...fields,
    });
    waiting = waiting.slice(-MOST_WAITING);
    keep();
    if (!timer) timer = setTimeout(() => flush(), SEND_AFTER_MS);
  }

  /** Send what waits. What the service did not answer for is sent again: it counts once. */
  function flush(leaving = false) {
    clearTimeout(timer);
    timer = null;
    if (!waiting.length) return Promise.resolve();
    if (sending && !leaving) return sending.then(() => flush());
    const batch = waiting.slice(0, MOST_AT_ONCE);
    const done = (async () => {
      try {
        const answer = await ask("/v1/events", { events: batch }, leaving);
        for (const told of answer.events) {
          if (told.status === "refused") console.warn("omnibasket: an event was refused", told);
        }
      } catch (error) {
        // Too many, or the service is away: later. Anything else would be refused for ever.
        const later = !error.status || error.status === 429 || error.status >= 500;
        if (later) return;
        console.warn("omnibasket: events were refused", error.message, error.problem);
      }
      const answered = new Set(batch.map((event) => event.event_id));
      waiting = waiting.filter((event) => !answered.has(event.event_id));
      keep();
      if (waiting.length && !leaving) timer = setTimeout(() => flush(), SEND_AFTER_MS);
    })();
    sending = done.finally(() => {
      sending = null;
    });
    return sending;
  }

  addEventListener("pagehide", () => flush(true));
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") flush(true);
  });

  // ---- drawing

  const list = (text) => (text || "").split(",").map((part) => part.trim()).filter(Boolean);

  function questionOf(place) {
    const asked = { ...JSON.parse(place.dataset.question || "{}") };
    if (place.dataset.itemIds) asked.item_ids = list(place.dataset.itemIds);
    if (place.dataset.exclude) asked.exclude = list(place.dataset.exclude);
    if (place.dataset.cart !== undefined) {
      asked.cart = list(place.dataset.cart).map((item_id) => ({ item_id }));
    }
    if (place.dataset.location || given.location) {
      asked.location_id = place.dataset.location || given.location;
    }
    if (place.dataset.lang) asked.lang = place.dataset.lang;
    if (place.dataset.count) asked.count = Number(place.dataset.count);
    return asked;
  }

  const LOCALE = isTag(LANG) ? LANG : undefined;

  function money(price) {
    const form = new Intl.NumberFormat(LOCALE, {
      style: "currency",
      currency: price.currency,
    });
    const digits = form.resolvedOptions().maximumFractionDigits;
    return form.format(price.amount_minor / 10 ** digits);
  }

  /** An address of the page's own pattern, or what the catalogue says, or nothing. */
  const address = (pattern, item, known) =>
    pattern ? pattern.replace(/\{item_id\}/g, encodeURIComponent(item.item_id)) : known;

  const ISOLATED = /\u2068([^\u2069]*)\u2069/;

  /** Put a text into an element; a title in it, which may be of another direction, into a <bdi>. */
  function write(element, text, named = false) {
    const parts = named ? ["", text, ""] : String(text).split(ISOLATED);
    element.replaceChildren(...parts.map((part, ix) => {
      if (ix % 2 === 0) return part;
      const name = document.createElement("bdi");
      name.textContent = part;
      return name;
    }).filter((part) => part !== ""));
  }

  function texts(item) {
    return {
      title: item.title || item.item_id,
      price: item.price ? money(item.price) : "",
      reason: item.reason ? item.reason.text : "",
      item_id: item.item_id,
    };
  }

  /** One item: the placement's own <template>, or a link with picture, title, price, reason. */
  function card(place, item) {
    const link = address(place.dataset.link || given.link, item, item.url);
    const image = address(place.dataset.image || given.image, item, item.image_url);
    const words = texts(item);
    const own = place.querySelector("template");
    if (own) {
      const copy = own.content.cloneNode(true);
      for (const part of copy.querySelectorAll("[data-field]")) {
        write(part, words[part.dataset.field] ?? "", part.dataset.field === "title");
      }
      for (const part of copy.querySelectorAll("a[data-link]")) {
        if (link) part.href = link;
      }
      for (const part of copy.querySelectorAll("img[data-image]")) {
        if (image) part.src = image;
        else part.remove();
        part.alt = "";
      }
      return copy;
    }
    const box = document.createElement(link ? "a" : "div");
    box.className = "omnibasket-item";
    if (link) box.href = link;
    if (image) {
      const picture = document.createElement("img");
      picture.className = "omnibasket-image";
      picture.loading = "lazy";
      picture.alt = "";
      picture.src = image;
      box.append(picture);
    }
    for (const field of ["title", "price", "reason"]) {
      if (!words[field]) continue;
      const part = document.createElement("span");
      part.className = `omnibasket-${field}`;
      write(part, words[field], field === "title");
      box.append(part);
    }
    return box;
  }

  const catalogues = new Map();

  /** The few texts of this file, by their English ones; English where they cannot be had. */
  function wordsOf(lang) {
    if (!lang || lang === "en") return Promise.resolve({});
    if (!catalogues.has(lang)) {
      const address = `${service}/static/messages/omnibasket.${lang}.json`;
      const stop = new AbortController();
      const timer = setTimeout(() => stop.abort(), TIMEOUT_MS);
      catalogues.set(lang, fetch(address, { credentials: "omit", signal: stop.signal })
        .then((response) => (response.ok ? response.json() : {}))
        .then((found) => found.messages ?? {})
        .catch(() => ({}))
        .finally(() => clearTimeout(timer)));
    }
    return catalogues.get(lang);
  }

  /** One offer: its products, the price of all of them, and the code that a till asks for. */
  function offered(offer, words) {
    const t = (text, values) => (words[text] || text).split(/\{(\w+)\}/)
      .map((piece, ix) => (ix % 2 ? values[piece] : piece)).filter((piece) => piece !== "");
    const row = document.createElement("li");
    row.className = "omnibasket-offer";
    row.dataset.offerId = offer.offer_id;
    const part = (field, texts, kind = "span") => {
      const made = document.createElement(kind);
      made.className = `omnibasket-offer-${field}`;
      made.append(...texts);
      row.append(made);
      return made;
    };
    const title = part("title", [], "strong");
    offer.items.forEach((item, ix) => {
      if (ix) title.append(" + ");
      const name = document.createElement("bdi");
      name.textContent = item.title || item.item_id;
      title.append(name);
    });
    part("price", t("Together {price}", { price: money(offer.price) }));
    const full = document.createElement("s");
    full.textContent = money(offer.full_price);
    part("instead", t("instead of {price}", { price: full }));
    const day = new Date(offer.expires_at)
      .toLocaleDateString(LOCALE, { day: "numeric", month: "long" });
    part("until", t("Until {day}", { day }));
    const code = document.createElement("bdi");
    code.textContent = offer.code;
    part("code", t("Code {code}", { code }));
    return row;
  }

  function showOffers(place, answer, words) {
    place.querySelectorAll(".omnibasket-offers").forEach((old) => old.remove());
    const offers = place.dataset.offers === "no" ? [] : answer.offers || [];
    if (!offers.length) return;
    const rows = document.createElement("ul");
    rows.className = "omnibasket-offers";
    const t = (text) => words[text] || text;
    rows.setAttribute("aria-label", t("Offers for you"));
    rows.append(...offers.map((offer) => offered(offer, words)));
    if (answer.lang) rows.lang = answer.lang;
    place.prepend(rows);
    place.hidden = false;
  }

  /**
   * The placement's own heading; or, with an empty data-heading, the one that fits the list, in the
   * words that data-headings has for its code.
   */
  function headingOf(place, answer) {
    if (place.dataset.heading !== "") return place.dataset.heading;
    const fits = answer.heading;
    if (!fits) return "";
    const own = JSON.parse(place.dataset.headings || "{}")[fits.code];
    return own ? own.replace(/\{(\w+)\}/g, (_, name) => fits[name] ?? "") : fits.text;
  }

  function show(place, answer, words) {
    const rows = document.createElement("ul");
    rows.className = "omnibasket-list";
    for (const item of answer.items) {
      const row = document.createElement("li");
      row.dataset.itemId = item.item_id;
      row.append(card(place, item));
      // Capture, so that the shop's own handlers cannot swallow it; middle clicks count, too.
      for (const kind of ["click", "auxclick"]) {
        row.addEventListener(kind, (click) => {
          if (!click.target.closest("a, button, [data-select]") || click.button > 1) return;
          track("select_item", reported(answer, [item]));
          dispatch(place, "select", { item, answer });
        }, true);
      }
      rows.append(row);
    }
    place.querySelectorAll(".omnibasket-list, .omnibasket-heading").forEach((old) => old.remove());
    const fallback = place.querySelector("[data-omnibasket-fallback]");
    if (fallback) fallback.hidden = answer.items.length > 0;
    if (answer.items.length) {
      const words = headingOf(place, answer);
      if (words) {
        const heading = document.createElement("h2");
        heading.className = "omnibasket-heading";
        write(heading, words);
        place.append(heading);
        rows.setAttribute("aria-label", words);
      }
      place.append(rows);
      place.hidden = false;
      watch(place, rows, answer);
    }
    showOffers(place, answer, words);
    place.dataset.omnibasketState = answer.items.length ? "shown" : "empty";
    dispatch(place, "shown", { answer });
  }

  const reported = (answer, items) => ({
    recommendation_id: answer.recommendation_id,
    placement: answer.placement,
    items: items.map((item) => ({ item_id: item.item_id, index: item.rank })),
  });

  function dispatch(place, what, detail) {
    place.dispatchEvent(new CustomEvent(`omnibasket:${what}`, { bubbles: true, detail }));
  }

  /** Report the items that really came into view, each once. */
  function watch(place, rows, answer) {
    place.omnibasketWatch?.disconnect();
    const byId = new Map(answer.items.map((item) => [item.item_id, item]));
    const timers = new Map();
    let seen = [];
    let report = null;
    const observer = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        const row = entry.target;
        if (!entry.isIntersecting) {
          clearTimeout(timers.get(row));
          timers.delete(row);
        } else if (!timers.has(row)) {
          timers.set(row, setTimeout(() => {
            observer.unobserve(row);
            seen.push(byId.get(row.dataset.itemId));
            clearTimeout(report);
            report = setTimeout(() => {
              track("view_item_list", reported(answer, seen));
              seen = [];
            }, 100);
          }, SEEN_MS));
        }
      }
    }, { threshold: 0.5 });
    for (const row of rows.children) observer.observe(row);
    place.omnibasketWatch = observer;
  }

  const asking = new WeakMap();

  /** Draw one placement anew, for example after its data-cart changed. */
  async function draw(place) {
    const turn = (asking.get(place) || 0) + 1;
    asking.set(place, turn);
    try {
      const answer = await recommend(place.dataset.omnibasket, questionOf(place));
      const words = await wordsOf(answer.offers?.length ? answer.lang : "en");
      if (asking.get(place) === turn) show(place, answer, words); // else a later question is on its way
    } catch (error) {
      if (asking.get(place) !== turn) return;
      place.dataset.omnibasketState = "failed";
      console.warn(`omnibasket: ${place.dataset.omnibasket} was not drawn:`, error.message);
      dispatch(place, "failed", { error });
    }
  }

  /** Draw every placement of the page, or of a part of it. */
  const refresh = (part = document) =>
    Promise.all(Array.from(part.querySelectorAll("[data-omnibasket]"), draw));

  /** Forget the visit and what was not yet sent, for example when somebody logs out. */
  function forget() {
    waiting = [];
    store.remove(WAITING);
    store.remove(VISIT);
  }

  const items = (what) => (Array.isArray(what) ? what : [what])
    .map((item) => (typeof item === "object" ? item : { item_id: String(item) }));

  window.omnibasket = {
    recommend,
    refresh,
    draw,
    track,
    flush,
    forget,
    visit,
    view: (what, fields) => track("view_item", { items: items(what), ...fields }),
    add: (what, fields) => track("add_to_cart", { items: items(what), ...fields }),
    remove: (what, fields) => track("remove_from_cart", { items: items(what), ...fields }),
    purchase: (transaction_id, what, fields) =>
      track("purchase", { transaction_id, items: items(what), ...fields }),
  };

  const start = () => {
    if (waiting.length) flush();
    if (given.draw !== "no") refresh();
    document.dispatchEvent(new CustomEvent("omnibasket:ready"));
  };
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", start);
  else start();
})();
