// Layer by position for one kind of node: each cell a node, or the strongest of several.
import { el, svg, clear } from "./dom.js";
import { frame } from "./chart.js";
import { shaded } from "./colour.js";
import { number, signedValue, withSign } from "./data.js";

const EACH = "each", STRONGEST = "strongest", MOST_ROWS = 72;
const LEFT = 46, TOP = 30, RIGHT = 90, BOTTOM = 52;

export function heatmapView(root, data, state) {
  const place = el("div");
  const kinds = el("select", { id: "kind", onchange: () => state.set({ kind: kinds.value, index: "" }) });
  const units = el("select", { id: "unit", onchange: () => state.set({ index: units.value }) });
  root.append(place);
  function draw() {
    const table = data.tables[state.get("method")];
    const names = [...new Set(table.columns.kind)].map((kind) => data.kinds[kind].name);
    const name = names.includes(state.get("kind")) ? state.get("kind") : names.includes("heads.z") ? "heads.z" : names[0];
    const kind = data.kinds.findIndex((one) => one.name === name);
    const indices = [...new Set(rowsOf(table, kind).map((row) => table.columns.index[row]))]
      .filter((one) => one !== null).sort((a, b) => a - b);
    clear(kinds, ...names.map((one) => el("option", { value: one, selected: one === name }, one)));
    const few = indices.length > 1 && indices.length * new Set(rowsOf(table, kind).map((row) => table.columns.layer[row])).size <= MOST_ROWS;
    const wanted = state.get("index") || (few ? EACH : STRONGEST);
    const index = indices.map(String).includes(wanted) ? Number(wanted) : wanted === EACH ? EACH : null;
    const cells = cellsOf(data, table, kind, index);
    clear(units, ...[[EACH, "each"], [STRONGEST, "strongest of each layer"], ...indices.slice(0, 500).map((one) => [String(one), `${data.kinds[kind].letter}${one}`])]
      .map(([value, text]) => el("option", { value, selected: value === wanted }, text)));
    const picture = drawn(table, cells);
    clear(place);
    const among = index === null && indices.length ? " The strongest node of each cell is shown." : "";
    frame(place, {
      title: `${name} ${index === null || index === EACH ? "" : `${data.kinds[kind].letter}${index} `}by layer and position`,
      description: `Change of the metric, measured where a cell has a dot, else estimated.${among} Bars: sums of scores.`,
      picture,
      tools: [el("label", { for: "kind" }, "Kind"), kinds,
        ...(indices.length ? [el("label", { for: "unit" }, "Unit"), units] : [])],
      table: () => ({
        head: ["layer", "position", "token", "node", "change", "sum of scores", "nodes"],
        rows: cells.map((cell) => [cell.rowName, data.positions[cell.position].label, data.positions[cell.position].token ?? "",
          table.names[cell.row], cell.value, cell.sum, cell.count]),
      }),
    });
  }
  function drawn(table, cells) {
    const byHeight = [...cells].sort((one, other) => (other.layer ?? -1) - (one.layer ?? -1) || (other.unit ?? 0) - (one.unit ?? 0));
    const layers = [...new Set(byHeight.map((cell) => cell.rowName))];
    const places = data.positions.map((_, number_) => number_).filter((one) => cells.some((cell) => cell.position === one));
    const width = Math.max(16, Math.min(56, 900 / Math.max(1, places.length))), height = layers.length > 40 ? 13 : layers.length > 20 ? 16 : 20;
    const right = LEFT + places.length * width, bottom = TOP + layers.length * height;
    const picture = svg("svg", { width: right + RIGHT, height: bottom + BOTTOM, viewBox: `0 0 ${right + RIGHT} ${bottom + BOTTOM}`,
      role: "group", "aria-label": "Heatmap" });
    const largest = Math.max(...cells.map((cell) => Math.abs(cell.value)), 1e-300);
    const at = (cell) => ({ x: LEFT + places.indexOf(cell.position) * width, y: TOP + layers.indexOf(cell.rowName) * height });
    for (const cell of cells) picture.append(cellMark(cell, at(cell)));
    const selectedRing = svg("rect", { width, height, fill: "none", stroke: "var(--ink)", "stroke-width": "2", class: "ring" });
    picture.append(selectedRing);
    picture.highlight = () => {
      const row = table.row.get(state.get("selected"));
      const cell = row === undefined ? undefined : cells.find((one) => one.layer === table.columns.layer[row]
        && (one.unit === null || one.unit === table.columns.index[row])
        && one.position === table.columns.position[row] && table.columns.kind[row] === one.kind);
      selectedRing.setAttribute("visibility", cell ? "visible" : "hidden");
      if (cell) for (const [name, value] of Object.entries(at(cell))) selectedRing.setAttribute(name, value);
    };
    picture.highlight();
    margins(picture, { cells, layers, places, width, height, right, bottom });
    return picture;

    function cellMark(cell, { x, y }) {
      const words = `${table.names[cell.row]}: ${withSign(cell.value)}${table.columns.verified[cell.row] ? ", measured" : ", estimated"}`
        + `${cell.count > 1 ? `; ${cell.count} nodes, scores sum to ${number(cell.sum)}` : ""}`;
      const group = svg("g", { tabindex: "0", role: "button", "aria-label": words, "data-node": table.names[cell.row],
        onclick: () => state.set({ selected: table.names[cell.row] }),
        onkeydown: (event) => move(event, cell) },
        svg("rect", { x, y, width: width - 1, height: height - 1, fill: "var(--cell)" }),
        svg("rect", { x, y, width: width - 1, height: height - 1, ...shaded(cell.value, largest) }), svg("title", {}, words));
      if (table.columns.verified[cell.row]) group.append(svg("circle", { cx: x + width / 2, cy: y + height / 2, r: 1.8, fill: "var(--ink)" }));
      return group;
    }

    function move(event, cell) {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        state.set({ selected: table.names[cell.row] });
        return;
      }
      const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
      if (!(event.key in steps)) return;
      event.preventDefault();
      const [down, across] = steps[event.key];
      const layer = layers[layers.indexOf(cell.rowName) + down], position = places[places.indexOf(cell.position) + across];
      const next = cells.findIndex((one) => one.rowName === layer && one.position === position);
      if (next >= 0) picture.querySelectorAll("[data-node]")[next].focus();
    }
  }
  function margins(picture, { cells, layers, places, width, height, right, bottom }) {
    const sums = (key, all) => all.map((one) => cells.filter((cell) => cell[key] === one).reduce((sum, cell) => sum + cell.sum, 0));
    const byLayer = sums("rowName", layers), byPlace = sums("position", places);
    const most = Math.max(...byLayer, 1e-300), highest = Math.max(...byPlace, 1e-300);
    layers.forEach((layer, row) => picture.append(
      svg("text", { x: LEFT - 6, y: TOP + (row + 0.5) * height + 4, "text-anchor": "end" }, layer),
      svg("rect", { x: right + 6, y: TOP + row * height + 2, height: height - 5, width: ((RIGHT - 16) * byLayer[row]) / most, fill: "var(--nothing)" },
        svg("title", {}, number(byLayer[row])))));
    places.forEach((place_, column) => {
      const position = data.positions[place_], tall = (22 * byPlace[column]) / highest;
      picture.append(
        svg("rect", { x: LEFT + column * width + 1, y: TOP - 4 - tall, width: width - 3, height: tall, fill: "var(--nothing)" },
          svg("title", {}, number(byPlace[column]))),
        svg("text", { transform: `translate(${LEFT + (column + 0.5) * width} ${bottom + 14}) rotate(${width < 44 ? -40 : 0})`,
          "text-anchor": width < 44 ? "end" : "middle", class: "token" }, (position.token ?? position.label).slice(0, 10)));
      if (width >= 30) picture.append(svg("text", { x: LEFT + (column + 0.5) * width, y: bottom + (width < 44 ? 48 : 29), "text-anchor": "middle", class: "tiny" },
        position.token === null ? "" : position.label));
    });
  }
  state.subscribe(["method", "kind", "index"], draw);
  state.subscribe(["selected"], () => place.querySelector("svg")?.highlight());
  draw();
}

