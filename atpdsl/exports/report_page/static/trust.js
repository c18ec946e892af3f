// How far the numbers can be trusted: estimates against effects, bounds, recall, corrections.
import { el, svg, clear } from "./dom.js";
import { frame, ticks } from "./chart.js";
import { number } from "./data.js";

const W = 430, H = 300, PAD = { left: 56, right: 14, top: 12, bottom: 40 };

export function trustView(root, data, state) {
  const place = el("div");
  root.append(place);
  function draw() {
    const trust = data.trust[state.get("method")];
    clear(place, el("div", { class: "sentences" }, ...trust.sentences.map((one) => el("p", {}, one))));
    const charts = el("div", { class: "charts" });
    place.append(charts);
    if (trust.scatter.length) scatter(charts, trust.scatter);
    if (trust.bounds.length) bounds(charts, trust.bounds);
    if (trust.recall.length) recall(charts, trust);
    if (trust.cost.length) cost(charts, trust);
    if (trust.moved.length) moved(charts, trust.moved);
    highlight();
  }
  function highlight() {
    for (const dot of place.querySelectorAll("[data-node]")) dot.classList.toggle("selected", dot.dataset.node === state.get("selected"));
  }
  function scatter(to, points) {
    const most = Math.max(...points.map((one) => Math.max(one.estimate, one.effect)), 1e-300);
    const { picture, x, y } = axes([0, most], [0, most], "estimate", "measured mean |effect|");
    picture.append(svg("line", { x1: x(0), y1: y(0), x2: x(most), y2: y(most), stroke: "var(--edge)", "stroke-dasharray": "4 3" }));
    for (const one of points) {
      const words = `${one.node}: estimate ${number(one.estimate)}, |effect| ${number(one.effect)}${one.missed ? ", missed" : ""}`;
      picture.append(svg("g", { tabindex: "0", role: "button", "aria-label": words, "data-node": one.node,
        onclick: () => state.set({ selected: one.node }), onkeydown: (event) => event.key === "Enter" && state.set({ selected: one.node }) },
        one.missed ? svg("rect", { x: x(one.estimate) - 4, y: y(one.effect) - 4, width: 8, height: 8, fill: "var(--lowers)", stroke: "var(--ink)" })
          : svg("circle", { cx: x(one.estimate), cy: y(one.effect), r: 4, fill: "var(--raises)", "fill-opacity": "0.65", stroke: "var(--raises)" }),
        svg("title", {}, words)));
    }
    frame(to, { title: "Estimate against effect", picture,
      description: "Every measured node. On the dashed line the estimate is right; squares were missed: drawn at random, and above the weakest of the verified top.",
      table: () => ({ head: ["node", "estimate", "mean |effect|", "missed"], rows: points.map((one) => [one.node, one.estimate, one.effect, one.missed ? "yes" : ""]) }) });
  }
  function bounds(to, curves) {
    const most = Math.max(...curves.flatMap((one) => one.points.map(([, value]) => value)), 1e-300);
    const last = Math.max(...curves.flatMap((one) => one.points.map(([rank]) => rank)), 1);
    const { picture, x, y } = axes([1, last], [0, most], "unmeasured nodes, by bound", "bound on |mean effect|");
    curves.forEach((one, number_) => {
      const line = one.points.map(([rank, value], step) => `${step ? "L" : "M"}${x(rank).toFixed(1)} ${y(value).toFixed(1)}`).join("");
      picture.append(svg("path", { d: line, fill: "none", stroke: "var(--raises)", "stroke-width": 1 + 0.7 * number_, "stroke-dasharray": ["6 3", "2 2", null, null][number_ % 4] }),
        svg("text", { x: x(last), y: y(one.points.at(-1)[1]) - 4 - 9 * number_, "text-anchor": "end", class: "tiny" }, one.name));
    });
    frame(to, { title: "What was not measured can be so large", picture,
      description: `${curves[0].assumes}. Each line is one confidence: so many unmeasured nodes may have at least that effect.`,
      table: () => ({ head: ["confidence", "place", "bound"], rows: curves.flatMap((one) => one.points.map(([rank, value]) => [one.name, rank, value])) }) });
  }
  function recall(to, trust) {
    const last = trust.recall.at(-1)[0];
    const { picture, x, y } = axes([0, last], [0, 1], "k", "of the k largest measured, in the top k");
    picture.append(svg("path", { d: trust.recall.map(([k, share], step) => `${step ? "L" : "M"}${x(k).toFixed(1)} ${y(share).toFixed(1)}`).join(""), fill: "none", stroke: "var(--raises)", "stroke-width": "2" }));
    frame(to, { title: "Recall", picture, description: trust.recallAbout,
      table: () => ({ head: ["k", "recall"], rows: trust.recall }) });
  }
  function cost(to, trust) {
    const last = trust.cost.at(-1)[0], most = Math.max(...trust.cost.map(([, one]) => one), 1);
    const { picture, x, y } = axes([0, last], [0, most], "k", "nodes verified until the k largest are found");
    picture.append(svg("line", { x1: x(0), y1: y(0), x2: x(Math.min(last, most)), y2: y(Math.min(last, most)), stroke: "var(--edge)", "stroke-dasharray": "4 3" }),
      svg("path", { d: trust.cost.map(([k, one], step) => `${step ? "L" : "M"}${x(k).toFixed(1)} ${y(one).toFixed(1)}`).join(""), fill: "none", stroke: "var(--lowers)", "stroke-width": "2" }));
    frame(to, { title: "Cost of verified recall", picture, description: trust.costAbout,
      table: () => ({ head: ["k", "nodes verified"], rows: trust.cost }) });
  }
  function moved(to, nodes) {
    const most = Math.max(...nodes.flatMap((one) => [one.atp, one.estimate, one.fixed]), 1e-300);
    const width = 640, row = 20, left = 190, x = (value) => left + (value / most) * (width - left - 20);
    const picture = svg("svg", { width, height: nodes.length * row + 34, viewBox: `0 0 ${width} ${nodes.length * row + 34}`, role: "group", "aria-label": "Corrections" });
    nodes.forEach((one, number_) => {
      const y = number_ * row + 14;
      picture.append(svg("g", { tabindex: "0", role: "button", "aria-label": `${one.node}: AtP ${number(one.atp)}, with corrections ${number(one.estimate)}`, "data-node": one.node, onclick: () => state.set({ selected: one.node }) },
        svg("text", { x: left - 8, y: y + 4, "text-anchor": "end" }, one.node),
        svg("line", { x1: x(one.atp), y1: y, x2: x(one.fixed), y2: y, stroke: "var(--raises)", "stroke-width": "3" }),
        svg("line", { x1: x(one.fixed), y1: y, x2: x(one.estimate), y2: y, stroke: "var(--lowers)", "stroke-width": "3" }),
        svg("circle", { cx: x(one.atp), cy: y, r: 3.5, fill: "var(--paper)", stroke: "var(--ink)" }),
        svg("circle", { cx: x(one.estimate), cy: y, r: 3.5, fill: "var(--ink)" })));
    });
    for (const tick of ticks(0, most)) picture.append(svg("text", { x: x(tick), y: nodes.length * row + 28, "text-anchor": "middle", class: "tiny" }, number(tick, 3)));
    frame(to, { title: "Which correction moved which node", picture,
      description: "From plain AtP (hollow) by the QK fix (blue) and GradDrop (orange) to the estimate (full): the nodes moved most.",
      table: () => ({ head: ["node", "AtP", "added by QK fix", "added by GradDrop", "estimate", "effect"], rows: nodes.map((one) => [one.node, one.atp, one.byFix, one.byDrop, one.estimate, one.effect]) }) });
  }
  state.subscribe(["method"], draw);
  state.subscribe(["selected"], highlight);
  draw();
}

