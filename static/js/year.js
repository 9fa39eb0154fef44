// The year view for the keyboard: one day can be reached with Tab, arrow keys go on from there, and a line above the
// months says what the day is. Without this the days' texts and the list below say the same.
const root = document.querySelector("[data-year]");
const days = root ? [...root.querySelectorAll("[data-day]")] : [];
const said = root?.querySelector("[data-year-said]");
const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7, PageUp: -28, PageDown: 28 };

function show(day) {
  said.hidden = false;
  said.textContent = day.dataset.day;
}

function go(from, to) {
  if (!to) return;
  from.tabIndex = -1;
  to.tabIndex = 0;
  to.focus();
}

for (const [at, day] of days.entries()) {
  day.tabIndex = -1;
  day.addEventListener("focus", () => show(day));
  day.addEventListener("pointerenter", () => show(day));
  day.addEventListener("keydown", (event) => {
    const step = STEPS[event.key] * (document.dir === "rtl" && event.key.match(/Left|Right/) ? -1 : 1);
    const to = event.key === "Home" ? days[0] : event.key === "End" ? days.at(-1) : days[at + step];
    if (!step && !["Home", "End"].includes(event.key)) return;
    event.preventDefault();
    go(day, to);
  });
}
if (days.length) {
  (root.querySelector(".is-today") ?? days[0]).tabIndex = 0;
  show(root.querySelector(".is-today") ?? days[0]);
}
