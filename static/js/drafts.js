// What is typed in a [data-draft-key] field is kept: in this browser at once, and on the server where its form is kept
// there (draft_server.js). The newer of the two is shown, the other stays as a version beside it. data-draft-sent on a
// page or answer lists keys to forget. Drafts are the person's who typed them: somebody else who signs in at the same
// device finds none, and theirs are removed.
import { discard, held, placeOf, ready, renew, show, storeFiles, tell } from "./draft_server.js";
import { word } from "./words.js";

const ALL = "draft:";
const PREFIX = `${ALL}${document.body.dataset.person ?? ""}:`;
const AGE = 14 * 86400000;
const PAUSE = 800;
const skew = Date.parse(document.querySelector('meta[name="server-time"]')?.content ?? "") - Date.now() || 0;
const store = {
  get(key) { try { return JSON.parse(localStorage.getItem(PREFIX + key)); } catch { return null; } },
  set(key, draft) { try { localStorage.setItem(PREFIX + key, JSON.stringify(draft)); return true; } catch { return false; } },
  drop(key) { try { localStorage.removeItem(PREFIX + key); } catch { /* storage is switched off */ } },
};
const timers = new Map(); // field -> the timer after which it is kept
const gone = new WeakSet(); // forms that are being sent: what is on its way must not come back as a draft

function dropOthers() {
  if (!document.body.dataset.person) return;
  try { Object.keys(localStorage).filter((key) => key.startsWith(ALL) && !key.startsWith(PREFIX)).forEach((key) => localStorage.removeItem(key)); } catch { /* storage is switched off */ }
}
dropOthers();

const clock = () => new Date().toLocaleTimeString(document.documentElement.lang || [], { hour: "2-digit", minute: "2-digit" });
const fieldOf = (form) => form?.querySelector("[data-draft-key]");
const isForm = (form) => Boolean(form?.dataset.draftPlace && !form.matches("[data-composer]"));

function state(field, text) {
  const box = field.closest("form")?.querySelector("[data-draft-state]");
  if (box) box.textContent = text;
}

function stop(field) {
  clearTimeout(timers.get(field));
  timers.delete(field);
}

// The other fields of a form that is kept as a whole; empty while all of them are as the page came.
function fieldsOf(form) {
  if (!isForm(form)) return {};
  const others = [...form.elements].filter((one) => one.name && !one.matches("[type=hidden], [type=file], [type=submit], [data-draft-key]"));
  const changed = (one) => one.type === "radio" || one.type === "checkbox" ? one.checked !== one.defaultChecked
    : one.tagName === "SELECT" ? [...one.options].some((option) => option.selected !== option.defaultSelected && option.value) : one.value !== one.defaultValue;
  if (!others.some(changed) && !held(form)) return {};
  return Object.fromEntries(others.filter((one) => one.type !== "radio" || one.checked).map((one) => [one.name, one.value.slice(0, 300)]));
}

function keep(field) {
  const form = field.closest("form"), fields = fieldsOf(form);
  const has = field.value.trim() !== "" || Object.values(fields).some(Boolean);
  if (!has) { store.drop(field.dataset.draftKey); state(field, ""); return; }
  const rev = ready(form) ? held(form)?.rev ?? "" : "";
  if (store.set(field.dataset.draftKey, { text: field.value, at: Date.now() + skew, rev, fields })) state(field, word("draft-kept", clock()));
}

async function send(field, more = {}) {
  const form = field.closest("form"), place = placeOf(form), key = field.dataset.draftKey, text = field.value, fields = fieldsOf(form);
  const said = { body: text, ...(isForm(form) ? { fields: JSON.stringify(fields) } : {}), ...more };
  const answer = await tell(form, "save", place, () => said, () => !gone.has(form));
  if (!answer) return;
  const local = store.get(key);
  if (local?.text === text) store.set(key, { ...local, rev: answer.rev, acked: true });
  if (field.dataset.draftKey === key && field.value === text) state(field, answer.rev ? word("draft-saved", clock()) : "");
}

function save(field, more) {
  stop(field);
  keep(field);
  if (ready(field.closest("form")) && !gone.has(field.closest("form"))) send(field, more);
}

