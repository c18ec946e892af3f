// Two results: whether they are alike, what was asked differently, and which nodes moved.
import { el, svg, clear } from "./dom.js";
import { unpacked, number, withSign } from "./data.js";
import { frame } from "./chart.js";
import { shaded } from "./colour.js";

const LEFT = 46, TOP = 16, BOTTOM = 52, ROW = 15, SIDE = 190, MIDDLE = 220;

function start(data) {
  document.title = data.title;
  const page = document.getElementById("page");
  const place = el("div");
  const select = el("select", { id: "method", onchange: () => draw(Number(select.value)) },
    ...data.methods.map((one, place_) => el("option", { value: place_ }, one.label)));
  const dark = el("button", { type: "button", onclick: () => {
    const root = document.documentElement;
    const now = root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
  } }, "Dark / light");
  const tools = el("div", { class: "tools" },
    data.methods.length > 1 ? [el("label", { for: "method" }, "Method"), select] : null, dark);
  clear(page, el("header", {}, el("div", { class: "title" }, el("h1", {}, data.title), tools), glance(data)),
    el("main", {}, el("div", {},
      el("div", { class: "charts" }, changes("What the specs ask for differently", data.spec, "The specs ask for the same."),
        changes("What else is not alike", data.facts, "Model, prompts, software and device are the same.")), place)));
  function draw(chosen) {
    clear(place);
    if (data.methods[chosen]) method(place, data, data.methods[chosen]);
  }
  draw(0);
  document.body.classList.add("without-side");
  document.documentElement.dataset.ready = "yes";
}

// ---- above all ----

function glance(data) {
  const word = data.identical ? "Identical" : data.within ? "Alike, within the tolerance" : "Different";
  const reasons = data.identical ? ["All numbers of all nodes are the same, bit for bit."] : data.outside;
  const only = [["first", data.onlyFirst], ["second", data.onlySecond]]
    .filter(([, labels]) => labels.length).map(([side, labels]) => el("p", {}, `Only the ${side} has ${labels.join(", ")}.`));
  return el("div", { class: "glance" },
    el("div", {}, el("h2", {}, word), ...reasons.map((one) => el("p", {}, one)), ...only),
    ...data.sides.map((side, place) => el("div", {}, el("h2", {}, place ? "Second" : "First"),
      el("p", {}, `${side.name}${side.point ? ` (${side.point})` : ""} on ${side.model}`),
      el("p", {}, `${side.metric}, ${side.pairs} pairs, effects in ${side.unit}`),
      side.folder ? el("p", { class: "tiny" }, side.folder) : null)));
}

function changes(title, rows, none) {
  const found = described(title, rows, none);
  found.style.marginTop = "14px";
  return found;
}

function described(title, rows, none) {
  if (!rows.length) return el("section", { class: "part" }, el("h3", {}, title), el("p", {}, none));
  return el("section", { class: "part" }, el("h3", {}, title),
    el("div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": title }, el("table", { class: "changes" },
      el("thead", {}, el("tr", {}, ...["what", "first", "second"].map((one) => el("th", { scope: "col" }, one)))),
      el("tbody", {}, ...rows.map(([name, first, second]) => el("tr", {},
        el("th", { scope: "row" }, name), said(first), said(second)))))));
}

// A value that may be long. Styles are set here because the page's policy has no others.
function said(text) {
  const cell = el("td", {}, text ?? "\u2013");
  Object.assign(cell.style, { whiteSpace: "normal", maxWidth: "28em", overflowWrap: "anywhere", verticalAlign: "top" });
  return cell;
}

// ---- a method ----

function method(root, data, one) {
  root.append(el("h3", {}, `Method ${one.label}`), el("ul", {}, ...facts(one).map((text) => el("li", {}, text))));
  if (one.slopes.length) slopes(root, one);
  if (one.cells.length) grid(root, data, one);
  lists(root, one);
}

