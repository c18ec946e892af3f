// Blue raises the metric, orange lowers it (Okabe and Ito's colours, safe for colour blindness).
export function signColour(value) {
  return value > 0 ? "var(--raises)" : value < 0 ? "var(--lowers)" : "var(--nothing)";
}

// The fill of a cell: the square root of the size as its strength, so that small ones show.
export function shaded(value, largest) {
  const size = largest && value !== null ? Math.sqrt(Math.min(1, Math.abs(value) / largest)) : 0;
  return { fill: signColour(value), "fill-opacity": size.toFixed(3) };
}
