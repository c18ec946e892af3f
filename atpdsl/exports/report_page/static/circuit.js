// The circuit: tokens from left to right, layers upwards, nodes where they act.
import { el, svg, clear } from "./dom.js";
import { frame } from "./chart.js";
import { signColour } from "./colour.js";
import { number, rowOf, short, signedValue, withSign } from "./data.js";

const LAYER = 18, BAND = 10, LEFT = 52, TOP = 40, BOTTOM = 64, SMALLEST = 3.5, LARGEST = 9;
const SHAPES = {
  "heads.q": "triangle", "heads.k": "down", "heads.v": "diamond", "heads.z": "circle", attn: "hexagon",
  mlp: "square", neurons: "dot", embed: "wide", "resid.pre": "wide", "resid.mid": "wide", "resid.post": "wide",
};

export function circuitView(root, data, state) {
  const place = el("div");
  const slider = el("input", { type: "range", min: "5", max: "200", step: "1", id: "how-many",
    oninput: () => state.set({ top: slider.value }) });
  const said = el("output", { for: "how-many" });
  const edges = el("select", { id: "edges", onchange: () => state.set({ edges: edges.value }) },
    ...[["selected", "of the selected node"], ["all", "all"], ["none", "none"]].map(([value, text]) =>
      el("option", { value }, text)));
  const tools = [
    el("label", { for: "how-many" }, "Nodes"), slider, said, el("label", { for: "edges" }, "Edges"), edges];
  root.append(place);
  let hovered = "";
  function draw() {
    const table = data.tables[state.get("method")];
    const nodes = chosenNodes(data, table, Number(state.get("top")));
    slider.max = String(Math.min(300, Math.max(10, table.length)));
    slider.value = state.get("top");
    edges.value = state.get("edges");
    said.textContent = nodes.length ? `${nodes.length}, score from ${number(nodes.at(-1).score, 3)}` : "none";
    const picture = drawn(nodes, table);
    clear(place);
    frame(place, {
      title: `Circuit by ${state.get("method")}`,
      description: "Area is the size, colour the sign of the change of the metric; filled nodes are measured by "
        + "patching, hollow ones only estimated. An edge says that the upper node can read the lower one; nothing "
        + "was measured along it.",
      picture, tools,
      table: () => ({
        head: ["node", "token", "change", "score", "measured", "flags"],
        rows: nodes.map((one) => [one.name, one.place.token ?? "", signedValue(table, one.row), one.score,
          one.verified ? "yes" : "no", one.flagList.join(", ")]),
      }),
    });
    place.querySelector("figure").append(legend(nodes));
  }
  function drawn(nodes, table) {
    const laid = layOut(data, nodes);
    const picture = svg("svg", { viewBox: `0 0 ${laid.width} ${laid.height}`, width: laid.width, height: laid.height,
      role: "group", "aria-label": "Circuit" });
    picture.append(grid(data, laid), svg("g", { class: "edges" }), svg("g", { class: "nodes" }));
    const largest = Math.max(...nodes.map((one) => one.score), 1e-300);
    const marks = picture.querySelector(".nodes");
    for (const one of nodes) marks.append(mark(one, largest));
    marks.append(ends(data, laid));
    const redraw = () => drawEdges(picture.querySelector(".edges"), laid, state.get("edges"), hovered || state.get("selected"));
    const highlight = () => {
      for (const node of marks.querySelectorAll("[data-node]")) {
        const here = node.dataset.node === state.get("selected");
        node.classList.toggle("selected", here);
        node.setAttribute("aria-pressed", String(here));
      }
      redraw();
    };
    picture.highlight = highlight;
    highlight();
    return picture;

    function mark(one, size) {
      const value = signedValue(table, one.row);
      const radius = SMALLEST + (LARGEST - SMALLEST) * Math.sqrt(one.score / size);
      const words = `${one.name}, token ${one.place.token ?? "all"}, ${one.verified ? "measured" : "estimated"} change `
        + `${withSign(value)}${one.flagList.length ? `, ${one.flagList.join(", ")}` : ""}`;
      const group = svg("g", {
        transform: `translate(${one.x.toFixed(1)} ${one.y.toFixed(1)})`, tabindex: "0", role: "button",
        "data-node": one.name, "aria-label": words,
        onclick: () => state.set({ selected: state.get("selected") === one.name ? "" : one.name }),
        onkeydown: (event) => {
          if (event.key !== "Enter" && event.key !== " ") return;
          event.preventDefault();
          state.set({ selected: one.name });
        },
        onmouseenter: () => { hovered = one.name; redraw(); },
        onmouseleave: () => { hovered = ""; redraw(); },
      }, svg("title", {}, words));
      group.append(...flagMarks(one, radius), shape(SHAPES[one.kindName] ?? "circle", radius, {
        fill: one.verified ? signColour(value) : "var(--paper)", stroke: signColour(value), "stroke-width": "1.6",
        "stroke-dasharray": one.verified ? null : "2 1.5",
      }));
      if (one.flagList.includes("saturation")) group.append(...hatch(radius));
      if (one.flagList.includes("missed")) group.append(svg("text", { x: radius + 1, y: -radius + 3, class: "sign" }, "!"));
      group.append(svg("text", { y: radius + 9, "text-anchor": "middle", class: "tiny" }, headName(data, one)));
      return group;
    }
  }
  state.subscribe(["method", "top"], draw);
  state.subscribe(["selected", "edges"], () => {
    edges.value = state.get("edges");
    const drawnAlready = [...place.querySelectorAll("[data-node]")].some((one) => one.dataset.node === state.get("selected"));
    if (!drawnAlready && data.tables[state.get("method")].row.has(state.get("selected"))) draw();
    else place.querySelector("svg").highlight();
  });
  draw();

  function chosenNodes(all, table, top) {
    const order = [...table.order.slice(0, top)];
    const selected = table.row.get(state.get("selected"));
    if (selected !== undefined && !order.includes(selected)) order.push(selected);
    return order.map((row) => ({ ...rowOf(all, table, row), row })).filter((one) => one.score !== null);
  }

  function drawEdges(group, laid, how, of) {
    const links = data.graphs[state.get("method")].links.filter(([source, target]) =>
      how === "all" || (how === "selected" && (source === of || target === of)));
    const most = Math.max(...links.map((link) => link[4] ?? 0), 1e-300);
    const strongest = links.filter(([source, target]) => laid.at.has(source) && laid.at.has(target))
      .sort((one, other) => (other[4] ?? 0) - (one[4] ?? 0)).slice(0, 150);
    clear(group, ...strongest.map(([source, target, through, via, weight]) => {
      const from = laid.at.get(source), to = laid.at.get(target);
      const middle = (from.y + to.y) / 2, bend = from.x === to.x ? 14 : 0;
      return svg("path", {
        d: `M${from.x} ${from.y}C${from.x + bend} ${middle} ${to.x + bend} ${middle} ${to.x} ${to.y}`,
        class: `edge through-${through}`, "stroke-width": (0.7 + 2 * Math.sqrt((weight ?? 0) / most)).toFixed(2),
        fill: "none", stroke: "var(--edge)", "stroke-dasharray": via === "attention" ? "5 2" : null,
      }, svg("title", {}, `${source} is read by ${target} (${through})`));
    }));
  }
}

