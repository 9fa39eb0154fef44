// Completions of the search bar: input[data-suggest] is a combobox whose list the server fills (ARIA: list autocomplete).
let asked = 0;
let timer = 0;
const bar = (node) => node?.closest?.("input[data-suggest]");
const box = (input) => document.getElementById(`${input.id}-list`);

function close(input) {
  asked += 1;
  clearTimeout(timer);
  box(input)?.remove();
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
}

function choose(input, { text, start, end }) {
  input.setRangeText(text, start, end, "end");
  close(input);
  input.focus();
  if (text.endsWith(":")) ask(input);
}

function draw(input, rows) {
  box(input)?.remove();
  input.setAttribute("aria-expanded", String(rows.length > 0));
  input.removeAttribute("aria-activedescendant");
  if (!rows.length) return;
  const list = document.createElement("ul");
  list.className = "q-suggest";
  list.id = `${input.id}-list`;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", input.getAttribute("aria-label"));
  rows.forEach((row, at) => {
    const item = document.createElement("li"), word = document.createElement("b"), label = document.createElement("span");
    item.id = `${input.id}-option-${at}`;
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", "false");
    word.textContent = row.text;
    label.textContent = row.label;
    item.append(word, label);
    item.addEventListener("pointerdown", (event) => { event.preventDefault(); choose(input, row); });
    item.choose = () => choose(input, row);
    list.append(item);
  });
  (input.closest("[data-suggest-box]") ?? input.closest("form")).append(list);
}

async function ask(input) {
  const mine = ++asked;
  const query = new URLSearchParams({ q: input.value, cursor: String(input.selectionStart ?? input.value.length) });
  try {
    const answer = await fetch(`${input.dataset.suggest}?${query}`, { headers: { Accept: "application/json" } });
    if (answer.ok && !answer.redirected && mine === asked && document.activeElement === input) draw(input, (await answer.json()).results);
  } catch { /* completions are a convenience: without a connection the bar is a plain field */ }
}

function move(input, step) {
  const options = [...(box(input)?.children ?? [])];
  const at = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
  const to = at + step < -1 ? options.length - 1 : at + step >= options.length ? -1 : at + step;
  options.forEach((option, index) => option.setAttribute("aria-selected", String(index === to)));
  options[to]?.scrollIntoView({ block: "nearest" });
  if (options[to]) input.setAttribute("aria-activedescendant", options[to].id); else input.removeAttribute("aria-activedescendant");
}

document.addEventListener("focusin", (event) => {
  const input = bar(event.target);
  if (!input || input.role === "combobox") return;
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-expanded", "false");
  input.setAttribute("aria-controls", `${input.id}-list`);
});
document.addEventListener("input", (event) => {
  const input = bar(event.target);
  if (!input) return;
  clearTimeout(timer);
  timer = setTimeout(ask, 150, input);
});
document.addEventListener("focusout", (event) => { const input = bar(event.target); if (input) close(input); });
document.addEventListener("keydown", (event) => {
  const input = bar(event.target);
  if (!input || event.isComposing) return;
  const open = box(input);
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    if (open) move(input, event.key === "ArrowDown" ? 1 : -1); else ask(input);
  } else if (open && (event.key === "Enter" || event.key === "Tab")) {
    const chosen = open.querySelector('[aria-selected="true"]');
    if (chosen) { event.preventDefault(); chosen.choose(); } else close(input);
  } else if (event.key === "Escape" && open) {
    event.preventDefault();
    event.stopImmediatePropagation();
    close(input);
  }
}, true);
