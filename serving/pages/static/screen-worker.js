/* Keeps a screen going without a network: the page, its scripts and pictures, as they were last.
   Fresh ones win as long as they come. Lists are kept by the page itself. */

const KEPT = "omnibasket-screen";
/** An answer that takes longer is taken for none. */
const PATIENCE = 5_000;
const MOST_PICTURES = 300;

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
      await kept.put(request, answer.clone());
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
  if (answer.ok || answer.type === "opaque") {
    await pictures.put(request, answer.clone());
    const all = await pictures.keys();
    await Promise.all(all.slice(0, Math.max(0, all.length - MOST_PICTURES)).map((one) => pictures.delete(one)));
  }
  return answer;
}
