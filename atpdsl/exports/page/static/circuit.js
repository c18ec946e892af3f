// The circuit: tokens from left to right, layers upwards, nodes where they act.
import { el, svg, clear } from "./dom.js";
import { frame } from "./chart.js";
import { layOut } from "./circuitlayout.js";
import { number, rowOf, signedValue, withSign } from "./data.js";
import { DRAWN_FLAGS, nodeMark, shape } from "./marks.js";
import { isMeasured, nodeFacts, tokenWords } from "./nodefacts.js";
import { nearest, tabStop } from "./roving.js";
import { besides, hideTip, showTip } from "./tip.js";

const SMALLEST = 4.5, LARGEST = 10, EDGES = 150, NAMED_EDGES = 14;
const EDGE_WORDS = [["selected", "of the selected node"], ["all", "all"], ["none", "none"]];

export function circuitView(root, data, state) {
  const place = el("div");
  const slider = el("input", { type: "range", min: "5", step: "1", id: "how-many", oninput: () => state.set({ top: slider.value }) });
  const said = el("output", { for: "how-many", class: "steady" });
  const edges = el("select", { id: "edges", onchange: () => state.set({ edges: edges.value }) },
    ...EDGE_WORDS.map(([value, text]) => el("option", { value }, text)));
  const tools = [el("label", { for: "how-many" }, "Threshold"), slider, said, el("label", { for: "edges" }, "Edges"), edges];
  root.append(place);
  let nodes = [], laid, marks, lines, hovered = "", width = 0;

  function draw() {
    const table = data.tables[state.get("method")];
    nodes = chosenNodes(data, state, table);
    slider.max = String(Math.min(300, Math.max(10, table.order.length)));
    slider.value = state.get("top");
    edges.value = state.get("edges");
    said.textContent = nodes.length ? `${nodes.length} nodes, score \u2265 ${number(Math.min(...nodes.map((one) => one.score)), 3)}` : "no nodes";
    width = root.clientWidth;
    const picture = drawn(table);
    const focus = document.activeElement;
    clear(place);
    frame(place, {
      title: `Circuit by ${state.get("method")}`,
      description: "Size is the size of the change of the metric, colour and sign its direction. Filled and ticked: measured "
        + "by patching; hollow: only estimated. An edge says that the upper node can read the lower one; nothing was measured along it.",
      picture, tools, legend: legend(nodes),
      table: () => ({
        head: ["node", "token", "change", "score", "measured", "flags"],
        rows: nodes.map((one) => [one.name, one.place.token ?? "", one.value, one.score, one.measured ? "yes" : "no", one.flagList.join(", ")]),
      }),
    });
    if (tools.includes(focus)) focus.focus();
  }

  function drawn(table) {
    laid = layOut(data, nodes, width);
    lines = svg("g", { class: "edges" });
    const largest = Math.max(...nodes.map((one) => one.score), 1e-300);
    marks = svg("g", { class: "nodes" }, ...nodes.map((one) => mark(table, one, largest)));
    const picture = svg("svg", {
      viewBox: `0 0 ${laid.width.toFixed(0)} ${laid.height}`, width: laid.width.toFixed(0), height: laid.height,
      role: "group", "aria-label": "Circuit",
    }, grid(data, laid), lines, marks, logits(data, laid));
    highlight();
    return picture;
  }

  function mark(table, one, largest) {
    const r = SMALLEST + (LARGEST - SMALLEST) * Math.sqrt(one.score / largest);
    const words = `${one.name}, ${tokenWords(one.place)}, ${one.measured ? "measured" : "estimated"} change `
      + `${withSign(one.value)}${one.flagList.length ? `, ${one.flagList.join(", ")}` : ""}`;
    const enter = (at) => {
      hovered = one.name;
      redrawEdges();
      showTip(at, one.name, nodeFacts(table, one, one.measured), state.get("selected") === one.name ? "pinned" : "click to pin");
    };
    const leave = () => {
      hovered = "";
      redrawEdges();
      hideTip();
    };
    const group = svg("g", {
      transform: `translate(${one.x.toFixed(1)} ${one.y.toFixed(1)})`, tabindex: "-1", role: "button",
      "data-node": one.name, "aria-label": words,
      onclick: () => state.set({ selected: state.get("selected") === one.name ? "" : one.name }),
      onkeydown: (event) => keyed(event, one),
      onmousemove: (event) => enter([event.clientX, event.clientY]), onmouseleave: leave,
      onfocus: () => {
        tabStop(marks.children, group);
        if (group.matches(":focus-visible")) enter(besides(group));
      },
      onblur: leave,
    }, svg("circle", { r: 12, class: "reach" }), ...nodeMark({ kind: one.kindName, r, value: one.value, measured: one.measured, flags: one.flagList }),
    svg("text", { y: r + 10, "text-anchor": "middle", class: "tiny" }, headName(data, one)));
    return group;
  }

  function keyed(event, one) {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      state.set({ selected: state.get("selected") === one.name ? "" : one.name });
      return;
    }
    const next = nearest(event.key, one, nodes);
    if (event.key.startsWith("Arrow")) event.preventDefault();
    if (next) marks.children[nodes.indexOf(next)].focus();
  }

  function redrawEdges() {
    drawEdges(lines, laid, data.graphs[state.get("method")].links, state.get("edges"), hovered || state.get("selected"));
  }

  function highlight() {
    for (const node of marks.children) {
      const here = node.dataset.node === state.get("selected");
      node.classList.toggle("selected", here);
      node.setAttribute("aria-pressed", String(here));
    }
    tabStop(marks.children, marks.querySelector(".selected") ?? marks.firstChild);
    redrawEdges();
  }

  state.subscribe(["method", "top"], draw);
  state.subscribe(["selected", "edges"], () => {
    edges.value = state.get("edges");
    const drawnAlready = nodes.some((one) => one.name === state.get("selected"));
    if (!drawnAlready && data.tables[state.get("method")].row.has(state.get("selected"))) draw();
    else highlight();
  });
  new ResizeObserver(() => {
    if (root.clientWidth && Math.abs(root.clientWidth - width) > 12) draw();
  }).observe(root);
  draw();
}

