// Classic script in <head>: sets the theme before the first paint. "auto" follows the system.
(function () {
  "use strict";
  var root = document.documentElement;
  var dark = window.matchMedia("(prefers-color-scheme: dark)");
  function chosen() {
    var found = document.cookie.match(/(?:^|; )theme=(light|dark|auto)/);
    return found ? found[1] : root.getAttribute("data-theme") || "auto";
  }
  function paint() {
    var theme = chosen();
    var now = theme === "auto" ? (dark.matches ? "dark" : "light") : theme;
    if (root.getAttribute("data-bs-theme") !== now) root.setAttribute("data-bs-theme", now);
  }
  function choose(theme) {
    document.cookie = "theme=" + theme + "; path=/; max-age=31536000; SameSite=Lax" + (location.protocol === "https:" ? "; Secure" : "");
    root.setAttribute("data-theme", theme);
    paint();
    document.dispatchEvent(new CustomEvent("theme", { detail: theme }));
  }
  root.classList.add("js");
  paint();
  dark.addEventListener("change", paint);
  document.addEventListener("click", function (event) {
    if (!event.target.closest) return;
    if (event.target.closest("[data-theme-toggle]")) choose(root.getAttribute("data-bs-theme") === "dark" ? "light" : "dark");
    var set = event.target.closest("[data-theme-set]");
    if (set) choose(set.getAttribute("data-theme-set"));
  });
})();