function layOut(data, nodes) {
  const cells = new Map();
  for (const one of nodes) {
    const key = `${one.position} ${one.layer} ${one.kind}`;
    cells.set(key, [...(cells.get(key) ?? []), one]);
  }
  const used = data.positions.map((_, number_) => Math.max(1, ...[...cells].filter(([key]) =>
    Number(key.split(" ")[0]) === number_).map(([, some]) => some.length)));
  const kinds = data.kinds.map((_, kind) => kind).filter((kind) => nodes.some((one) => one.kind === kind))
    .sort((one, other) => data.kinds[one].stage - data.kinds[other].stage);
  const layers = [...new Set(nodes.map((one) => one.layer))].filter((layer) => layer !== null).sort((a, b) => a - b);
  const columns = [];
  let x = LEFT;
  for (const count of used) {
    const width = Math.max(42, 22 * count + 10);
    columns.push({ x: x + width / 2, width });
    x += width;
  }
  const bands = new Map();
  let y = 0;
  const rows = (layer) => kinds.filter((kind) => nodes.some((one) => one.layer === layer && one.kind === kind));
  const embeds = rows(null);
  const slots = new Map();
  for (const layer of [...(embeds.length ? [null] : []), ...layers]) {
    const inside = rows(layer);
    bands.set(layer, { low: y, high: y + inside.length * (LAYER + 6) + BAND });
    inside.forEach((kind, number_) => slots.set(`${layer} ${kind}`, y + BAND / 2 + (number_ + 0.5) * (LAYER + 6)));
    y += inside.length * (LAYER + 6) + BAND;
  }
  const height = Math.max(y, 40) + TOP + BOTTOM;
  const up = (value) => height - BOTTOM - value;
  const at = new Map();
  for (const some of cells.values()) {
    some.forEach((one, number_) => {
      one.x = columns[one.position].x + 22 * (number_ - (some.length - 1) / 2);
      one.y = up(slots.get(`${one.layer} ${one.kind}`));
      at.set(one.name, one);
    });
  }
  const last = data.positions.findIndex((one) => one.label === data.metric.position);
  const end = columns[last >= 0 ? last : columns.length - 1];
  at.set("input", { x: columns[0].x, y: height - BOTTOM + 12 });
  at.set("logits", { x: end.x, y: 18 });
  return { columns, bands, at, height, width: x + 20, up };
}

