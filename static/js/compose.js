// The composer: Ctrl+Enter sends, R and N pick the tab, pasted and dropped files join the file field, Escape leaves it.
import { word } from "./words.js";

const form = (node) => node.closest?.("form[data-composer]");

function show(files, input) {
  const box = input.form?.querySelector("[data-files]") ?? input.parentElement.querySelector("[data-files]");
  box?.replaceChildren(...[...files].map((file, index) => {
    const chip = document.createElement("span"), drop = document.createElement("button");
    chip.className = "file-chip";
    chip.append(`${file.name} `);
    drop.type = "button";
    drop.className = "btn-close";
    drop.setAttribute("aria-label", word("remove", file.name));
    drop.addEventListener("click", () => { const rest = new DataTransfer(); [...input.files].forEach((one, i) => i !== index && rest.items.add(one)); input.files = rest.files; show(input.files, input); });
    chip.append(drop);
    return chip;
  }));
}

function add(input, files) {
  if (!input || !files.length) return;
  const all = new DataTransfer();
  [...(input.multiple ? input.files : []), ...files].forEach((file) => all.items.add(file));
  input.files = all.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

const zone = (node) => node.closest?.("form[data-composer], [data-drop]");
const field = (node) => zone(node)?.querySelector("input[type=file]");

document.addEventListener("change", (event) => event.target.matches?.("form[data-composer] input[type=file], [data-drop] input[type=file]") && show(event.target.files, event.target));
document.addEventListener("keydown", (event) => {
  const own = form(event.target);
  if (!own) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); own.requestSubmit(own.querySelector("[data-send]")); }
  else if (event.key === "Escape" && event.target.matches("textarea")) event.target.blur();
});
document.addEventListener("click", (event) => {
  const opener = event.target.closest?.("[data-compose]");
  const own = opener && document.querySelector("form[data-composer]");
  if (!own) return;
  event.preventDefault();
  const tab = own.querySelector(`[name="visibility"][value="${CSS.escape(opener.dataset.compose)}"]`);
  if (tab) { tab.checked = true; tab.dispatchEvent(new Event("change", { bubbles: true })); }
  document.querySelector('.view-tabs [value="talk"]')?.click();
  const text = own.querySelector("textarea");
  if (text.selectionEnd === 0) text.setSelectionRange(text.value.length, text.value.length);
  text.focus();
});
document.addEventListener("paste", (event) => {
  const input = field(event.target);
  const files = [...(event.clipboardData?.files ?? [])];
  if (input && files.length) { event.preventDefault(); add(input, files); }
});
for (const name of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    const box = zone(event.target);
    if (!box || !event.dataTransfer?.types.includes("Files") || event.target.matches("input[type=file]")) return;
    event.preventDefault();
    box.classList.toggle("is-dropping", name === "dragover");
    if (name === "drop") add(field(box), [...event.dataTransfer.files]);
  });
}
