// Fields that save on change: [data-autosubmit] sends its own form, and puts the old value back when the answer refuses it.
const before = new WeakMap();

document.addEventListener("focusin", (event) => event.target.matches?.("[data-autosubmit]") && before.set(event.target, event.target.value));
document.addEventListener("change", (event) => {
  if (event.target.matches?.("[data-autosubmit]")) event.target.form?.requestSubmit();
});
for (const name of ["htmx:response:error", "htmx:error"]) {
  document.addEventListener(name, (event) => {
    const field = event.target.closest?.("form")?.querySelector("[data-autosubmit]");
    if (field && before.has(field)) field.value = before.get(field);
  });
}
// Grows a text field where the browser cannot (field-sizing is newer than some).
if (!CSS.supports("field-sizing", "content")) {
  document.addEventListener("input", (event) => {
    if (!event.target.matches?.("textarea")) return;
    event.target.style.blockSize = "auto";
    event.target.style.blockSize = `${event.target.scrollHeight + 2}px`;
  });
}
