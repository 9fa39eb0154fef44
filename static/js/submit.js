// Locks buttons while a form is sent, so that a double click sends once. The lock opens on an answer, on Back, or after 15 s.
const LOCKED = new WeakSet();

export function lock(form, submitter) {
  LOCKED.add(form);
  submitter?.setAttribute("aria-busy", "true");
  document.documentElement.classList.add("is-loading");
  setTimeout(() => unlock(form), 15000);
}

export function unlock(form) {
  LOCKED.delete(form);
  form.querySelectorAll?.('[aria-busy="true"]').forEach((button) => button.removeAttribute("aria-busy"));
  document.querySelectorAll(`[form="${CSS.escape(form.id || "-")}"][aria-busy]`).forEach((button) => button.removeAttribute("aria-busy"));
  document.documentElement.classList.remove("is-loading");
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method === "dialog" || form.method === "get") return;
  if (LOCKED.has(form)) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  setTimeout(() => (event.defaultPrevented && !usesHtmx(form) ? null : lock(form, event.submitter)));
}, true);

const usesHtmx = (form) => form.matches("[hx-post],[hx-put],[hx-patch],[hx-delete]");

document.addEventListener("htmx:before:request", () => document.documentElement.classList.add("is-loading"));
document.addEventListener("htmx:finally:request", (event) => {
  const form = event.target.closest?.("form");
  if (form) unlock(form);
  document.documentElement.classList.remove("is-loading");
});
addEventListener("pageshow", () => document.querySelectorAll("form").forEach(unlock));
