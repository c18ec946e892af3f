// The report's data: unpacked from the page, with rows found by node.
const MINUS = "\u2212";

export async function unpacked() {
  const packed = document.getElementById("data").textContent.trim();
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return prepared(JSON.parse(await new Response(stream).text()));
}

function prepared(data) {
  for (const table of Object.values(data.tables)) {
    table.length = table.columns.score.length;
    table.names = new Array(table.length);
    table.row = new Map();
    for (let row = 0; row < table.length; row++) {
      const name = nodeName(data, table, row);
      table.names[row] = name;
      table.row.set(name, row);
    }
  }
  return data;
}

function nodeName(data, table, row) {
  const { kind, layer, index, position } = table.columns;
  const named = data.kinds[kind[row]];
  const parts = [named.name];
  if (layer[row] !== null) parts.push(`L${layer[row]}`);
  if (index[row] !== null) parts.push(`${named.letter}${index[row]}`);
  return `${parts.join(".")}@${data.positions[position[row]].label}`;
}

export function rowOf(data, table, row) {
  const found = { name: table.names[row] };
  for (const [name, values] of Object.entries(table.columns)) found[name] = values[row];
  found.kindName = data.kinds[found.kind].name;
  found.place = data.positions[found.position];
  found.flagList = (data.flagSets[found.flags] ?? []).concat(table.extraFlags[found.name] ?? []);
  return found;
}

// What is drawn of a node: its measured effect, else its estimate, with the sign.
export function signedValue(table, row) {
  const { verified, effect, signed } = table.columns;
  return (verified[row] ? effect[row] : signed[row]) ?? 0;
}

export function short(data, table, row) {
  const { kind, layer, index } = table.columns;
  const named = data.kinds[kind[row]];
  const head = index[row] === null ? "" : `${named.letter}${index[row]}`;
  return `${named.name} ${layer[row] === null ? "" : `L${layer[row]}`}${head}`.trim();
}

export function number(value, digits = 4) {
  if (value === null || value === undefined) return "\u2013";
  if (typeof value !== "number") return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value).replace("-", MINUS);
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e6)
    ? value.toExponential(2) : String(Number(value.toPrecision(digits)));
  return text.replace("-", MINUS);
}

export function withSign(value, digits = 4) {
  return value > 0 ? `+${number(value, digits)}` : number(value, digits);
}