function put(field, text) {
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function putFields(form, fields) {
  Object.entries(fields ?? {}).forEach(([name, value]) => {
    const input = form.elements[name];
    if (!input || !value || input.tagName === "SELECT" && ![...input.options].some((option) => option.value === value)) return;
    input.value = value;
  });
}

// Which of the two texts is shown, and what becomes of the other.
function reconcile(field, form) {
  const key = field.dataset.draftKey, local = store.get(key), server = ready(form) ? held(form) : null;
  if (server?.body.trim() && field.value.trim() === server.body.trim()) state(field, word("draft-restored"));
  if (!local || Date.now() + skew - local.at > AGE || form?.hasAttribute("data-draft-typed")) return;
  if (!server && (field.value.trim() || local.acked)) { // typed on this page, or sent or thrown away elsewhere
    if (local.acked) store.drop(key);
    return;
  }
  const differs = local.text.trim() !== (server?.body ?? "").trim() || JSON.stringify(local.fields ?? {}) !== JSON.stringify(server?.fields ?? {});
  if (server && (!differs || local.acked && local.rev !== server.rev)) return; // another device has gone on with it
  if (server && local.rev !== server.rev && local.at < server.at) {
    store.drop(key);
    if (local.text.trim() && local.text.trim() !== server.body.trim()) send(field, { aside: local.text });
    return;
  }
  put(field, local.text);
  if (form) putFields(form, local.fields);
  state(field, word("draft-restored"));
  if (ready(form)) send(field, server && local.rev !== server.rev ? { base: "-" } : {});
}

export function restore(root = document) {
  root.querySelectorAll("[data-draft-sent]").forEach((mark) => forget(mark.dataset.draftSent));
  root.querySelectorAll("[data-draft-key]").forEach((field) => {
    if (field.dataset.draftSeen) return;
    field.dataset.draftSeen = "yes";
    const form = field.closest("form"), undo = form?.querySelector("[name=undo]");
    if (undo) undo.value = "1";
    if (ready(form)) show(form);
    reconcile(field, form);
    if (!field.value.trim() && ready(form)) otherTab(field, form);
  });
}

// A text that only this browser has, under the other tab: that tab is shown, or it would look lost.
function otherTab(field, form) {
  const other = form.querySelector("[type=radio][name=visibility]:not(:checked)");
  const local = other && store.get(field.dataset.draftKey.replace(/[a-z]+$/, other.value));
  if (!local?.text.trim() || local.acked || Date.now() + skew - local.at > AGE) return;
  other.checked = true;
  changeTab(form);
}

export function forget(keys) {
  for (const key of keys.split(/\s+/).filter(Boolean)) {
    [...timers.keys()].filter((field) => field.dataset.draftKey === key).forEach(stop);
    store.drop(key);
  }
}

// Another tab of the composer: each has a draft of its own. A text goes along to a tab that has none, so that what was
// begun as the wrong one need not be typed again; where there is one, each stays where it is.
export function changeTab(form) {
  const field = fieldOf(form), from = field.dataset.draftKey, key = from.replace(/[a-z]+$/, placeOf(form));
  if (key === from) return;
  const old = from.match(/[a-z]+$/)[0], text = field.value, server = ready(form);
  const other = store.get(key)?.text ?? (server ? held(form)?.body : "") ?? "";
  const moves = text.trim() !== "" && !other.trim();
  stop(field);
  if (moves) store.drop(from); else keep(field);
  if (server && (moves ? "" : text) !== (held(form, old)?.body ?? "")) tell(form, "save", old, () => ({ body: moves ? "" : text }), () => !gone.has(form));
  field.dataset.draftKey = key;
  if (server) show(form);
  if (moves) { save(field); return; }
  put(field, server ? held(form)?.body ?? "" : "");
  state(field, "");
  reconcile(field, form);
}

const flush = () => [...timers.keys()].forEach((field) => (field.isConnected ? save(field) : stop(field)));
function later(field) {
  stop(field);
  timers.set(field, setTimeout(save, PAUSE, field));
}

function typed(event) {
  const form = event.target.closest?.("form"), field = event.target.closest?.("[data-draft-key]") ?? (isForm(form) ? fieldOf(form) : null);
  if (!field || event.target.type === "file") return;
  gone.delete(form);
  later(field);
}
document.addEventListener("input", (event) => event.isTrusted && typed(event));
document.addEventListener("change", (event) => {
  const form = event.target.closest?.("form");
  if (isForm(form)) typed(event);
  if (!ready(form) || !form.matches("[data-composer]")) return;
  if (event.target.matches("[type=file]") && event.target.files.length) { gone.delete(form); storeFiles(event.target, () => !gone.has(form)); }
  if (event.target.matches("[data-draft-kept] input") && !event.target.checked) tell(form, "file-removed", placeOf(form), () => ({ file: event.target.value }));
  if (event.target.matches("[name=visibility]")) changeTab(form);
});
document.addEventListener("focusout", flush);
addEventListener("pagehide", flush);
document.addEventListener("visibilitychange", async () => {
  if (document.hidden) flush();
  else if (await renew()) again();
});
const again = () => document.querySelectorAll("form[data-draft-unsaved] [data-draft-key]").forEach((field) => save(field));
addEventListener("online", again);
document.addEventListener("pulse", again);
document.addEventListener("submit", (event) => {
  const form = event.target.closest?.("form"), field = fieldOf(form);
  if (!field || event.submitter?.matches("[data-draft-discard]")) return;
  stop(field);
  keep(field);
  gone.add(form);
}, true);
function empty(form, field) {
  forget(field.dataset.draftKey);
  put(field, "");
  if (isForm(form)) {
    form.querySelectorAll("input[type=text], input:not([type])").forEach((input) => { input.value = ""; });
    form.querySelectorAll("select").forEach((select) => { if (select.tomselect) select.tomselect.clear(true); else select.selectedIndex = 0; });
    form.querySelector("[data-draft-notice]")?.remove();
  }
  state(field, "");
  field.focus();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-draft-discard]"), use = event.target.closest?.("[data-draft-use]");
  const form = (button ?? use)?.closest("form"), field = fieldOf(form);
  if (!field || !ready(form)) return;
  if (button) {
    event.preventDefault();
    stop(field);
    discard(form).then((done) => done && empty(form, field));
  } else {
    const version = held(form)?.versions[Number(use.dataset.draftUse)], aside = field.value;
    if (!version) return;
    put(field, version.body);
    save(field, { aside });
    field.focus();
  }
});
document.addEventListener("draft-sent", (event) => forget(String(event.detail?.value ?? event.detail ?? "")));
document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail, form = event.target.closest?.("form[data-draft-form]");
  if (!form || ctx?.request?.method === "GET") return;
  if (!ctx?.response || ctx.response.status >= 400) { gone.delete(form); return; }
  form.querySelectorAll("[data-draft-key]").forEach((field) => forget(field.dataset.draftKey));
});
document.addEventListener("htmx:error", (event) => gone.delete(event.target.closest?.("form")));
