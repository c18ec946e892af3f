// Every chart has a heading, what it shows in words, its picture as a file, and its numbers.
import { el, clear } from "./dom.js";
import { number } from "./data.js";

export function frame(root, { title, description, picture, table, tools = [] }) {
  const numbers = el("div", { class: "numbers", hidden: true });
  const show = el("button", {
    type: "button", "aria-expanded": "false",
    onclick: () => {
      numbers.hidden = !numbers.hidden;
      show.setAttribute("aria-expanded", String(!numbers.hidden));
      if (!numbers.hidden) clear(numbers, dataTable(title, table()));
    },
  }, "Data table");
  const save = el("button", { type: "button", onclick: () => saveSvg(picture, title) }, "Save SVG");
  const caption = el("figcaption", {},
    el("h3", {}, title), el("p", { class: "about" }, description),
    el("div", { class: "tools" }, ...tools, picture ? save : null, table ? show : null));
  const figure = el("figure", { class: "chart" }, caption,
    picture ? el("div", { class: "picture", tabindex: "0", role: "group", "aria-label": title }, picture) : null,
    numbers);
  root.append(figure);
  return figure;
}

function dataTable(title, { head, rows }) {
  const shown = rows.slice(0, 500);
  return el("div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": `Numbers of ${title}` },
    el("table", {},
      el("thead", {}, el("tr", {}, ...head.map((name) => el("th", { scope: "col" }, name)))),
      el("tbody", {}, ...shown.map((row) => el("tr", {}, ...row.map((value) =>
        el("td", { class: typeof value === "number" ? "number" : "" },
          typeof value === "number" ? number(value, 6) : String(value ?? "\u2013"))))))),
    rows.length > shown.length ? el("p", {}, `The first ${shown.length} of ${rows.length} rows.`) : null);
}

function saveSvg(picture, title) {
  const copy = picture.cloneNode(true);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const colours = getComputedStyle(document.documentElement);
  const text = new XMLSerializer().serializeToString(copy)
    .replace(/var\((--[a-z-]+)\)/g, (_, name) => colours.getPropertyValue(name).trim());
  const ink = colours.getPropertyValue("--ink").trim();
  const style = `<style>text{font:11px sans-serif;fill:${ink}}</style>`;
  const whole = text.replace(/(<svg[^>]*>)/, `$1${style}`);
  const link = el("a", {
    href: URL.createObjectURL(new Blob([whole], { type: "image/svg+xml" })),
    download: `${title.toLowerCase().replace(/[^a-z0-9]+/g, "-")}.svg`,
  });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

// Round numbers from 0 (or `low`) to `high`.
export function ticks(low, high, about = 4) {
  const span = high - low || 1;
  const rough = span / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((one) => one * power >= rough) ?? 10);
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step * 1e-9; at += step) found.push(Number(at.toPrecision(12)));
  return found;
}