function facts(one) {
  const nodes = (count) => `${count.toLocaleString("en")} ${count === 1 ? "node" : "nodes"}`;
  const found = [`${nodes(one.common)} in common; the largest relative change is ${number(one.largest, 3)}.`];
  if (one.identical) return [`All numbers of ${nodes(one.common)} are the same, bit for bit.`];
  if (one.correlation !== null) found.push(`Rank correlation ${number(one.correlation, 4)} (Spearman, over ${nodes(one.compared)}).`);
  const either = one.shared + one.entered.length + one.left.length;
  found.push(`Of the ${either} nodes in either top ${one.top}, ${one.shared} are in both (overlap ${one.jaccard.toFixed(2)}).`);
  for (const [count, side] of [[one.only_first, "first"], [one.only_second, "second"]]) {
    if (count) found.push(`${nodes(count)} in the ${side} result only.`);
  }
  if (one.flips.length) found.push(`The sign of ${nodes(one.flips.length)} of these is the other one.`);
  return found;
}

// Ranks on both sides, joined; below the line what is in the other top list only.
function slopes(root, one) {
  const shown = one.slopes, inside = (rank) => rank !== null && rank <= one.top;
  const outside = [0, 1].map((side) => shown.filter((node) => !inside(node.ranks[side])));
  const rows = Math.min(one.top, Math.max(...shown.flatMap((node) => node.ranks.filter(inside)), 1));
  const below = TOP + (rows + 0.8) * ROW;
  const height = below + (Math.max(outside[0].length, outside[1].length) + 1) * ROW;
  const width = 2 * SIDE + MIDDLE;
  const at = (node, side) => inside(node.ranks[side]) ? TOP + node.ranks[side] * ROW : below + (outside[side].indexOf(node) + 1) * ROW;
  const picture = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "Ranks in both results" });
  picture.append(svg("line", { x1: 0, x2: width, y1: below, y2: below, stroke: "var(--line)" }),
    svg("text", { x: SIDE - 8, y: TOP - 4, "text-anchor": "end", class: "tiny" }, "first"),
    svg("text", { x: SIDE + MIDDLE + 8, y: TOP - 4, class: "tiny" }, "second"));
  for (const node of shown) {
    const [left, right] = [at(node, 0), at(node, 1)];
    const both = inside(node.ranks[0]) && inside(node.ranks[1]);
    const colour = node.flips ? "var(--warn)" : both ? "var(--edge)" : inside(node.ranks[1]) ? "var(--raises)" : "var(--lowers)";
    const words = `${node.node}: rank ${rank(node.ranks[0])} to ${rank(node.ranks[1])}${node.flips ? ", other sign" : ""}`;
    picture.append(svg("g", {}, svg("title", {}, words),
      svg("line", { x1: SIDE, x2: SIDE + MIDDLE, y1: left, y2: right, stroke: colour, "stroke-width": both && !node.flips ? 1.4 : 2.2,
        "stroke-dasharray": node.flips ? "5 3" : null }),
      svg("circle", { cx: SIDE, cy: left, r: 2.6, fill: colour }), svg("circle", { cx: SIDE + MIDDLE, cy: right, r: 2.6, fill: colour }),
      svg("text", { x: SIDE - 8, y: left + 4, "text-anchor": "end" }, `${node.node} ${rank(node.ranks[0])}`),
      svg("text", { x: SIDE + MIDDLE + 8, y: right + 4 }, `${rank(node.ranks[1])} ${node.node}`)));
  }
  frame(root, {
    title: `Ranks of the top ${one.top}`,
    description: "Blue entered the top list, orange left it, dashed has the other sign. Below the line: nodes of the other list.",
    picture, table: () => table(shown),
  });
}

function rank(value) {
  return value === null ? "\u2013" : String(value);
}

function table(nodes) {
  return {
    head: ["node", "rank, first", "second", "score, first", "second", "signed, first", "second"],
    rows: nodes.map((node) => [node.node, ...node.ranks, ...node.scores, ...node.signed]),
  };
}