function grid(data, laid) {
  const group = svg("g", { class: "grid" });
  let odd = false;
  for (const [layer, { low, high }] of laid.bands) {
    odd = !odd;
    const top = laid.up(high);
    group.append(svg("rect", { x: LEFT, y: top, width: laid.width - LEFT - 10, height: high - low,
      fill: odd ? "var(--band)" : "var(--paper)" }),
      svg("text", { x: LEFT - 8, y: top + (high - low) / 2 + 4, "text-anchor": "end" }, layer === null ? "embed" : `L${layer}`));
  }
  laid.columns.forEach((column, number_) => {
    const position = data.positions[number_];
    const named = position.token === null || position.label !== String(position.index);
    group.append(
      svg("text", { x: column.x, y: laid.height - BOTTOM + 30, "text-anchor": "middle", class: "token" },
        cut(position.token ?? "(all)", column.width)),
      svg("text", { x: column.x, y: laid.height - BOTTOM + 46, "text-anchor": "middle", class: "tiny" },
        named ? position.label : String(position.index)));
  });
  return group;
}

function cut(token, width) {
  const room = Math.max(3, Math.floor(width / 6.2));
  return token.length > room ? `${token.slice(0, room - 1)}\u2026` : token;
}

function ends(data, laid) {
  const { x, y } = laid.at.get("logits");
  const words = data.metric.title.length > 18 ? "metric" : data.metric.title;
  const width = 7 * words.length + 16;
  return svg("g", {}, svg("rect", { x: x - width / 2, y: y - 10, width, height: 20, rx: 5, fill: "var(--paper)", stroke: "var(--ink)" }),
    svg("text", { x, y: y + 4, "text-anchor": "middle" }, words));
}

function headName(data, one) {
  return one.index === null ? one.kindName : `${data.kinds[one.kind].letter}${one.index}`;
}

function flagMarks(one, radius) {
  const found = [];
  if (one.flagList.includes("cancellation")) {
    found.push(svg("circle", { r: radius + 3.5, fill: "none", stroke: "var(--warn)", "stroke-width": "2.2" }));
  }
  if (one.flagList.includes("uncertainty")) {
    found.push(svg("circle", { r: radius + 3.5, fill: "none", stroke: "var(--ink)", "stroke-dasharray": "1 2" }));
  }
  return found;
}

function hatch(radius) {
  return [-0.4, 0, 0.4].map((part) => svg("line", {
    x1: (part - 0.5) * radius, y1: 0.7 * radius, x2: (part + 0.5) * radius, y2: -0.7 * radius,
    stroke: "var(--ink)", "stroke-width": "1" }));
}

function shape(name, r, look) {
  const polygon = (points) => svg("polygon", { points: points.map((point) => point.map((one) => (one * r).toFixed(2)).join(",")).join(" "), ...look });
  switch (name) {
    case "triangle": return polygon([[0, -1.1], [1.05, 0.8], [-1.05, 0.8]]);
    case "down": return polygon([[0, 1.1], [1.05, -0.8], [-1.05, -0.8]]);
    case "diamond": return polygon([[0, -1.2], [1.2, 0], [0, 1.2], [-1.2, 0]]);
    case "hexagon": return polygon([[1, 0], [0.5, 0.87], [-0.5, 0.87], [-1, 0], [-0.5, -0.87], [0.5, -0.87]]);
    case "square": return svg("rect", { x: -r * 0.9, y: -r * 0.9, width: 1.8 * r, height: 1.8 * r, rx: 1.5, ...look });
    case "wide": return svg("rect", { x: -r * 1.2, y: -r * 0.5, width: 2.4 * r, height: r, rx: 1.5, ...look });
    case "dot": return svg("circle", { r: 0.7 * r, ...look });
    default: return svg("circle", { r, ...look });
  }
}

const FLAG_WORDS = {
  cancellation: "cancellation: its paths cancel", saturation: "saturation: attention moves too far",
  uncertainty: "uncertain over pairs", missed: "missed by the estimate",
};

function legend(nodes) {
  const sample = (picture, words) => el("li", {}, svg("svg", { width: 26, height: 24, viewBox: "-13 -12 26 24", "aria-hidden": "true" }, picture), words);
  const kinds = [...new Set(nodes.map((one) => one.kindName))];
  const grey = { fill: "var(--nothing)", stroke: "var(--ink)" };
  const flagged = new Set(nodes.flatMap((one) => one.flagList));
  return el("ul", { class: "legend", "aria-label": "Legend" },
    sample(svg("circle", { r: 6, fill: "var(--raises)" }), "raises the metric"),
    sample(svg("circle", { r: 6, fill: "var(--lowers)" }), "lowers it"),
    sample(svg("circle", { r: 6, fill: "var(--paper)", stroke: "var(--ink)", "stroke-width": "1.6", "stroke-dasharray": "2 1.5" }), "estimated only"),
    ...kinds.map((kind) => sample(shape(SHAPES[kind] ?? "circle", 6, grey), kind)),
    ...Object.entries(FLAG_WORDS).filter(([flag]) => flagged.has(flag)).map(([flag, words]) => sample(
      [...flagMarks({ flagList: [flag] }, 5), svg("circle", { r: 5, ...grey }),
        ...(flag === "saturation" ? hatch(5) : []),
        ...(flag === "missed" ? [svg("text", { x: 6, y: -2, class: "sign" }, "!")] : [])], words)));
}
