// A visit's sheet works off line: the sheet is kept on the device, answers and photos wait there and are sent once there
// is a network. What waits belongs to the login that wrote it, and is told at the top of the sheet.
(() => {
  const root = new URL("..", document.currentScript.src);
  const box = document.getElementById("offline");
  const { login, ...words } = box.dataset;
  const opened = new Promise((done, failed) => {
    const asked = indexedDB.open("risk-answers", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("waiting", { keyPath: "number", autoIncrement: true });
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => failed(asked.error);
  });
  const stored = async (mode, act) => {
    const store = (await opened).transaction("waiting", mode).objectStore("waiting");
    const asked = act(store);
    return new Promise((done, failed) => {
      asked.onsuccess = () => done(asked.result);
      asked.onerror = () => failed(asked.error);
    });
  };
  const mine = async () => (await stored("readonly", (store) => store.getAll())).filter((one) => one.login === login);
  const line = (text, style) => {
    const told = document.createElement("p");
    told.className = style;
    told.textContent = text;
    box.append(told);
    return told;
  };
  const show = async () => {
    const waiting = await mine();
    box.replaceChildren();
    if (!navigator.onLine) line(words.offline, "warn");
    if (waiting.length) line(words.waiting.replace("{n}", waiting.length), "good");
    for (const one of waiting.filter((each) => each.refused)) {
      const told = line(words.refused.replace("{dossier}", one.dossier).replace("{why}", () => one.refused) + " ", "bad");
      const drop = document.createElement("button");
      drop.type = "button";
      drop.className = "plain";
      drop.textContent = words.drop;
      drop.addEventListener("click", async () => {
        await stored("readwrite", (store) => store.delete(one.number));
        show();
      });
      told.append(drop);
    }
    for (const one of waiting) {
      const form = [...document.querySelectorAll("form")].find((each) => {
        const dossier = each.elements.namedItem("dossier");
        return dossier && dossier.value === one.dossier && each.getAttribute("action") === one.way;
      });
      if (form && !form.nextElementSibling?.classList.contains("waits")) {
        const told = document.createElement("p");
        told.className = "good waits";
        told.textContent = words.kept;
        form.after(told);
      }
    }
  };
  let sending = false;
  const send = async () => {
    if (sending || !navigator.onLine) return;
    sending = true;
    let sent = 0;
    for (const one of await mine()) {
      const body = one.multipart ? new FormData() : new URLSearchParams();
      const csrf = document.querySelector("input[name=csrf]").value;
      for (const [name, value] of one.entries) body.append(name, name === "csrf" ? csrf : value);
      try {
        const answer = await fetch(one.way, { method: "POST", body, headers: { "X-Form": "1" } });
        if (answer.headers.get("X-Location")) {
          await stored("readwrite", (store) => store.delete(one.number));
          sent += 1;
        } else if (answer.redirected || answer.status === 403) {
          line(words.again, "warn");
          break;
        } else {
          one.refused = (await answer.json()).message;
          await stored("readwrite", (store) => store.put(one));
        }
      } catch {
        break;
      }
    }
    sending = false;
    if (sent) location.reload();
    else show();
  };
  document.addEventListener("unsent", async (event) => {
    event.preventDefault();
    const { way, entries, multipart } = event.detail;
    const dossier = (entries.find(([name]) => name === "dossier") || ["", ""])[1];
    await stored("readwrite", (store) => store.add({ login, way, entries, multipart, dossier }));
    show();
  });
  window.addEventListener("online", send);
  window.addEventListener("offline", show);
  if ("serviceWorker" in navigator) {
    const scope = new URL(location.pathname, location.href).href;
    navigator.serviceWorker.register(new URL("sw.js", root), { scope }).catch(() => {});
    const kept = [location.href, ...[...document.querySelectorAll("script[src]")].map((one) => one.src)];
    const styles = [...document.querySelectorAll("link[rel=stylesheet]")].map((one) => one.href);
    const pictures = [...document.querySelectorAll("main img")].map((one) => one.src);
    if (navigator.onLine) caches.open("visits").then((held) => held.addAll([...kept, ...styles, ...pictures])).catch(() => {});
  }
  show().then(send);
})();
