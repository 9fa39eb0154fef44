// What to say when an answer is an error. 4xx answers are swapped in place by htmx; 5xx and silence leave everything as it is.
import { toast } from "./toasts.js";
import { word } from "./words.js";

const MINE = (ctx) => ctx?.request?.method && ctx.request.method !== "GET";

document.addEventListener("htmx:error", (event) => {
  const { ctx, error } = event.detail;
  if (MINE(ctx) && error?.name !== "AbortError") toast({ text: word("not-saved"), level: "error" });
});

document.addEventListener("htmx:response:error", (event) => {
  const { ctx } = event.detail;
  const status = ctx.response.status;
  if (!MINE(ctx)) return;
  if (status >= 500) toast({ text: word("not-saved"), level: "error" });
  else if (status === 413) toast({ text: word("too-large"), level: "error" });
  else if (status === 409) toast({ text: word("conflict"), level: "warning" });
  else if (status === 403) toast({ text: word("denied"), level: "error" });
  else if (status === 401) toast({ text: word("login"), level: "error" });
});

// A whole error page (403, 404, 413 …) never replaces a part of this page; a part that the view made for it does.
document.addEventListener("htmx:before:swap", (event) => {
  const { ctx } = event.detail;
  if (ctx?.response?.status >= 400 && /^\s*<!doctype/i.test(ctx.text ?? "")) event.preventDefault();
});

document.addEventListener("htmx:after:swap", (event) => {
  const { ctx } = event.detail;
  if (![409, 422].includes(ctx?.response?.status)) return;
  // A form in a part that was put anew is gone by now: htmx then tells the document.
  const root = event.target.isConnected ? event.target.closest?.("form, dialog, [data-errors]") ?? event.target : document;
  (root.querySelector(".is-invalid, [aria-invalid='true']") ?? root.querySelector("[role='alert'], .error-summary"))?.focus();
});

addEventListener("offline", () => document.documentElement.classList.add("is-offline"));
addEventListener("online", () => document.documentElement.classList.remove("is-offline"));
