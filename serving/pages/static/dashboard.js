/* The marketers' page: which part of it is seen, by the address after the #.
   `#screens` are the screens in stores, `#status=approved&sort=lift` is a list of bundles, and
   `#bundle=b1…&status=approved` a bundle out of it. */

import * as api from "./dashboard-api.js";
import { openBundle, closeBundle } from "./dashboard-bundle.js";
import { say } from "./dashboard-dom.js";
import { showList } from "./dashboard-list.js";
import { showScreens } from "./dashboard-screens.js";
import { t } from "./messages.js";

const list = document.getElementById("list");
const bundle = document.getElementById("bundle");
const screens = document.getElementById("screens");
const heading = document.title;
let wasOpen = null;
let scrolled = 0;

function route() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const isScreens = asked.has("screens");
  screens.hidden = !isScreens;
  for (const [name, isHere] of [["to-bundles", !isScreens], ["to-screens", isScreens]]) {
    if (isHere) document.getElementById(name).setAttribute("aria-current", "page");
    else document.getElementById(name).removeAttribute("aria-current");
  }
  if (isScreens) {
    list.hidden = true;
    bundle.hidden = true;
    closeBundle(bundle);
    wasOpen = null;
    document.title = heading.replace(/^[^·]*·/, `${t("Screens")} ·`);
    showScreens(screens);
    return;
  }
  const bundleId = asked.get("bundle");
  asked.delete("bundle");
  if (bundleId && !wasOpen) scrolled = window.scrollY;
  list.hidden = Boolean(bundleId);
  bundle.hidden = !bundleId;
  if (bundleId) {
    wasOpen = bundleId;
    openBundle(bundle, bundleId, asked);
    return;
  }
  closeBundle(bundle);
  document.title = heading;
  showList(list, asked);
  if (wasOpen) {
    const link = list.querySelector(`[data-bundle="${CSS.escape(wasOpen)}"] a`);
    if (link) link.focus({ preventScroll: true });
    window.scrollTo({ top: scrolled, behavior: "instant" });
    wasOpen = null;
  }
}

document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault(); // the # is the page's own
  document.getElementById("main").focus();
});
document.getElementById("sign-out")?.addEventListener("click", async () => {
  try {
    await api.signOut();
  } catch (error) {
    say(error.message);
    if (!api.isSignedOut(error)) return;
  }
  location.reload();
});
window.addEventListener("hashchange", route);
route();
