// Toasts: {text, level, undo} from HX-Trigger "toast", or toast() from a module. Errors stay until closed.
const STAY = 8000; // the time for which an undo is held, ui.md §5

export function toast({ text, level = "success", undo = "" }) {
  const region = document.getElementById("toasts");
  const template = document.querySelector(`template[data-toast-template="${CSS.escape(level)}"]`) ?? document.querySelector("template[data-toast-template]");
  if (!region || !template || !text) return;
  const note = template.content.firstElementChild.cloneNode(true);
  note.querySelector(".toast-text").textContent = text;
  const form = note.querySelector("[data-toast-undo]");
  if (undo && new URL(undo, location.href).origin === location.origin) {
    form.action = undo;
    form.hidden = false;
  } else form.remove();
  region.append(note);
  while (region.children.length > 4) region.firstElementChild.remove();
  expire(note);
}

function expire(note) {
  if (note.classList.contains("toast-error") || note.dataset.expires) return;
  note.dataset.expires = "yes";
  const close = () => (note.matches(":hover, :focus-within") ? setTimeout(close, 2000) : note.remove());
  setTimeout(close, STAY);
}

export function expireAll() {
  document.querySelectorAll("#toasts > [data-toast]").forEach(expire);
}

document.addEventListener("toast", (event) => toast(typeof event.detail === "string" ? { text: event.detail } : event.detail));
document.addEventListener("click", (event) => event.target.closest("[data-toast-close]")?.closest("[data-toast]")?.remove());
