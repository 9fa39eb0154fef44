// Keys are declared where they act: data-hotkey="R", "Mod+K", "G Q". Delegated, off in fields, and scoped to an open dialog.
import { open } from "./dialog.js";

const TAKEN = new Set(["Mod+F", "Mod+L", "Mod+T", "Mod+W", "Mod+P", "Mod+S", "Mod+G"]);
let first = "";
let firstAt = 0;

const typing = (node) => node.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable=true]");
const visible = (node) => node.checkVisibility?.() ?? node.offsetParent !== null;
const enabled = () => document.body.dataset.keys !== "off";

function pressed(event) {
  const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  const shift = event.shiftKey && event.key.length > 1 || event.shiftKey && /^[A-Z]$/i.test(event.key) ? "Shift+" : "";
  return (event.ctrlKey || event.metaKey ? "Mod+" : "") + shift + key;
}

function find(keys) {
  const scope = document.querySelector("dialog[open]") ?? document;
  return [...scope.querySelectorAll("[data-hotkey]")].find((node) => node.dataset.hotkey.split(",").some((one) => one.trim() === keys) && (visible(node) || keys.startsWith("Mod+")));
}

function act(node) {
  if (node.matches("input:not([type=checkbox], [type=radio], [type=submit]), textarea, select")) node.focus();
  else node.click();
}

function help() {
  const dialog = document.getElementById("keys-dialog");
  if (!dialog || document.querySelector("dialog[open]")) return;
  const list = dialog.querySelector(".keys-list");
  const seen = new Set();
  list.replaceChildren(...[...document.querySelectorAll("[data-hotkey]")].filter((node) => visible(node) && !seen.has(node.dataset.hotkey) && seen.add(node.dataset.hotkey)).map((node) => {
    const row = document.createElement("div"), dt = document.createElement("dt"), dd = document.createElement("dd");
    dd.textContent = node.dataset.hotkeyLabel || node.getAttribute("aria-label") || node.querySelector(".trunc")?.textContent || node.textContent.trim();
    node.dataset.hotkey.split(/[ ,]+/).forEach((key) => { const kbd = document.createElement("kbd"); kbd.textContent = key.replace("Mod", navigator.platform.startsWith("Mac") ? "⌘" : "Ctrl"); dt.append(kbd, " "); });
    row.append(dd, dt);
    return row;
  }));
  open(dialog);
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.altKey || event.isComposing) return;
  const keys = pressed(event);
  const modified = keys.startsWith("Mod+");
  if (!modified && (typing(event.target) || !enabled()) || TAKEN.has(keys)) return;
  if (keys === "?" || keys === "Shift+?") { event.preventDefault(); help(); return; }
  const chord = first && Date.now() - firstAt < 1200 ? `${first} ${keys}` : "";
  const node = (chord && find(chord)) || find(keys);
  first = !modified && !chord && /^[A-Z]$/.test(keys) ? keys : "";
  firstAt = Date.now();
  if (!node) return;
  event.preventDefault();
  first = "";
  act(node);
});
