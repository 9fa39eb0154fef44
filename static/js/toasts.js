// Toasts: {text, level, undo, stays} from HX-Trigger "toast", or toast() from a module. Errors stay until closed.
const STAY = 8000; // the time for which an undo is held, ui.md §5

// On an open ticket an undo refreshes its parts, so that nothing else on the page is lost.
function inPlace(form, undo) {
  if (!document.getElementById("ticket-pulse")) return;
  form.setAttribute("hx-post", undo);
  form.setAttribute("hx-swap", "none");
  if (document.querySelector("#preview #ticket")) form.insertAdjacentHTML("beforeend", '<input type="hidden" name="pane" value="1">');
}

export function toast({ text, level = "success", undo = "", stays = 0 }) {
  const region = document.getElementById("toasts");
  const template = document.querySelector(`template[data-toast-template="${CSS.escape(level)}"]`) ?? document.querySelector("template[data-toast-template]");
  if (!region || !template || !text) return;
  const note = template.content.firstElementChild.cloneNode(true);
  note.querySelector(".toast-text").textContent = text;
  const form = note.querySelector("[data-toast-undo]");
  if (undo && new URL(undo, location.href).origin === location.origin) {
    form.action = undo;
    form.hidden = false;
    inPlace(form, undo);
  } else form.remove();
  region.append(note);
  if (form.isConnected) htmx.process(form);
  while (region.children.length > 4) region.firstElementChild.remove();
  expire(note, stays * 1000 || STAY);
}

function expire(note, stay = STAY) {
  if (note.classList.contains("toast-error") || note.dataset.expires) return;
  note.dataset.expires = "yes";
  const close = () => (note.matches(":hover, :focus-within") ? setTimeout(close, 2000) : note.remove());
  setTimeout(close, stay);
}

export function expireAll() {
  document.querySelectorAll("#toasts > [data-toast]").forEach((note) => expire(note));
}

document.addEventListener("toast", (event) => toast(typeof event.detail === "string" ? { text: event.detail } : event.detail));
document.addEventListener("click", (event) => event.target.closest("[data-toast-close]")?.closest("[data-toast]")?.remove());
document.addEventListener("htmx:finally:request", (event) => event.target.closest?.("[data-toast-undo]")?.closest("[data-toast]").remove());