// The best nodes down to the threshold, and the selected one.
function chosenNodes(data, state, table) {
  const rows = table.order.slice(0, Number(state.get("top")) || 40).filter((row) => table.columns.score[row] > 0);
  const selected = table.row.get(state.get("selected"));
  if (selected !== undefined && !rows.includes(selected)) rows.push(selected);
  return rows.map((row) => ({ ...rowOf(data, table, row), row, value: signedValue(table, row) }))
    .filter((one) => one.score !== null)
    .map((one) => ({ ...one, measured: isMeasured(data, state, one) }));
}

// One line for each two nodes, named by what the upper one reads through.
function drawEdges(group, laid, links, how, of) {
  const joined = new Map();
  for (const [source, target, through, via, weight] of how === "none" ? [] : links) {
    if (how === "selected" && source !== of && target !== of) continue;
    const from = source === "input" ? null : laid.at.get(source), to = target === "logits" ? laid.end : laid.at.get(target);
    if ((!from && source !== "input") || !to) continue;
    const key = `${source} ${target}`;
    if (!joined.has(key)) joined.set(key, { source, target, from: from ?? { x: to.x, y: laid.floor + 6 }, to, ways: [], via, weight: weight ?? 0 });
    joined.get(key).ways.push(through);
  }
  const all = [...joined.values()].sort((one, other) => other.weight - one.weight).slice(0, EDGES);
  const most = Math.max(...all.map((one) => one.weight), 1e-300);
  clear(group, ...all.flatMap((one) => edge(one, most, all.length <= NAMED_EDGES)));
}

