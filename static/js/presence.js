// What the person does on the open ticket, said with each pulse; news counts as seen once it has been in sight.
const IDLE_AFTER = 120000;
const WRITING_FOR = 30000;
const SEEN_AFTER = 2000;
let active = Date.now();
let typed = 0;
let said = "view";

const composer = () => document.querySelector("form[data-composer]");
function doing() {
  if (Date.now() - typed < WRITING_FOR && composer()?.querySelector("[data-draft-key]")?.value.trim()) return composer().querySelector("[name=visibility]:checked")?.value === "internal" ? "note" : "reply";
  return Date.now() - active > IDLE_AFTER ? "idle" : "view";
}

for (const name of ["pointerdown", "keydown", "scroll"]) addEventListener(name, () => { active = Date.now(); }, { passive: true, capture: true });
document.addEventListener("input", (event) => {
  if (!event.isTrusted || !event.target.matches?.("#ticket [data-draft-key]")) return;
  typed = Date.now();
  if (doing() !== said) document.body.dispatchEvent(new CustomEvent("pulse", { bubbles: true }));
});
// In the capturing phase: before htmx, which listens on <body>, reads the field.
document.addEventListener("pulse", () => {
  const field = document.getElementById("presence-doing");
  if (field) field.value = said = doing();
}, true);

export function leave() {
  const ref = document.getElementById("ticket-pulse")?.dataset.ref, url = document.getElementById("ui-words")?.dataset.leaveUrl;
  const token = document.querySelector("[name=csrfmiddlewaretoken]")?.value;
  if (!ref || !url || !token) return;
  const form = new FormData();
  form.append("ref", ref);
  form.append("csrfmiddlewaretoken", token);
  navigator.sendBeacon?.(url, form);
}
addEventListener("pagehide", leave);
document.addEventListener("htmx:before:swap", (event) => event.detail.ctx?.target?.id === "preview" && leave());

// The composer's `seen` follows the page once its last entry has been in sight for two seconds.
let watch = 0;
export function noteSeen() {
  clearTimeout(watch);
  watch = setTimeout(() => {
    const box = document.getElementById("talk-scroll"), seen = composer()?.querySelector("[name=seen]");
    const news = document.querySelector("[data-talk-news]"), seq = document.getElementById("ticket-pulse")?.dataset.seq;
    if (!box || !seen || !seq || document.hidden || news && !news.hidden || composer().querySelector("[name=force]")) return;
    if (box.scrollHeight - box.scrollTop - box.clientHeight < 60 && box.checkVisibility?.() !== false) seen.value = seq;
  }, SEEN_AFTER);
}

// At the instant when a held reply goes out, the page asks for it.
const awaited = new Set();
export function followHeld() {
  document.querySelectorAll("[data-held-for]").forEach((row) => {
    if (awaited.has(row.id)) return;
    awaited.add(row.id);
    setTimeout(() => document.body.dispatchEvent(new CustomEvent("pulse", { bubbles: true })), Number(row.dataset.heldFor) + 200);
  });
}
