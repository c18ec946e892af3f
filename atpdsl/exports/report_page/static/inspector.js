// Everything that is known of the selected node.
import { el, clear } from "./dom.js";
import { number, rowOf, withSign } from "./data.js";

const WORDS = {
  estimate: "estimate, mean of absolute values", signed: "estimate with its sign", effect: "measured effect",
  effect_abs: "mean |effect|", score: "score", rank: "rank", upper: "bound on |effect|", pairs: "pairs that have it",
  estimate_se: "standard error of the estimate", effect_se: "standard error of the effect", sign_flips: "share of pairs with the other sign",
  atp: "plain AtP", by_qk_fix: "added by the QK fix", by_grad_drop: "added by GradDrop", moved_by: "moved most by",
  cancellation: "cancellation index", direct: "direct part of the estimate", direct_ratio: "direct over whole",
  direct_effect: "direct effect, measured", attention: "largest attention weight", attention_change: "largest change of attention",
  saturation_ratio: "exact over first-order change", correction: "change by the QK fix, relative", disagreement: "estimate against effect",
  score_low: "score, lower end of its interval", score_high: "score, upper end",
};
const SIGNED = new Set(["signed", "effect", "by_qk_fix", "by_grad_drop", "direct", "direct_effect"]);

export function inspector(root, data, state) {
  function draw() {
    const table = data.tables[state.get("method")];
    const row = table.row.get(state.get("selected"));
    if (row === undefined) {
      clear(root, el("h2", {}, "Node"), el("p", {}, state.get("selected")
        ? `${state.get("selected")} is not among the nodes that this page has.` : "Select a node in any view."));
      return;
    }
    const one = rowOf(data, table, row);
    const facts = Object.entries(WORDS).filter(([key]) => one[key] !== null && one[key] !== undefined && one[key] !== "");
    const graph = data.graphs[state.get("method")];
    clear(root,
      el("h2", {}, one.name),
      el("p", {}, `Token ${one.place.token === null ? "of the whole prompt" : `\u201c${one.place.token}\u201d`}`
        + `${one.place.same_token ? "" : " (another one in other pairs)"}`),
      el("p", { class: one.verified ? "measured" : "estimated" }, one.verified ? "\u2713 Measured by patching it alone."
        : data.methods.find((method) => method.label === state.get("method")).exact ? "Measured." : "Only estimated: nobody has measured it."),
      one.flagList.length ? el("ul", { class: "flags" }, ...one.flagList.map((flag) => el("li", {}, data.flagWords[flag] ?? flag))) : null,
      el("dl", {}, ...facts.flatMap(([key, words]) => [el("dt", {}, words),
        el("dd", { "data-fact": key }, SIGNED.has(key) ? withSign(one[key], 6) : number(one[key], 6))])),
      neighbours("Reads", graph.links.filter(([, target]) => target === one.name).map(([source, , through]) => [source, through])),
      neighbours("Is read by", graph.links.filter(([source]) => source === one.name).map(([, target, through]) => [target, through])),
      el("button", { type: "button", onclick: () => state.set({ selected: "" }) }, "Unselect"));
  }
  function neighbours(title, found) {
    if (!found.length) return null;
    return el("details", {}, el("summary", {}, `${title} ${found.length}, by the model's structure`),
      el("ul", {}, ...found.slice(0, 60).map(([name, through]) => el("li", {},
        el("button", { type: "button", class: "link", onclick: () => state.set({ selected: name }) }, name), ` ${through}`))));
  }
  state.subscribe(["method", "selected"], draw);
  draw();
}
