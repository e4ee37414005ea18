// Keeps the sheets of visits for a phone without a network: from the network first, from the device where there is none.
// Nothing else is kept, nothing for longer than three days, and logging out takes it away (`forms.js`).
const DAYS = 3;
const fresh = (answer) => Date.now() - Date.parse(answer.headers.get("Date") || 0) < DAYS * 86400000;
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  if (event.request.method !== "GET") return;
  const kept = async () => {
    const held = await caches.open("visits");
    try {
      const answer = await fetch(event.request);
      if (answer.ok && !answer.redirected) await held.put(event.request, answer.clone());
      return answer;
    } catch (error) {
      const found = await held.match(event.request);
      if (found && (fresh(found) || event.request.url.includes("/static/"))) return found;
      if (found) await held.delete(event.request);
      throw error;
    }
  };
  event.respondWith(kept());
});
