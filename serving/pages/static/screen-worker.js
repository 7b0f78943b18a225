/* Keeps a screen going without a network: the page, its scripts and pictures, as they were last.
   Fresh ones win as long as they come. Lists are kept by the page itself. */

const KEPT = "omnibasket-screen";
/** An answer that takes longer is taken for none. */
const PATIENCE = 5_000;
const MOST_PICTURES = 60; // browsers count one of another site as megabytes

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  const { origin, pathname } = new URL(request.url);
  const isOwn = origin === self.location.origin;
  if (isOwn && (pathname.startsWith("/screens/") || pathname.startsWith("/static/"))) event.respondWith(freshOrKept(request));
  else if (request.destination === "image" && !isOwn) event.respondWith(keptOrFresh(request));
});

async function freshOrKept(request) {
  const kept = await caches.open(KEPT);
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(PATIENCE) });
    if (answer.ok) {
      kept.put(request, answer.clone()).catch(() => {}); // full: the fresh one is shown all the same
      return answer;
    }
    if (answer.status < 500) return answer;
    throw new TypeError(`status ${answer.status}`);
  } catch (error) {
    const old = await kept.match(request, { ignoreVary: true });
    if (old) return old;
    throw error;
  }
}

async function keptOrFresh(request) {
  const pictures = await caches.open(`${KEPT}-pictures`);
  const old = await pictures.match(request, { ignoreVary: true });
  if (old) return old;
  const answer = await fetch(request);
  if (answer.ok || answer.type === "opaque") keep(pictures, request, answer.clone()).catch(() => {});
  return answer;
}

/** Keep a picture, and as few as there is room for. */
async function keep(pictures, request, answer) {
  const all = await pictures.keys();
  await Promise.all(all.slice(0, Math.max(0, all.length + 1 - MOST_PICTURES)).map((one) => pictures.delete(one)));
  await pictures.put(request, answer);
}
