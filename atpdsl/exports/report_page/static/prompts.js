// The pairs of prompts: tokens of both sides, the metric on each, and who stands apart.
import { el, svg, clear } from "./dom.js";
import { frame, ticks } from "./chart.js";
import { number } from "./data.js";

const W = 640, ROW = 40;

export function promptsView(root, data, state) {
  const strip = el("div"), pick = el("select", { id: "pair", onchange: () => state.set({ pair: pick.value }) }), shown = el("div");
  root.append(strip, el("div", { class: "tools" }, el("label", { for: "pair" }, "Pair"), pick), shown);
  const { pairs } = data.prompts;
  dots(strip);
  clear(pick, ...pairs.map((one, number_) => el("option", { value: number_ }, `${number_ + 1}: gap ${number(one.gap)}${one.outlier ? ", outlier" : ""}`)));
  function draw() {
    const number_ = Math.min(pairs.length - 1, Math.max(0, Number(state.get("pair")) || 0)), pair = pairs[number_];
    pick.value = String(number_);
    clear(shown,
      side("Clean", pair, "clean", 0), side("Corrupted", pair, "corrupted", 1),
      el("p", {}, `Right: ${pair.answers.map((one) => `\u201c${one}\u201d`).join(", ") || "\u2013"}. Wrong: ${pair.foils.map((one) => `\u201c${one}\u201d`).join(", ") || "\u2013"}. `
        + `${data.metric.title}: clean ${number(pair.clean.metric)}, corrupted ${number(pair.corrupted.metric)}, gap ${number(pair.gap)}.`));
  }
  function side(title, pair, name, which) {
    const places = new Map();
    for (const [label, at] of Object.entries(pair.positions)) places.set(at[which], [...(places.get(at[which]) ?? []), label]);
    return el("div", { class: "prompt" }, el("h4", {}, title), el("ol", { class: "tokens", "aria-label": `${title} tokens` },
      ...pair[name].tokens.map((token, at) => {
        const other = pair[name === "clean" ? "corrupted" : "clean"].tokens;
        const differs = pair.differs[which].includes(at) && other.length > 0;
        return el("li", { class: `${differs ? "differs" : ""} ${places.has(at) ? "named" : ""}` },
          el("span", { class: "text" }, visible(token)), el("span", { class: "place" }, `${at}${places.has(at) ? ` ${places.get(at).join(" ")}` : ""}`));
      })));
  }
  function dots(to) {
    const rows = [["clean", (one) => one.clean.metric], ["corrupted", (one) => one.corrupted.metric], ["gap", (one) => one.gap]];
    const all = pairs.flatMap((one) => rows.map(([, value]) => value(one))).filter((one) => one !== null);
    if (!all.length) return;
    const low = Math.min(0, ...all), high = Math.max(0, ...all), x = (value) => 90 + ((value - low) / (high - low || 1)) * (W - 120);
    const picture = svg("svg", { width: W, height: rows.length * ROW + 30, viewBox: `0 0 ${W} ${rows.length * ROW + 30}`, role: "group", "aria-label": "Metric of every pair" });
    rows.forEach(([name, value], row) => {
      const y = row * ROW + ROW / 2 + 4;
      picture.append(svg("text", { x: 82, y: y + 4, "text-anchor": "end" }, name), svg("line", { x1: 90, x2: W - 30, y1: y, y2: y, stroke: "var(--band)" }));
      pairs.forEach((one, number_) => {
        if (value(one) === null) return;
        const words = `Pair ${number_ + 1}: ${name} ${number(value(one))}${one.outlier ? ", outlier" : ""}`;
        const outlier = name === "gap" && one.outlier;
        const lift = ((number_ * 7) % 5) * 4 - 8;
        picture.append(svg("g", { onclick: () => state.set({ pair: number_ }) },
          outlier ? svg("rect", { x: x(value(one)) - 4.5, y: y + lift - 4.5, width: 9, height: 9, fill: "var(--lowers)", stroke: "var(--ink)" })
            : svg("circle", { cx: x(value(one)), cy: y + lift, r: 4, fill: "var(--raises)", "fill-opacity": "0.55" }), svg("title", {}, words)));
      });
    });
    picture.append(svg("line", { x1: x(0), x2: x(0), y1: 4, y2: rows.length * ROW + 4, stroke: "var(--edge)" }));
    for (const tick of ticks(low, high, 6)) picture.append(svg("text", { x: x(tick), y: rows.length * ROW + 20, "text-anchor": "middle", class: "tiny" }, number(tick, 3)));
    frame(to, { title: "Metric of every pair", picture, description: data.prompts.about,
      table: () => ({ head: ["pair", "clean", "corrupted", "gap", "outlier"], rows: pairs.map((one, number_) => [number_ + 1, one.clean.metric, one.corrupted.metric, one.gap, one.outlier ? "yes" : ""]) }) });
  }
  state.subscribe(["pair"], draw);
  draw();
}

function visible(token) {
  return token.replace(/\n/g, "\u23ce").replace(/ /g, "\u00b7") || "\u2205";
}
