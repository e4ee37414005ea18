// Forms that carry a key are sent without leaving the page: what is refused is told at its field and nothing typed is
// lost. Without scripts the same forms are sent as ever, and a page says what was wrong.
(() => {
  const unsentWords = document.currentScript.dataset.unsent;
  const clear = (form) => {
    form.querySelectorAll(".refused").forEach((one) => one.remove());
    form.querySelectorAll("[aria-invalid]").forEach((one) => {
      one.removeAttribute("aria-invalid");
      one.removeAttribute("aria-describedby");
    });
  };
  const told = (form, name, text, number) => {
    const line = document.createElement("p");
    line.className = "bad refused";
    line.id = "refused-" + number;
    line.setAttribute("role", "alert");
    line.textContent = text;
    const found = name ? form.elements.namedItem(name) : null;
    const field = found instanceof RadioNodeList ? found[0] : found;
    if (!field || field.type === "hidden") {
      const button = form.querySelector("button:not([formaction])") || form.lastElementChild;
      button.before(line);
      return null;
    }
    for (let box = field.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
    (field.closest("fieldset, .field, label") || field).append(line);
    if (line.parentElement === field) field.after(line);
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", line.id);
    return field;
  };
  const lead = (target) => {
    const to = new URL(target, location.href);
    const stays = to.pathname + to.search === location.pathname + location.search;
    if (stays && to.hash) location.hash = to.hash;
    if (stays) location.reload();
    else location.assign(to);
  };
  // on a phone the menu is one line that is drawn sideways: the page at hand is brought into it
  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("nav [aria-current]").forEach((one) => {
      const line = one.parentElement;
      line.scrollLeft = one.offsetLeft - line.offsetLeft - (line.clientWidth - one.offsetWidth) / 2;
    });
  });
  // who leaves takes the sheets kept on the device along (`visit.js`); answers that wait are sent after the next login
  document.addEventListener("submit", (event) => {
    if (event.target.getAttribute("action").endsWith("/logout") && "caches" in window) caches.delete("visits");
  });
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    const button = event.submitter;
    const way = (button && button.getAttribute("formaction")) || form.getAttribute("action");
    const plain = form.dataset.plain !== undefined || !form.elements.namedItem("key");
    if (event.defaultPrevented || plain || form.getAttribute("method") !== "post") return;
    event.preventDefault();
    if (form.dataset.busy) return;
    form.dataset.busy = "1";
    clear(form);
    const data = new FormData(form, button);
    const body = form.enctype === "multipart/form-data" ? data : new URLSearchParams(data);
    try {
      const answer = await fetch(way, { method: "POST", body, headers: { "X-Form": "1" } });
      const target = answer.headers.get("X-Location");
      if (target) return lead(target);
      const refused = await answer.json();
      const fields = Object.entries(refused.fields || {});
      const marked = fields.map(([name, text], number) => told(form, name, text, number));
      if (!fields.length) told(form, "", refused.message, 0);
      const first = marked.find((one) => one);
      if (first) first.focus();
    } catch {
      const detail = { way, entries: [...data.entries()], multipart: body === data };
      const unsent = new CustomEvent("unsent", { bubbles: true, cancelable: true, detail });
      if (form.dispatchEvent(unsent)) told(form, "", unsentWords, 0);
    }
    delete form.dataset.busy;
  });
})();