function axes([x0, x1], [y0, y1], across, up) {
  const x = (value) => PAD.left + ((value - x0) / (x1 - x0 || 1)) * (W - PAD.left - PAD.right);
  const y = (value) => H - PAD.bottom - ((value - y0) / (y1 - y0 || 1)) * (H - PAD.top - PAD.bottom);
  const picture = svg("svg", { width: W, height: H, viewBox: `0 0 ${W} ${H}`, role: "group", "aria-label": `${up} over ${across}` });
  for (const tick of ticks(y0, y1)) picture.append(
    svg("line", { x1: PAD.left, x2: W - PAD.right, y1: y(tick), y2: y(tick), stroke: "var(--band)" }),
    svg("text", { x: PAD.left - 6, y: y(tick) + 4, "text-anchor": "end", class: "tiny" }, number(tick, 3)));
  for (const tick of ticks(x0, x1)) picture.append(svg("text", { x: x(tick), y: H - PAD.bottom + 15, "text-anchor": "middle", class: "tiny" }, number(tick, 3)));
  picture.append(
    svg("line", { x1: PAD.left, x2: W - PAD.right, y1: H - PAD.bottom, y2: H - PAD.bottom, stroke: "var(--ink)" }),
    svg("text", { x: (W + PAD.left) / 2, y: H - 6, "text-anchor": "middle" }, across),
    svg("text", { transform: `translate(13 ${H / 2 - 10}) rotate(-90)`, "text-anchor": "middle" }, up));
  return { picture, x, y };
}