function rowsOf(table, kind) {
  const found = [];
  for (let row = 0; row < table.length; row++) if (table.columns.kind[row] === kind) found.push(row);
  return found;
}

// With what the page does not have of each node: sums over the rest.
function cellsOf(data, table, kind, index) {
  const cells = new Map();
  const { layer, position, score } = table.columns;
  for (const row of rowsOf(table, kind)) {
    if (typeof index === "number" && table.columns.index[row] !== index) continue;
    const unit = index === EACH ? table.columns.index[row] : null;
    const rowName = `${layer[row] === null ? "" : `L${layer[row]}`}${unit === null ? "" : `${data.kinds[kind].letter}${unit}`}`;
    const key = `${rowName} ${position[row]}`;
    const value = signedValue(table, row), cell = cells.get(key);
    if (!cell) cells.set(key, { kind, rowName, unit, layer: layer[row], position: position[row], row, value, sum: score[row] ?? 0, count: 1 });
    else {
      cell.sum += score[row] ?? 0;
      cell.count += 1;
      if (Math.abs(value) > Math.abs(cell.value)) Object.assign(cell, { value, row });
    }
  }
  if (index === null) {
    for (const rest of table.rest.filter((one) => one.kind === kind)) {
      const cell = cells.get(`${rest.layer === null ? "" : `L${rest.layer}`} ${rest.position}`);
      if (cell) Object.assign(cell, { sum: cell.sum + rest.sum, count: cell.count + rest.nodes });
    }
  }
  return [...cells.values()];
}
