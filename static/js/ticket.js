// The open ticket: news never replaces what is in use; the conversation keeps its place; the number's link is copied.
import { followHeld, noteSeen } from "./presence.js";
import { toast } from "./toasts.js";

const scroller = () => document.getElementById("talk-scroll");
const atEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 60;
const newsButton = () => document.querySelector("[data-talk-news]");
let place = null;

function toEnd() {
  const box = scroller();
  if (!box) return;
  box.scrollTop = box.scrollHeight;
  const button = newsButton();
  if (button) button.hidden = true;
  noteSeen();
}

function begin() {
  const box = scroller();
  if (!box || box.dataset.begun) return;
  box.dataset.begun = "yes";
  if (box.dataset.start === "end") toEnd();
}

// In use: somebody types in it or has opened it. A pulse passes it over and asks again.
function inUse(target) {
  const node = typeof target === "string" ? document.querySelector(target) : target;
  if (!node) return false;
  const active = document.activeElement;
  return node.contains(active) && active.matches("input, select, textarea, summary, [role=combobox]")
    || node.querySelector("details.menu[open], dialog[open], [data-editing], .add-box[open], .task-more[open]") !== null;
}

function isDirtyPanel(target, source) {
  const panel = typeof target === "string" ? document.querySelector(target) : target;
  if (!panel?.matches?.("[data-panel]") || panel.contains(source)) return false;
  return [...panel.querySelectorAll("textarea, input:not([type=hidden])")].some((field) =>
    field.type === "checkbox" || field.type === "radio" ? field.checked !== field.defaultChecked : field.value !== field.defaultValue);
}

document.addEventListener("htmx:before:swap", (event) => {
  const { ctx, tasks } = event.detail;
  const box = scroller();
  if (box) {
    place = { end: atEnd(box), entries: Number(document.getElementById("timeline")?.dataset.entries ?? 0),
      open: [...box.querySelectorAll("details[open][id]")].map((fold) => fold.id), mine: ctx.request?.method === "POST" };
  }
  // What somebody has begun to write in one panel is not lost because another one was saved.
  const unsent = tasks.filter((task) => isDirtyPanel(task.target, ctx.sourceElement));
  if (unsent.length) tasks.splice(0, tasks.length, ...tasks.filter((task) => !unsent.includes(task)));
  if (ctx.sourceElement?.id !== "ticket-pulse") return;
  const left = tasks.filter((task) => !inUse(task.target));
  if (left.length === tasks.length) return;
  const kept = left.filter((task) => task.target?.id !== "ticket-pulse");
  tasks.splice(0, tasks.length, ...kept);
});

document.addEventListener("htmx:after:swap", () => {
  begin();
  followHeld();
  const box = scroller();
  if (!box || !place) return;
  place.open.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
  const grown = Number(document.getElementById("timeline")?.dataset.entries ?? 0) - place.entries;
  if (grown > 0 && (place.end || place.mine)) toEnd();
  else if (grown > 0) {
    const button = newsButton();
    const more = grown + (button.hidden ? 0 : Number(button.dataset.count));
    button.dataset.count = String(more);
    button.textContent = more === 1 ? button.dataset.one : button.dataset.many.replace("%s", String(more));
    button.hidden = false;
  }
  place = null;
  noteSeen();
});

document.addEventListener("scroll", (event) => {
  const button = event.target.id === "talk-scroll" && atEnd(event.target) && newsButton();
  if (button) { button.hidden = true; noteSeen(); }
}, { capture: true, passive: true });

document.addEventListener("click", (event) => {
  if (event.target.closest?.("[data-talk-news]")) { toEnd(); return; }
  // A tab that a key or the mouse chose leads on to the text; the arrow keys stay on the tabs.
  const tab = (!event.isTrusted || event.detail > 0) && event.target.closest?.(".composer-tab");
  if (tab) tab.closest("form").querySelector("textarea").focus();
  const link = event.target.closest?.("[data-copy-link]");
  if (!link || event.ctrlKey || event.metaKey || !navigator.clipboard) return;
  event.preventDefault();
  navigator.clipboard.writeText(link.href).then(() => toast({ text: link.dataset.copied }));
});

begin();
followHeld();
