// A local copy of every [data-draft-key] field, until the server took it. data-draft-sent on a page or answer lists keys to forget.
// Drafts are the person's who typed them: somebody else who signs in at the same device finds none, and theirs are removed.
import { word } from "./words.js";

const ALL = "draft:";
const PREFIX = `${ALL}${document.body.dataset.person ?? ""}:`;
const AGE = 14 * 86400000;
const store = {
  get(key) { try { return JSON.parse(localStorage.getItem(PREFIX + key)); } catch { return null; } },
  set(key, text) { try { localStorage.setItem(PREFIX + key, JSON.stringify({ text, at: Date.now() })); return true; } catch { return false; } },
  drop(key) { try { localStorage.removeItem(PREFIX + key); } catch { /* storage is switched off */ } },
};
const timers = new Map();

function dropOthers() {
  if (!document.body.dataset.person) return;
  try { Object.keys(localStorage).filter((key) => key.startsWith(ALL) && !key.startsWith(PREFIX)).forEach((key) => localStorage.removeItem(key)); } catch { /* storage is switched off */ }
}
dropOthers();

function state(field, text) {
  const box = field.closest("form")?.querySelector("[data-draft-state]");
  if (box) box.textContent = text;
}

export function save(field) {
  const key = field.dataset.draftKey;
  timers.delete(key);
  if (!field.value.trim()) { store.drop(key); state(field, ""); }
  else if (store.set(key, field.value)) state(field, word("draft-saved", new Date().toLocaleTimeString(document.documentElement.lang || [], { hour: "2-digit", minute: "2-digit" })));
}

export function restore(root = document) {
  root.querySelectorAll("[data-draft-sent]").forEach((mark) => forget(mark.dataset.draftSent));
  root.querySelectorAll("[data-draft-key]").forEach((field) => {
    if (field.dataset.draftSeen) return;
    field.dataset.draftSeen = "yes";
    const draft = store.get(field.dataset.draftKey);
    if (!draft || field.value.trim() || Date.now() - draft.at > AGE) return;
    field.value = draft.text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    state(field, word("draft-restored"));
  });
}

export function forget(keys) {
  for (const key of keys.split(/\s+/).filter(Boolean)) { clearTimeout(timers.get(key)); timers.delete(key); store.drop(key); }
}

const flush = () => document.querySelectorAll("[data-draft-key]").forEach((field) => timers.has(field.dataset.draftKey) && save(field));
document.addEventListener("input", (event) => {
  const field = event.target.closest?.("[data-draft-key]");
  if (!field || !event.isTrusted) return;
  clearTimeout(timers.get(field.dataset.draftKey));
  timers.set(field.dataset.draftKey, setTimeout(save, 800, field));
});
document.addEventListener("focusout", flush);
addEventListener("pagehide", flush);
document.addEventListener("submit", flush, true);
document.addEventListener("draft-sent", (event) => forget(String(event.detail?.value ?? event.detail ?? "")));
document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  if (ctx?.response?.status >= 400 || ctx?.request?.method === "GET") return;
  const form = event.target.closest?.("form[data-draft-form]");
  form?.querySelectorAll("[data-draft-key]").forEach((field) => forget(field.dataset.draftKey));
});
