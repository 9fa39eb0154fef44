// The server's side of drafts: saving, files, discarding, versions of a text, and a session that has ended.
// A form that is kept there has data-draft-ticket (a composer) or data-draft-place (a form of its own).
import { toast } from "./toasts.js";
import { word } from "./words.js";

const EMPTY = { rev: "", body: "", files: [], versions: [] };
const queues = new WeakMap();
const known = new WeakMap(); // form -> what the server holds, by place
let ended = false; // the session has ended: nothing is asked until somebody has signed in again

export const ready = (form) => Boolean(form && (form.dataset.draftTicket || form.dataset.draftPlace) && document.body.dataset.person);
export const placeOf = (form) => form.dataset.draftPlace ?? form.querySelector("[name=visibility]:checked")?.value ?? "";
const token = () => { try { return JSON.parse(document.body.getAttribute("hx-headers:inherited"))["X-CSRFToken"]; } catch { return ""; } };

function all(form) {
  if (!known.has(form)) known.set(form, JSON.parse(form.dataset.drafts || "{}"));
  return known.get(form);
}

export const held = (form, place = placeOf(form)) => all(form)[place] ?? null;

function note(form, place, draft) {
  if (draft.rev) all(form)[place] = draft; else delete all(form)[place];
  if (place === placeOf(form)) show(form);
}

function chip(file) {
  const label = document.createElement("label"), input = document.createElement("input");
  label.className = "file-chip";
  Object.assign(input, { type: "checkbox", name: "kept", value: file.key, checked: true, className: "form-check-input" });
  label.append(input, ` ${file.name}`);
  return label;
}

function line(version, at) {
  const box = document.createElement("div"), text = document.createElement("div"), use = document.createElement("button");
  box.className = "draft-version";
  text.className = "draft-version-text";
  text.textContent = version.body;
  Object.assign(use, { type: "button", className: "btn btn-plain btn-sm", textContent: word("version-use") });
  use.dataset.draftUse = String(at);
  box.append(text, use);
  return box;
}

// Shows what belongs to the draft of the present place: its revision, its files, other versions, the button to discard.
export function show(form) {
  const draft = held(form) ?? EMPTY, part = (name) => form.querySelector(`[data-draft-${name}]`);
  const rev = form.querySelector("[name=draft_rev]");
  if (rev) rev.value = draft.rev;
  if (part("discard")) part("discard").hidden = !draft.rev;
  part("kept")?.replaceChildren(...draft.files.map(chip));
  const box = part("versions");
  if (!box) return;
  box.hidden = draft.versions.length === 0;
  part("versions-title").textContent = draft.versions.length === 1 ? word("version-one") : word("version-many", String(draft.versions.length));
  box.querySelectorAll(".draft-version").forEach((old) => old.remove());
  box.append(...draft.versions.map(line));
}

function sessionEnded() {
  ended = true;
  const template = document.getElementById("session-ended");
  if (!template || document.querySelector("[data-session-ended]")) return;
  const notice = template.content.firstElementChild.cloneNode(true);
  const link = notice.querySelector("a");
  link.setAttribute("href", `${link.getAttribute("href")}?next=${encodeURIComponent(location.pathname + location.search)}`);
  document.body.append(notice);
}

// After somebody signed in again, in another tab: this page goes on with the new token, if it is the same person.
export async function renew() {
  if (!ended) return false;
  const answer = await fetch(word("session-url"), { headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer?.ok) return false;
  const found = await answer.json();
  if (found.person !== document.body.dataset.person) { location.reload(); return false; }
  ended = false;
  document.body.setAttribute("hx-headers:inherited", JSON.stringify({ "X-CSRFToken": found.token }));
  document.querySelectorAll("[name=csrfmiddlewaretoken]").forEach((input) => { input.value = found.token; });
  document.querySelectorAll("[data-session-ended]").forEach((notice) => notice.remove());
  return true;
}

async function ask(what, form, sent, again = true) {
  const size = [...sent.values()].reduce((sum, value) => sum + (value.size ?? value.length), 0);
  const options = { method: "POST", body: sent, keepalive: size < 20000, redirect: "manual", headers: { "X-CSRFToken": token(), Accept: "application/json" } };
  const answer = ended ? null : await fetch(word(`${what}-url`), options).catch(() => null);
  form.toggleAttribute("data-draft-unsaved", !answer || ![200, 422].includes(answer.status));
  if (answer?.ok) return answer.json();
  if (answer?.status === 401) sessionEnded();
  else if (answer?.status === 403 && again) { ended = true; return (await renew()) ? ask(what, form, sent, false) : (sessionEnded(), null); }
  else if (answer && [413, 422].includes(answer.status)) toast({ text: (await answer.json().catch(() => null))?.error ?? word("too-large"), level: "error" });
  return null;
}

function asked(form, place, values) {
  const sent = new FormData();
  const head = { ticket: form.dataset.draftTicket ?? "", place, person: document.body.dataset.person, key: form.querySelector("[name=submission_key]")?.value ?? "" };
  Object.entries({ ...head, ...values }).forEach(([name, value]) => [value].flat().forEach((one) => sent.append(name, one)));
  return sent;
}

// One question after the other for each form, so that each knows the revision that the one before has made. Gives the
// draft as it is now, or null: then everything is as it was, and the text is kept in this browser.
export function tell(form, what, place, values = () => ({}), wanted = () => true) {
  const job = (queues.get(form) ?? Promise.resolve()).then(async () => {
    if (!wanted()) return null;
    const answer = await ask(what, form, asked(form, place, { base: held(form, place)?.rev ?? "", ...values() }));
    if (!answer || answer.sent || !wanted()) return null;
    if (what !== "discard") note(form, place, answer);
    return answer;
  });
  queues.set(form, job.catch(() => null));
  return job;
}

// Chosen files are stored with the draft at once and leave the field: they outlive the page, and are sent once.
export function storeFiles(input, wanted) {
  const form = input.form, chosen = [...input.files];
  return tell(form, "files", placeOf(form), () => ({ files: chosen }), () => wanted() && input.isConnected).then((answer) => {
    if (!answer) return;
    const rest = new DataTransfer();
    [...input.files].filter((file) => !chosen.includes(file)).forEach((file) => rest.items.add(file));
    input.files = rest.files;
    if (!rest.files.length) form.querySelector("[data-files]")?.replaceChildren();
  });
}

export async function discard(form) {
  const place = placeOf(form), answer = await tell(form, "discard", place);
  if (!answer) return false;
  delete all(form)[place];
  if (place === placeOf(form)) show(form);
  toast({ text: answer.text, undo: answer.undo });
  return true;
}
