// Lists marked data-list: J/K move the focus over [data-list-link], X selects, Escape clears; the bulk bar counts.
const links = () => [...document.querySelectorAll("[data-list] [data-list-link]")].filter((link) => link.offsetParent !== null);
const off = (event) => event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.body.dataset.keys === "off"
  || document.querySelector("dialog[open]") || event.target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable=true]");

function current(all) {
  const focused = all.indexOf(document.activeElement?.closest?.("[data-list-row]")?.querySelector("[data-list-link]"));
  return focused >= 0 ? focused : all.findIndex((link) => link.getAttribute("aria-current") === "true");
}

export function count() {
  document.querySelectorAll("[data-list]").forEach((list) => {
    const chosen = list.querySelectorAll("[data-list-row] input[type=checkbox]:checked").length;
    list.classList.toggle("is-selecting", chosen > 0);
    const bar = document.querySelector("[data-bulk-bar]");
    if (bar) { bar.hidden = chosen === 0; bar.querySelectorAll("[data-bulk-count]").forEach((node) => (node.textContent = String(chosen))); }
  });
}

let anchor = null;
document.addEventListener("keydown", (event) => {
  if (off(event)) return;
  const all = links();
  if (!all.length) return;
  const at = current(all);
  const key = event.key.toLowerCase();
  if (key === "j" || key === "k") {
    event.preventDefault();
    const next = all[Math.min(Math.max(at + (key === "j" ? 1 : -1), 0), all.length - 1)];
    next.focus();
    next.scrollIntoView({ block: "nearest" });
    if (matchMedia("(min-width: 992px)").matches && next.matches("[hx-get]")) next.dispatchEvent(new CustomEvent("preview", { bubbles: true }));
  } else if (key === "x" && at >= 0) {
    const box = all[at].closest("[data-list-row]").querySelector("input[type=checkbox]");
    if (!box) return;
    event.preventDefault();
    const from = event.shiftKey && anchor !== null ? anchor : at;
    const on = !box.checked;
    for (let i = Math.min(from, at); i <= Math.max(from, at); i += 1) all[i].closest("[data-list-row]").querySelector("input[type=checkbox]").checked = on;
    anchor = at;
    box.dispatchEvent(new Event("change", { bubbles: true }));
  } else if (event.key === "Escape" && document.querySelector("[data-list].is-selecting")) {
    document.querySelectorAll("[data-list] input[type=checkbox]:checked").forEach((box) => (box.checked = false));
    count();
  }
});
document.addEventListener("change", (event) => event.target.closest?.("[data-list]") && count());