function edge({ source, target, from, to, ways, via, weight }, most, named) {
  const middle = (from.y + to.y) / 2, bend = Math.abs(from.x - to.x) < 2 ? 16 : 0;
  const words = ways.filter((way) => ["q", "k", "v"].includes(way)).join(" ");
  const line = svg("path", {
    d: `M${from.x} ${from.y}C${from.x + bend} ${middle} ${to.x + bend} ${middle} ${to.x} ${to.y}`,
    class: `edge ${ways.map((way) => `through-${way}`).join(" ")}`, fill: "none", stroke: "var(--edge)",
    "stroke-width": (0.8 + 2 * Math.sqrt(weight / most)).toFixed(2), "stroke-dasharray": via === "attention" ? "5 2" : null,
  }, svg("title", {}, `${source} is read by ${target} (${ways.join(", ")})`));
  if (!named || !words) return [line];
  return [line, svg("text", { x: ((from.x + to.x) / 2 + 0.75 * bend).toFixed(1), y: middle.toFixed(1), "text-anchor": "middle", class: "way" }, words)];
}

function grid(data, laid) {
  const right = laid.width - laid.left - 8;
  const bands = laid.bands.map((band, place) => svg("g", {},
    svg("rect", { x: laid.left, y: band.y, width: right, height: band.height, fill: place % 2 ? "var(--paper)" : "var(--cell)" }),
    svg("text", { x: laid.left - 8, y: band.y + band.height / 2 + 3.5, "text-anchor": "end", class: band.empty ? "tiny" : "layer" }, band.name)));
  const tokens = laid.columns.flatMap((column, place) => {
    const position = data.positions[place];
    const named = position.token === null || position.label !== String(position.index);
    return [
      svg("line", { x1: column.x, x2: column.x, y1: laid.floor, y2: laid.floor + 6, stroke: "var(--line)" }),
      svg("text", { x: column.x, y: laid.floor + 22, "text-anchor": "middle", class: "token" }, cut(visible(position.token ?? "(all)"), column.width)),
      svg("text", { x: column.x, y: laid.floor + 37, "text-anchor": "middle", class: "tiny" }, named ? position.label : String(position.index)),
      position.token === null ? null : svg("title", {}, position.token),
    ];
  });
  return svg("g", { class: "grid" }, ...bands, ...tokens);
}

function visible(token) {
  return token.replace(/\n/g, "\u23ce").trim() || "\u2423";
}

function cut(token, width) {
  const room = Math.max(3, Math.floor((width - 2) / 6.6));
  return token.length > room ? `${token.slice(0, room - 1)}\u2026` : token;
}

function logits(data, { end, width }) {
  const words = data.metric.title.length > 24 ? "metric" : data.metric.title;
  const wide = 6.8 * words.length + 18, x = Math.min(end.x, width - wide / 2 - 2);
  return svg("g", {}, svg("rect", { x: x - wide / 2, y: end.y - 11, width: wide, height: 22, rx: 11, fill: "var(--paper)", stroke: "var(--edge)" }),
    svg("text", { x, y: end.y + 4, "text-anchor": "middle" }, words));
}

function headName(data, one) {
  return one.index === null ? one.kindName.replace("resid.", "") : `${data.kinds[one.kind].letter}${one.index}`;
}

function legend(nodes) {
  const sample = (picture, words) => el("li", {},
    svg("svg", { width: 30, height: 24, viewBox: "-15 -12 30 24", "aria-hidden": "true" }, picture), words);
  const marked = (more) => nodeMark({ kind: "heads.z", r: 6, value: 1, measured: true, flags: [], ...more });
  const grey = { fill: "var(--nothing)", stroke: "var(--nothing)" };
  const kinds = [...new Set(nodes.map((one) => one.kindName))].sort();
  const flagged = new Set(nodes.flatMap((one) => one.flagList));
  const some = (test) => nodes.some(test);
  return el("ul", { class: "legend", "aria-label": "Legend" },
    ...kinds.map((kind) => sample(shape(kind, 6, grey), kind)),
    sample(marked({}), "raises the metric"), sample(marked({ value: -1 }), "lowers it"),
    some((one) => !one.measured) ? sample(marked({ measured: false }), "only estimated") : null,
    ...Object.entries(DRAWN_FLAGS).filter(([flag]) => flagged.has(flag)).map(([flag, words]) => sample(
      [...nodeMark({ kind: "heads.z", r: 5, value: 0, measured: false, flags: [flag] })], words)));
}
