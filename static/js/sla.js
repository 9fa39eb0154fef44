// Counts service levels and ages between answers of the server. The server decides breach: here zero stays zero.
import { word } from "./words.js";

const skew = Date.parse(document.querySelector('meta[name="server-time"]')?.content ?? "") - Date.now() || 0;

const now = () => Date.now() + skew;

function short(seconds) {
  const minutes = Math.floor(Math.abs(seconds) / 60);
  const d = Math.floor(minutes / 1440), h = Math.floor((minutes % 1440) / 60), m = minutes % 60;
  if (d) return h && d < 10 ? `${d}d ${h}h` : `${d}d`;
  if (h) return m && h < 20 ? `${h}h ${m}m` : `${h}h`;
  return `${m}m`;
}

function tickBadge(badge) {
  const due = Date.parse(badge.dataset.dueAt);
  const time = badge.querySelector("[data-sla-time]");
  if (Number.isNaN(due) || !time) return;
  const left = (due - now()) / 1000;
  const late = badge.dataset.sla === "breached";
  const text = (late ? "−" : "") + short(late ? left : Math.max(left, 0));
  if (time.textContent !== text) time.textContent = text;
  if (badge.dataset.sla === "on_track" && left <= Math.max(0.2 * Number(badge.dataset.targetS || 0), 900)) {
    badge.dataset.sla = "at_risk";
    badge.classList.replace("sla-ok", "sla-risk");
    const spoken = badge.querySelector("[data-sla-word]");
    if (spoken) spoken.textContent = spoken.textContent.replace(word("state-on_track"), word("state-at_risk"));
  }
  if (!late && left <= 0 && !badge.dataset.asked) {
    badge.dataset.asked = "yes"; // once: ask the server whether it breached
    document.body.dispatchEvent(new CustomEvent("pulse", { bubbles: true, detail: "due" }));
  }
}

function tickAge(time) {
  const past = (now() - Date.parse(time.dateTime)) / 1000;
  if (!(past >= 60)) return;
  const [value, unit] = past < 3600 ? [past / 60, "minute"] : past < 86400 ? [past / 3600, "hour"] : [past / 86400, "day"];
  const words = new Intl.RelativeTimeFormat(document.documentElement.lang || "en", { style: "narrow", numeric: "always" });
  const text = words.format(-Math.floor(value), unit);
  if (time.textContent !== text) time.textContent = text;
}

export function tick(root = document) {
  root.querySelectorAll("[data-sla]").forEach(tickBadge);
  root.querySelectorAll("time[data-ago]").forEach(tickAge);
}

setInterval(() => document.hidden || tick(), 15000);
document.addEventListener("visibilitychange", () => document.hidden || tick());
