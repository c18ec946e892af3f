// The page: what matters in a glance, then seven views of the same nodes.
import { el, clear, arrowKeys } from "./dom.js";
import { unpacked } from "./data.js";
import { makeState } from "./state.js";
import { inspector } from "./inspector.js";
import { circuitView } from "./circuit.js";
import { heatmapView } from "./heatmap.js";
import { tableView } from "./table.js";
import { trustView } from "./trust.js";
import { whyView } from "./why.js";
import { promptsView } from "./prompts.js";
import { runView } from "./run.js";

const VIEWS = [
  ["circuit", "Circuit", circuitView], ["heatmap", "Heatmap", heatmapView], ["trust", "Trust", trustView],
  ["why", "Why flagged", whyView], ["prompts", "Prompts", promptsView], ["table", "Table", tableView], ["run", "Run", runView],
];

function start(data) {
  const state = makeState(data.first);
  if (!(state.get("method") in data.tables)) state.set({ method: data.first });
  document.title = data.title;
  const tabs = el("div", { role: "tablist", "aria-label": "Views", class: "tabs" });
  const panels = el("div", { class: "panels" });
  const side = el("aside", { "aria-label": "Selected node", "aria-live": "polite" });
  const drawn = new Set();
  for (const [name, title] of VIEWS) {
    tabs.append(el("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": `view-${name}`, onclick: () => state.set({ view: name }) }, title));
    panels.append(el("section", { id: `view-${name}`, role: "tabpanel", "aria-labelledby": `tab-${name}`, tabindex: "0", hidden: true }));
  }
  arrowKeys(tabs);
  clear(document.getElementById("page"), header(data, state), el("nav", {}, tabs), el("main", {}, panels, side));
  inspector(side, data, state);
  function show() {
    const wanted = VIEWS.some(([name]) => name === state.get("view")) ? state.get("view") : "circuit";
    for (const [name, , view] of VIEWS) {
      const here = name === wanted, panel = document.getElementById(`view-${name}`), tab = document.getElementById(`tab-${name}`);
      panel.hidden = !here;
      tab.setAttribute("aria-selected", String(here));
      tab.tabIndex = here ? 0 : -1;
      if (here && !drawn.has(name)) {
        drawn.add(name);
        view(panel, data, state);
      }
    }
    document.body.classList.toggle("without-side", ["prompts", "run"].includes(wanted));
  }
  state.subscribe(["view"], show);
  show();
  // For print every view is drawn.
  window.addEventListener("beforeprint", () => {
    for (const [name, , view] of VIEWS) {
      if (drawn.has(name)) continue;
      drawn.add(name);
      view(document.getElementById(`view-${name}`), data, state);
    }
  });
  document.documentElement.dataset.ready = "yes";
}

function header(data, state) {
  const method = el("select", { id: "method", onchange: () => state.set({ method: method.value }) },
    ...data.methods.map((one) => el("option", { value: one.label, selected: one.label === state.get("method") }, one.label)));
  const dark = el("button", { type: "button", onclick: () => {
    const root = document.documentElement;
    const now = root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
  } }, "Dark / light");
  const glance = el("div", { class: "glance" });
  function draw() {
    method.value = state.get("method");
    const { matters, sure, missing, convention } = data.glance[state.get("method")];
    clear(glance,
      el("div", {}, el("h2", {}, "What matters"), el("ol", {}, ...matters.map(([name, words]) => el("li", {},
        el("button", { type: "button", class: "link", onclick: () => state.set({ selected: name }) }, name), ` ${words}`)))),
      el("div", {}, el("h2", {}, "How sure"), ...sure.map((one) => el("p", {}, one))),
      el("div", {}, el("h2", {}, "What may be missing"), ...missing.map((one) => el("p", {}, one))),
      el("p", { class: "convention" }, convention));
  }
  state.subscribe(["method"], draw);
  draw();
  return el("header", {}, el("div", { class: "title" }, el("h1", {}, data.title), el("div", { class: "tools" },
    el("label", { for: "method" }, "Method"), method, dark)), el("p", { class: "doc" }, data.subtitle), glance);
}

unpacked().then(start).catch((error) => {
  document.getElementById("page").textContent = `This report could not be read: ${error.message}`;
  throw error;
});
