// The queue: a click reads the ticket beside the list, and the list keeps itself fresh without moving what is in use.
const wide = () => matchMedia("(min-width: 992px)").matches;
const list = () => document.querySelector("[data-queue]");
const part = (name) => document.querySelector(`[data-queue-${name}]`);
const rowsOf = (root) => [...root.querySelectorAll(":scope > [data-list-row]")];
const words = () => part("stamp").dataset;
let waiting = null; // rows of the last answer, when putting them in place would have moved something
let asking = false;
let pressed = false;

function mark(number) {
  document.querySelectorAll("[data-queue] [data-list-link]").forEach((link) => {
    const on = link.dataset.number === number;
    link.toggleAttribute("aria-current", on);
    if (on) link.setAttribute("aria-current", "true");
  });
  const address = new URL(location.href);
  if (number) address.searchParams.set("open", number); else address.searchParams.delete("open");
  history.replaceState(history.state, "", address);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-queue] [data-list-link]");
  // A click that a key made (detail 0) opens the whole page, as the list of keys says of Enter.
  if (!link || !link.matches("[hx-get]") || event.detail === 0 || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || !wide()) return;
  event.preventDefault();
  link.focus({ preventScroll: true });
  link.dispatchEvent(new CustomEvent("preview", { bubbles: true }));
});
document.addEventListener("preview", (event) => mark(event.target.dataset.number));
document.addEventListener("pointerdown", () => { pressed = true; }, true);
for (const name of ["pointerup", "pointercancel"]) document.addEventListener(name, () => { pressed = false; }, true);

const ticked = (row) => row.querySelector("input[type=checkbox]")?.checked;
const inUse = (box) => box.closest(".queue-list").scrollTop > 4 || box.matches(":hover") || box.contains(document.activeElement) || rowsOf(box).some(ticked);

// The new row in place of the old one, with its tick, its mark and the focus.
function renew(old, row) {
  const box = row.querySelector("input[type=checkbox]");
  if (box && ticked(old)) box.checked = true;
  const link = row.querySelector("[data-list-link]");
  if (old.querySelector("[aria-current]")) link.setAttribute("aria-current", "true");
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  old.replaceWith(row);
  if (focused) (focused.matches("input") ? box : link).focus({ preventScroll: true });
}

function place(box, rows) {
  const known = new Map(rowsOf(box).map((row) => [row.id, row]));
  box.querySelector(".q-nothing")?.remove();
  rows.forEach((row, at) => {
    const old = known.get(row.id);
    if (old && old.dataset.version === row.dataset.version && !old.classList.contains("is-gone")) row = old;
    else if (old) renew(old, row);
    known.delete(row.id);
    if (box.children[at] !== row) box.insertBefore(row, box.children[at] ?? null);
  });
  known.forEach((row) => row.remove());
  waiting = null;
  part("show").hidden = true;
}

function take(root) {
  const box = list(), fresh = root.querySelector("[data-fresh]");
  if (!box || !fresh) return;
  const rows = rowsOf(fresh.querySelector("[data-rows]"));
  const present = new Map(rowsOf(box).map((row) => [row.id, row]));
  box.dataset.token = fresh.dataset.token;
  const total = part("total");
  if (total && fresh.dataset.total) total.textContent = fresh.dataset.total;
  fresh.querySelectorAll("[data-counts] li").forEach((item) => {
    const count = [...document.querySelectorAll(".rail-link")].find((link) => link.getAttribute("href") === item.dataset.url)?.querySelector(".rail-count");
    if (count) count.textContent = item.textContent;
  });
  const ids = new Set(rows.map((row) => row.id));
  const added = rows.filter((row) => !present.has(row.id));
  const moved = added.length > 0 || rows.length !== present.size || rows.some((row, at) => box.children[at]?.id !== row.id);
  if (!inUse(box) || !moved) {
    place(box, rows);
  } else {
    // Rows stay where they are; what is shown in them becomes true at once.
    rows.forEach((row) => present.has(row.id) && renew(present.get(row.id), row.cloneNode(true)));
    present.forEach((row, id) => row.classList.toggle("is-gone", !ids.has(id)));
    waiting = rows;
    const show = part("show");
    show.textContent = added.length ? words().new.replace("%s", String(added.length)) : words().changed;
    show.hidden = false;
  }
  htmx.process(box);
  document.dispatchEvent(new CustomEvent("htmx:after:swap", { detail: {} }));
}

function stamp(text, on) {
  const live = part("live");
  part("stamp").textContent = text;
  live.textContent = on ? live.dataset.on : live.dataset.off;
  live.classList.toggle("is-off", !on);
}

async function refresh() {
  const box = list();
  if (!box || asking || pressed) return;
  asking = true;
  try {
    const answer = await fetch(`${box.dataset.live}&token=${encodeURIComponent(box.dataset.token)}`, { headers: { Accept: "text/html" } });
    if (answer.status === 200 && !answer.redirected) {
      const root = document.createElement("template");
      root.innerHTML = await answer.text();
      if (list() === box) take(root.content);
    }
    stamp(answer.status < 300 && !answer.redirected ? words().now : words().lost, answer.status < 300 && !answer.redirected);
  } catch {
    stamp(words().lost, false);
  } finally {
    asking = false;
  }
}

document.addEventListener("pulse", refresh);
document.addEventListener("click", (event) => {
  if (!event.target.closest?.("[data-queue-show]") || !waiting) return;
  const box = list();
  place(box, waiting);
  htmx.process(box);
  box.closest(".queue-list").scrollTop = 0;
  box.closest(".queue-list").focus({ preventScroll: true });
});
const opened = document.querySelector("#preview[data-open]");
if (opened) mark(opened.dataset.open);
