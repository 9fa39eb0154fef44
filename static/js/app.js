// The one module entry. Every module delegates from document; what needs a look at new markup runs again after a swap.
import { openMarked } from "./dialog.js";
import { restore } from "./drafts.js";
import { count } from "./list.js";
import { tick } from "./sla.js";
import { expireAll } from "./toasts.js";
import "./combobox.js";
import "./compose.js";
import "./edit.js";
import "./keys.js";
import "./network.js";
import "./palette.js";
import "./pulse.js";
import "./submit.js";

function enhance() {
  restore();
  tick();
  expireAll();
  openMarked();
  count();
}

enhance();
document.documentElement.classList.add("ready");
document.addEventListener("htmx:after:swap", enhance);
