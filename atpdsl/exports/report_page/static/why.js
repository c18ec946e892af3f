// Why a node is flagged: its paths, and the softmax that it moves.
import { el, svg, clear } from "./dom.js";
import { frame, ticks } from "./chart.js";
import { number, rowOf, withSign } from "./data.js";

const W = 430, H = 280;

export function whyView(root, data, state) {
  const place = el("div");
  const pick = el("select", { id: "flagged", onchange: () => state.set({ selected: pick.value }) });
  root.append(el("div", { class: "tools" }, el("label", { for: "flagged" }, "Flagged node"), pick), place);
  function draw() {
    const table = data.tables[state.get("method")];
    const flagged = [...table.order].filter((row) => data.flagSets[table.columns.flags[row]]?.length);
    const chosen = table.row.get(state.get("selected")) ?? flagged[0];
    const offered = flagged.slice(0, 300);
    if (chosen !== undefined && !offered.includes(chosen)) offered.unshift(chosen);
    clear(pick, ...offered.map((row) => el("option", { value: table.names[row], selected: row === chosen }, table.names[row])));
    clear(place);
    if (chosen === undefined) {
      place.append(el("p", {}, data.why.nothing));
      return;
    }
    const one = rowOf(data, table, chosen);
    place.append(el("h3", {}, one.name), el("ul", {}, ...(one.flagList.length ? one.flagList : ["no flag"]).map((flag) => el("li", {}, data.flagWords[flag] ?? flag))));
    const charts = el("div", { class: "charts" });
    place.append(charts);
    if (one.direct !== undefined && one.direct !== null) paths(charts, one, data.metric.effect_unit);
    else place.append(el("p", {}, "Direct and indirect parts: `diagnose { cancellation }` computes them."));
    const attends = ["heads.q", "heads.k"].includes(one.kindName);
    if (attends && one.attention !== undefined && one.attention !== null) softmax(charts, one);
    else if (attends) place.append(el("p", {}, "Attention before and after: `diagnose { saturation }` computes it."));
  }
  state.subscribe(["method", "selected"], draw);
  draw();
}

function paths(to, one, unit) {
  const indirect = one.signed - one.direct;
  const bars = [["direct, straight to the logits", one.direct, 0], ["indirect, through later layers", indirect, one.direct], ["estimate", one.signed, 0]];
  if (one.verified && one.effect !== null) bars.push(["measured effect", one.effect, 0]);
  const ends = bars.flatMap(([, value, from]) => [from, from + value]);
  const low = Math.min(0, ...ends), high = Math.max(0, ...ends), x = (value) => 180 + ((value - low) / (high - low || 1)) * (W - 250);
  const picture = svg("svg", { width: W, height: bars.length * 34 + 30, viewBox: `0 0 ${W} ${bars.length * 34 + 30}`, role: "img", "aria-label": "Direct and indirect parts" });
  bars.forEach(([name, value, from], row) => {
    const y = row * 34 + 8;
    picture.append(svg("text", { x: 172, y: y + 15, "text-anchor": "end" }, name),
      svg("rect", { x: Math.min(x(from), x(from + value)), y, width: Math.abs(x(from + value) - x(from)), height: 22, fill: value > 0 ? "var(--raises)" : "var(--lowers)" }),
      svg("text", { x: Math.max(x(from), x(from + value)) + 5, y: y + 15 }, withSign(value)));
  });
  picture.append(svg("line", { x1: x(0), x2: x(0), y1: 0, y2: bars.length * 34 + 6, stroke: "var(--ink)" }));
  const index = one.cancellation === null || one.cancellation === undefined ? "" : ` Cancellation index ${number(one.cancellation)}: the sum of the sizes of all paths over the size of their sum; 1 where nothing cancels.`;
  frame(to, { title: "Direct against indirect", picture, description: `Means over pairs, in ${unit}.${index}`,
    table: () => ({ head: ["part", "value"], rows: bars.map(([name, value]) => [name, value]) }) });
}

// One key against all others: p(x) = 1 / (1 + (1 - p) / p exp(-x)) for a shift x of its score.
function softmax(to, one) {
  const inside = (value) => Math.min(1 - 1e-6, Math.max(1e-6, value));
  const clean = inside(one.attention), logit = (value) => Math.log(value / (1 - value));
  const up = clean + one.attention_change <= 1;
  const moved = inside(up ? clean + one.attention_change : clean - one.attention_change);
  const shift = logit(moved) - logit(clean), slope = clean * (1 - clean);
  const reach = Math.max(2, 1.4 * Math.abs(shift)), at = (value) => 1 / (1 + ((1 - clean) / clean) * Math.exp(-value));
  const x = (value) => 50 + ((value + reach) / (2 * reach)) * (W - 70), y = (value) => H - 44 - value * (H - 64);
  const steps = Array.from({ length: 121 }, (_, step) => -reach + (step * reach) / 60);
  const line = (f) => steps.filter((one_) => f(one_) >= -0.02 && f(one_) <= 1.02).map((one_, step) => `${step ? "L" : "M"}${x(one_).toFixed(1)} ${y(f(one_)).toFixed(1)}`).join("");
  const picture = svg("svg", { width: W, height: H, viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": "Softmax of one key" });
  for (const tick of [0, 0.5, 1]) picture.append(svg("line", { x1: 50, x2: W - 20, y1: y(tick), y2: y(tick), stroke: "var(--band)" }), svg("text", { x: 42, y: y(tick) + 4, "text-anchor": "end", class: "tiny" }, String(tick)));
  for (const tick of ticks(-reach, reach)) picture.append(svg("text", { x: x(tick), y: H - 26, "text-anchor": "middle", class: "tiny" }, number(tick, 3)));
  picture.append(svg("path", { d: line(at), fill: "none", stroke: "var(--ink)", "stroke-width": "2" }),
    svg("path", { d: line((value) => clean + slope * value), fill: "none", stroke: "var(--lowers)", "stroke-width": "1.6", "stroke-dasharray": "5 3" }),
    svg("line", { x1: x(0), y1: y(clean), x2: x(shift), y2: y(moved), stroke: "var(--raises)", "stroke-width": "1.6" }),
    svg("circle", { cx: x(0), cy: y(clean), r: 4.5, fill: "var(--paper)", stroke: "var(--ink)", "stroke-width": "1.6" }),
    svg("circle", { cx: x(shift), cy: y(moved), r: 4.5, fill: "var(--ink)" }),
    svg("text", { x: (W + 40) / 2, y: H - 8, "text-anchor": "middle" }, "shift of the key's score"));
  frame(to, { title: "The softmax under it", picture,
    description: "The largest attention weight that the node has a part in, and its largest change, means over pairs, drawn as one key "
      + "against the rest: base run (hollow), patched (full), AtP's tangent (orange, dashed), the QK fix's secant (blue). "
      + `Exact changes are ${number(one.saturation_ratio)} times the first-order ones, over all keys. The direction of the change is not recorded.`,
    table: () => ({ head: ["quantity", "value"], rows: [["attention, base run", one.attention], ["largest change", one.attention_change],
      ["exact over first order", one.saturation_ratio], ["AtP", one.atp ?? null], ["added by the QK fix", one.by_qk_fix ?? null]] }) });
}