// Layer by position: how much the signed value changed.
function grid(root, data, one) {
  const kinds = [...new Set(one.cells.map((cell) => cell.kind))];
  const size = (kind) => Math.max(...one.cells.filter((cell) => cell.kind === kind).map((cell) => Math.abs(cell.delta)));
  let kind = kinds.reduce((best, name) => size(name) > size(best) ? name : best, kinds[0]);
  const place = el("div");
  const select = el("select", { id: "kind", onchange: () => { kind = select.value; draw(); } },
    ...kinds.map((name) => el("option", { value: name, selected: name === kind }, name)));
  root.append(place);
  function draw() {
    const cells = one.cells.filter((cell) => cell.kind === kind);
    clear(place);
    frame(place, {
      title: `${kind}: second minus first, by layer and position`,
      description: "The node of each cell whose signed value changed most. Blue is higher in the second, orange lower; + and \u2212 say it too.",
      picture: deltas(data, cells), tools: [el("label", { for: "kind" }, "Kind"), select],
      table: () => ({
        head: ["layer", "position", "token", "node", "change", "first", "second", "nodes"],
        rows: cells.map((cell) => [cell.layer ?? "", data.positions[cell.position].label, data.positions[cell.position].token ?? "",
          cell.node, cell.delta, ...cell.values, cell.nodes]),
      }),
    });
  }
  draw();
}

function deltas(data, cells) {
  const layers = [...new Set(cells.map((cell) => cell.layer))].sort((a, b) => (b ?? -1) - (a ?? -1));
  const places = [...new Set(cells.map((cell) => cell.position))].sort((a, b) => a - b);
  const across = Math.max(16, Math.min(56, 900 / Math.max(1, places.length))), down = 20;
  const right = LEFT + places.length * across, bottom = TOP + layers.length * down;
  const picture = svg("svg", { width: right + 10, height: bottom + BOTTOM, viewBox: `0 0 ${right + 10} ${bottom + BOTTOM}`,
    role: "img", "aria-label": "Changes by layer and position" });
  const largest = Math.max(...cells.map((cell) => Math.abs(cell.delta)), 1e-300);
  for (const cell of cells) {
    const x = LEFT + places.indexOf(cell.position) * across, y = TOP + layers.indexOf(cell.layer) * down;
    const box = { x, y, width: across - 1, height: down - 1 };
    const size = Math.abs(cell.delta) / largest;
    const mark = svg("text", { x: x + across / 2, y: y + 14, "text-anchor": "middle", class: "sign" }, cell.delta > 0 ? "+" : "\u2212");
    if (size > 0.3) mark.style.fill = "var(--paper)";
    picture.append(svg("g", {},
      svg("title", {}, `${cell.node}: ${withSign(cell.delta)} (${number(cell.values[0])} to ${number(cell.values[1])})`),
      svg("rect", { ...box, fill: "var(--cell)" }), svg("rect", { ...box, ...shaded(cell.delta, largest) }),
      size > 1 / 64 ? mark : null));
  }
  layers.forEach((layer, row) => picture.append(svg("text", { x: LEFT - 6, y: TOP + (row + 0.5) * down + 4, "text-anchor": "end" },
    layer === null ? "" : `L${layer}`)));
  places.forEach((position, column) => {
    const turned = across < 44, named = data.positions[position];
    picture.append(svg("text", { transform: `translate(${LEFT + (column + 0.5) * across} ${bottom + 14}) rotate(${turned ? -40 : 0})`,
      "text-anchor": turned ? "end" : "middle", class: "token" }, (named.token ?? named.label).slice(0, 10)));
  });
  return picture;
}

// ---- who moved ----

function lists(root, one) {
  for (const [title, nodes] of [
    [`Entered the top ${one.top}`, one.entered], [`Left the top ${one.top}`, one.left],
    ["Other sign", one.flips], ["Changed most", one.changes],
  ]) {
    if (!nodes.length) continue;
    const { head, rows } = table(nodes);
    root.append(el("section", { class: "part" }, el("h3", {}, title),
      el("div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": title }, el("table", {},
        el("thead", {}, el("tr", {}, ...head.map((name) => el("th", { scope: "col" }, name)))),
        el("tbody", {}, ...rows.map((row) => el("tr", {}, ...row.map((value) => el("td",
          { class: typeof value === "string" ? "" : "number" }, typeof value === "string" ? value : number(value))))))))));
  }
}

unpacked().then(start).catch((error) => {
  document.getElementById("page").textContent = `This page could not be read: ${error.message}`;
  throw error;
});
