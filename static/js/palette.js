// The palette: pages of the rail and actions of this page that match, a search for the words as typed, and the tickets
// that the dialog's data-url answers with: {"results": [{"text", "hint", "url"}]}.
import { word } from "./words.js";

const box = () => document.getElementById("palette");
let tickets = [];
let timer = 0;

function entries() {
  const seen = new Set();
  return [...document.querySelectorAll(".rail-link, [data-hotkey]")].filter((node) => !node.closest("dialog") && !node.matches("[data-palette-open], [data-list-row] *")).map((node) => ({
    node, text: (node.dataset.hotkeyLabel || node.querySelector(".trunc")?.textContent || node.getAttribute("aria-label") || node.textContent).trim(), key: node.dataset.hotkey ?? "" }))
    .filter(({ text }) => text && !seen.has(text) && seen.add(text));
}

function draw(chosen = 0) {
  const dialog = box(), query = dialog.querySelector("input").value.trim();
  const found = entries().filter(({ text }) => text.toLowerCase().includes(query.toLowerCase())).slice(0, 9);
  const rows = [...(query ? [{ text: word("find", query), search: true }] : []), ...found, ...tickets].map((entry, index) => {
    const row = document.createElement("li");
    row.className = "menu-item";
    row.id = `palette-${index}`;
    row.setAttribute("role", "option");
    row.setAttribute("aria-selected", String(index === chosen));
    row.append(entry.text);
    if (entry.hint) { const hint = document.createElement("small"); hint.className = "push muted"; hint.textContent = entry.hint; row.append(hint); }
    if (entry.key) { const kbd = document.createElement("kbd"); kbd.textContent = entry.key.replace("Mod", "Ctrl"); row.append(kbd); }
    row.addEventListener("click", () => {
      if (entry.search) return dialog.querySelector("form").requestSubmit();
      dialog.close();
      return entry.url ? location.assign(entry.url) : entry.node.click();
    });
    return row;
  });
  dialog.querySelector(".palette-list").replaceChildren(...rows);
  dialog.querySelector("input").setAttribute("aria-activedescendant", rows.length ? `palette-${chosen}` : "");
}

async function ask(query) {
  try {
    const answer = await fetch(`${box().dataset.url}?q=${encodeURIComponent(query)}`, { headers: { Accept: "application/json" } });
    if (!answer.ok || answer.redirected || box()?.querySelector("input").value.trim() !== query) return;
    tickets = (await answer.json()).results;
    draw(Math.max([...box().querySelectorAll("[role=option]")].findIndex((row) => row.getAttribute("aria-selected") === "true"), 0));
  } catch { /* without a connection the palette still knows the pages */ }
}

function typed() {
  const query = box().querySelector("input").value.trim();
  tickets = [];
  clearTimeout(timer);
  if (query && box().dataset.url) timer = setTimeout(ask, 180, query);
  draw();
}

function move(step) {
  const rows = [...box().querySelectorAll("[role=option]")];
  const at = rows.findIndex((row) => row.getAttribute("aria-selected") === "true");
  const to = (at + step + rows.length) % rows.length;
  rows.forEach((row, index) => row.setAttribute("aria-selected", String(index === to)));
  rows[to]?.scrollIntoView({ block: "nearest" });
  box().querySelector("input").setAttribute("aria-activedescendant", rows[to]?.id ?? "");
}

document.addEventListener("click", (event) => {
  const dialog = event.target.closest?.("[data-palette-open]") && !event.ctrlKey && !event.metaKey && box();
  if (!dialog) return;
  event.preventDefault();
  dialog.querySelector("input").value = "";
  tickets = [];
  draw();
  if (!dialog.open) dialog.showModal();
  dialog.querySelector("input").focus();
});
document.addEventListener("input", (event) => event.target.closest?.("#palette") && typed());
document.addEventListener("keydown", (event) => {
  if (!event.target.closest?.("#palette") || event.isComposing) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") { event.preventDefault(); move(event.key === "ArrowDown" ? 1 : -1); }
  else if (event.key === "Enter") { event.preventDefault(); box().querySelector('[aria-selected="true"]')?.click(); }
});
