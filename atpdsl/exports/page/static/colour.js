// Blue raises the metric, orange lowers it (Okabe and Ito's colours, safe for colour blindness).
import { svg } from "./dom.js";
import { number, withSign } from "./data.js";

export function signColour(value) {
  return value > 0 ? "var(--raises)" : value < 0 ? "var(--lowers)" : "var(--nothing)";
}

// The strength of a value's colour, 0 to 1: the square root of its share, so that small ones show.
export function strength(value, largest) {
  return largest && value !== null ? Math.sqrt(Math.min(1, Math.abs(value) / largest)) : 0;
}

export function shaded(value, largest) {
  return { fill: signColour(value), "fill-opacity": strength(value, largest).toFixed(3) };
}

// A colour of the page as [red, green, blue].
export function rgb(name) {
  const text = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
}

// A bar of colours from -largest to largest with its numbers; 44 high.
export function colourScale(largest, unit, width = 190) {
  const steps = 21, step = width / steps;
  const group = svg("g", { class: "scale" });
  for (let place = 0; place < steps; place++) {
    const share = (2 * place) / (steps - 1) - 1;
    const at = { x: (place * step).toFixed(2), y: 0, width: (step + 0.4).toFixed(2), height: 9 };
    group.append(svg("rect", { ...at, fill: "var(--cell)" }),
      svg("rect", { ...at, ...shaded(Math.sign(share) * share * share, 1) }));
  }
  const label = (x, anchor, words) => svg("text", { x, y: 21, "text-anchor": anchor, class: "tiny" }, words);
  group.append(label(0, "start", number(-largest, 3)), label(width / 2, "middle", "0"),
    label(width, "end", withSign(largest, 3)), svg("text", { x: width + 10, y: 8, class: "tiny" }, unit));
  return group;
}
