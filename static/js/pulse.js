// "pulse" on <body>: every 15 s while visible (10 s when data-pulse="10"), at once on wake, once a minute when idle.
let last = Date.now();
let active = Date.now();

function pulse() {
  last = Date.now();
  document.body.dispatchEvent(new CustomEvent("pulse", { bubbles: true }));
}

function due() {
  if (Date.now() - active > 300000) return 60000;
  return document.querySelector('[data-pulse="10"]') ? 10000 : 15000;
}

setInterval(() => !document.hidden && Date.now() - last >= due() - 50 && pulse(), 1000);
document.addEventListener("visibilitychange", () => !document.hidden && pulse());
addEventListener("pageshow", (event) => event.persisted && pulse());
addEventListener("online", pulse);
for (const name of ["pointerdown", "keydown", "scroll"]) {
  addEventListener(name, () => {
    const wasIdle = Date.now() - active > 300000;
    active = Date.now();
    if (wasIdle) pulse();
  }, { passive: true, capture: true });
}
