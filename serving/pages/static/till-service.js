/* Asking the service from a till, where the network may be away. */

import { LANG, problemTitle, t } from "./messages.js";

const token = document.querySelector("meta[name=csrf-token]").content;
const connection = document.getElementById("connection");
/** An answer that takes longer is taken for none. */
const PATIENCE = 4_000;
const PAUSES = [500, 1_000, 2_000, 4_000];

const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

function showConnection(lost) {
  connection.className = lost ? "lost" : "";
  connection.textContent = lost ? t("No connection") : "";
}

/** Ask; with `onLost`, again and again until an answer comes.
    @returns {found, isNew} or {problem: {kind, title, detail, foreign}} or {lost: true} */
export async function ask(path, { method = "GET", body = null, onLost = null } = {}) {
  for (let attempt = 0, sent = false; ; attempt += 1) {
    try {
      if (!navigator.onLine) throw new TypeError("offline");
      sent = true;
      const answer = await fetch(path, {
        method,
        credentials: "same-origin",
        cache: "no-store",
        headers: {
          Accept: "application/json",
          ...(body ? { "Content-Type": "application/json" } : {}),
          ...(method === "GET" ? {} : { "X-CSRF-Token": token }),
        },
        body: body && JSON.stringify(body),
        signal: AbortSignal.timeout(PATIENCE),
      });
      const told = await answer.json();
      showConnection(false);
      if (answer.ok) return { found: told, isNew: answer.status === 201 };
      if (answer.status === 401) {
        location.reload();
        return new Promise(() => {}); // the page goes
      }
      if (answer.status !== 503 && answer.status !== 429) return { problem: problemOf(told) };
      if (!onLost) return { problem: problemOf(told) };
      sent = false; // it was refused whole
    } catch (error) {
      if (!(error instanceof TypeError || error.name === "TimeoutError" || error instanceof SyntaxError)) throw error;
      showConnection(true);
      if (!onLost) return { lost: true };
    }
    onLost(sent);
    await sleep(PAUSES[Math.min(attempt, PAUSES.length - 1)]);
  }
}

function problemOf(told) {
  const kind = (told.type || "").replace(/^.*#/, "");
  return {
    kind,
    title: problemTitle(kind, told.title),
    detail: told.detail || "",
    foreign: LANG !== "en",
  };
}

addEventListener("offline", () => showConnection(true));
addEventListener("online", () => showConnection(false));
showConnection(!navigator.onLine);
