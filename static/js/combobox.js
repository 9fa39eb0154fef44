// select[data-combobox] becomes a tom-select on its first pointer or key, not before: building on each swap costs 200 ms.
// data-url="/people.json?q=" answers [{"value", "text"}]; without it the options of the select are searched.
let library = null;

function load() {
  library ??= new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = document.body.dataset.vendor;
    script.onload = () => done(window.TomSelect);
    script.onerror = () => { library = null; failed(new Error("The combobox script did not load.")); };
    document.head.append(script);
  });
  return library;
}

async function build(select) {
  if (select.tomselect || select.dataset.building) return;
  select.dataset.building = "yes";
  const label = select.getAttribute("aria-label") || select.labels?.[0]?.textContent.trim() || select.name;
  let TomSelect;
  try { TomSelect = await load(); } catch { delete select.dataset.building; return; }
  if (!select.isConnected) return;
  const { url } = select.dataset;
  const box = new TomSelect(select, {
    maxOptions: 50, allowEmptyOption: true, create: false,
    ...(url ? { valueField: "value", labelField: "text", searchField: ["text"], loadThrottle: 200,
      // What the server found counts as found, whatever its words; what stood here before must match by its words.
      score(search) { const own = this.getScoreFunction(search); return (item) => (item.found === search ? 1 : 0) + own(item); },
      load: (query, done) => fetch(url + encodeURIComponent(query), { headers: { Accept: "application/json" } }).then((answer) => answer.ok ? answer.json() : []).then((rows) => done((rows.results ?? rows).map((row) => ({ ...row, found: query }))), () => done()) } : {}),
  });
  select.setAttribute("aria-label", label);
  select.setAttribute("aria-hidden", "true");
  delete select.dataset.building;
  box.focus();
  box.open();
}

for (const name of ["pointerdown", "focusin"]) {
  document.addEventListener(name, (event) => {
    const select = event.target.closest?.("select[data-combobox]");
    if (!select) return;
    if (name === "pointerdown") event.preventDefault();
    build(select);
  });
}
