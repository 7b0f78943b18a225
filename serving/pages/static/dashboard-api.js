/* The calls behind the page, with the session's cookie; a change also brings the page's token. */

import { LANG, problemTitle, t } from "./messages.js";

const token = document.querySelector("meta[name=csrf-token]").content;

/** What a call was refused with: problem details (RFC 9457). */
export class Problem extends Error {
  constructor(details, retrySeconds = null) {
    super(details.detail || details.title);
    this.kind = (details.type || "").replace(/^.*#/, "");
    // In the page's language; the detail is English, for whoever looks into it.
    this.title = problemTitle(this.kind, details.title);
    this.isForeign = LANG !== "en" && this.kind !== "unreachable";
    this.status = details.status;
    this.errors = details.errors || [];
    this.retrySeconds = retrySeconds;
  }
}

const UNREACHABLE = {
  type: "#unreachable", title: t("The service cannot be reached"), status: 0,
  detail: t("The service cannot be reached. Nothing was changed; try again in a moment."),
};

async function call(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(UNREACHABLE);
  }
  let body = null;
  try {
    body = await answer.json();
  } catch {
    // Said by its status alone.
  }
  if (!answer.ok) {
    const details = body || { title: t("Something went wrong"), status: answer.status };
    throw new Problem(details, Number(answer.headers.get("Retry-After")) || null);
  }
  return body;
}

/** Ask, or change something, and return what the service answers. */
export const send = (path, method = "GET", body = null) =>
  call(path, {
    method,
    cache: "no-store",
    headers: {
      Accept: "application/json",
      ...(body ? { "Content-Type": "application/json" } : {}),
      ...(method === "GET" ? {} : { "X-CSRF-Token": token }),
    },
    body: body && JSON.stringify(body),
  });

/** Filters → the query that asks for them. */
export function query(filters) {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(filters)) {
    if (value !== "" && value !== null && value !== undefined) given.set(name, value);
  }
  return given;
}

const path = (bundleId) => `/v1/bundles/${encodeURIComponent(bundleId)}?lang=${LANG}`;

export const bundles = (filters, signal) =>
  call(`/v1/bundles?${query({ ...filters, lang: LANG })}`, { headers: { Accept: "application/json" }, signal, cache: "no-cache" });

export const bundle = (bundleId, signal) =>
  call(path(bundleId), { headers: { Accept: "application/json" }, signal, cache: "no-store" });

/** Change a bundle as it was at a revision. */
export const change = (bundleId, revision, fields) =>
  call(path(bundleId), {
    method: "PATCH",
    headers: {
      Accept: "application/json",
      "Content-Type": "application/json",
      "If-Match": `"${revision}"`,
      "X-CSRF-Token": token,
    },
    body: JSON.stringify(fields),
  });

export const signOut = () =>
  call("/dashboard/session", { method: "DELETE", headers: { "X-CSRF-Token": token } });

/** Whether the page must be loaded anew: to ask for a key, or because somebody signed in anew in
    another window, and this one holds the token of the session before. */
export function isSignedOut(error) {
  return error instanceof Problem && (error.status === 401 || error.kind === "csrf-missing");
}
