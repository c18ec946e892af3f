// What was asked and what made the numbers: the spec, its meaning, provenance, cost.
import { el } from "./dom.js";
import { number } from "./data.js";

export function runView(root, data) {
  const { run } = data;
  root.append(
    part("Spec", el("pre", { class: "source", tabindex: "0", role: "region", "aria-label": "Spec" }, ...run.spec.map(coloured))),
    ...run.included.map((one) => part(`Included: ${one.path}`, el("pre", { class: "source", tabindex: "0", role: "region", "aria-label": one.path }, ...one.text.map(coloured)))),
    ...(run.given.length ? [part("Given from outside", facts(run.given))] : []),
    part("Conventions", ...run.methods.map((one) => el("div", {}, el("h4", {}, one.label), facts(one.facts)))),
    ...(run.expectations.length ? [part("Expectations", grid(["", "expectation", "found"], run.expectations.map((one) =>
      [one.holds ? "\u2713 holds" : "\u2717 fails", one.text, one.undecided || one.found.join("; ")])))] : []),
    ...(run.warnings.length ? [part("Warnings", el("ul", {}, ...run.warnings.map((one) => el("li", {}, one))))] : []),
    part("Cost", grid(["stage", "forwards", "backwards", "operations", "memory", "estimated", "time", "estimated"], run.stages.map((one) =>
      [one.name, one.forwards, one.backwards, amount(one.flops, ["", "k", "M", "G", "T", "P"]), bytes(one.memory), bytes(one.memory_said), seconds(one.seconds), seconds(one.seconds_said)])),
      el("p", {}, run.costAbout)),
    part("Provenance", facts(run.provenance)),
    part("Resolved", el("details", {}, el("summary", {}, "The spec with all defaults and values filled in"),
      el("pre", { class: "source", tabindex: "0" }, run.resolved))));
}

function part(title, ...children) {
  return el("section", { class: "part" }, el("h3", {}, title), ...children);
}

function coloured([kind, text]) {
  return kind ? el("span", { class: `code-${kind}` }, text) : text;
}

function facts(rows) {
  return el("dl", { class: "wide" }, ...rows.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, String(value))]));
}

function grid(head, rows) {
  return el("div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": head.join(" ") }, el("table", {},
    el("thead", {}, el("tr", {}, ...head.map((one) => el("th", { scope: "col" }, one || "\u00a0")))),
    el("tbody", {}, ...rows.map((row) => el("tr", {}, ...row.map((one) => el("td", { class: typeof one === "number" ? "number" : "" }, typeof one === "number" ? one.toLocaleString("en") : one)))))));
}

function amount(value, units, base = 1000) {
  if (value === null) return "\u2013";
  let step = 0, left = value;
  while (left >= base && step < units.length - 1) [left, step] = [left / base, step + 1];
  return `${number(left, 3)} ${units[step]}`.trim();
}

function bytes(value) {
  return value ? amount(value, ["B", "kB", "MB", "GB", "TB"]) : "\u2013";
}

function seconds(value) {
  return value === null ? "\u2013" : value < 1 ? `${number(1000 * value, 3)} ms` : `${number(value, 3)} s`;
}
