// What is looked at, kept in the address so that a link shows the same.
const FIRST = {
  view: "circuit", method: "", selected: "", top: "40", edges: "selected",
  kind: "", index: "", search: "", flag: "", verified: "", sort: "rank", down: "", page: "0", pair: "0",
};

export function makeState(firstMethod) {
  const usual = { ...FIRST, method: firstMethod };
  const values = { ...usual, ...fromHash(usual) };
  const listeners = [];
  function set(changes) {
    const changed = Object.keys(changes).filter((key) => values[key] !== String(changes[key]));
    for (const key of changed) values[key] = String(changes[key]);
    if (!changed.length) return;
    write();
    for (const [keys, heard] of listeners) if (keys.some((key) => changed.includes(key))) heard();
  }
  function write() {
    const kept = Object.entries(values).filter(([key, value]) => value !== usual[key]);
    const hash = kept.map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join("&");
    try {
      history.replaceState(null, "", hash ? `#${hash}` : "#");
    } catch {
      // In a notebook's frame the page has no address of its own.
    }
  }
  function subscribe(keys, heard) {
    listeners.push([keys, heard]);
  }
  window.addEventListener("hashchange", () => set({ ...usual, ...fromHash(usual) }));
  return { get: (key) => values[key], set, subscribe };
}

function fromHash(usual) {
  const found = {};
  for (const part of location.hash.slice(1).split("&")) {
    const [key, value] = part.split("=");
    if (key in usual && value !== undefined) found[key] = readable(value);
  }
  return found;
}

function readable(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}
