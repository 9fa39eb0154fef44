// <a href="#id" data-dialog="id"> opens a <dialog>; without JavaScript :target shows it. data-dialog-open opens one that was swapped in.
export function open(dialog) {
  if (!dialog || dialog.open) return;
  dialog.showModal();
  (dialog.querySelector(".is-invalid") ?? dialog.querySelector("[autofocus]") ?? dialog.querySelector("input:not([type=hidden]), select, textarea"))?.focus();
}

export function openMarked(root = document) {
  root.querySelectorAll("dialog[data-dialog-open]").forEach((dialog) => {
    dialog.removeAttribute("data-dialog-open"); // once: the next swap elsewhere must not open what was closed meanwhile
    open(dialog);
  });
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest?.("[data-dialog]");
  if (opener && !event.ctrlKey && !event.metaKey) {
    const dialog = document.getElementById(opener.dataset.dialog);
    if (dialog) { event.preventDefault(); open(dialog); }
    return;
  }
  if (event.target.closest?.("[data-dialog-close]") || event.target.matches?.("dialog[open]")) {
    const dialog = event.target.closest("dialog");
    if (dialog?.open) { event.preventDefault(); dialog.close(); }
  }
  document.querySelectorAll("details.menu[open]").forEach((menu) => menu.contains(event.target) || menu.removeAttribute("open"));
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details.menu[open]");
  if (!menu) return;
  event.stopImmediatePropagation();
  menu.removeAttribute("open");
  menu.querySelector("summary").focus();
}, true);

document.addEventListener("dialog:close", () => document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close()));
