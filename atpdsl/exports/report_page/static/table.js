// All nodes that the page has: sorted, filtered, by pages, and copied as a selection.
import { el, clear } from "./dom.js";
import { number, rowOf, signedValue, withSign } from "./data.js";

const PAGE = 50;
const COLUMNS = [
  ["rank", "#", "number"], ["name", "node", "text"], ["token", "token", "text"], ["score", "score", "number"],
  ["estimate", "estimate", "number"], ["effect", "effect", "number"], ["verified", "measured", "text"],
  ["upper", "bound", "number"], ["flags", "flags", "text"],
];

export function tableView(root, data, state) {
  const search = el("input", { type: "search", id: "search", placeholder: "L2 mlp last",
    oninput: () => state.set({ search: search.value, page: 0 }) });
  const flag = el("select", { id: "flag", onchange: () => state.set({ flag: flag.value, page: 0 }) });
  const verified = el("select", { id: "verified", onchange: () => state.set({ verified: verified.value, page: 0 }) },
    ...[["", "all"], ["yes", "measured"], ["no", "estimated only"]].map(([value, text]) => el("option", { value }, text)));
  const copied = el("span", { role: "status" });
  const copy = el("button", { type: "button", onclick: () => copySelection() }, "Copy these as .atp");
  const body = el("tbody"), head = el("tr"), foot = el("div", { class: "tools" });
  const source = el("pre", { class: "source", hidden: true, tabindex: "0" });
  root.append(
    el("h3", {}, "Nodes"),
    el("div", { class: "tools" }, el("label", { for: "search" }, "Search"), search, el("label", { for: "flag" }, "Flag"), flag,
      el("label", { for: "verified" }, "Show"), verified, copy, copied),
    source, el("div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": "Table of nodes" },
      el("table", { class: "nodes" }, el("thead", {}, head), body)), foot);
  let rows = [];
  function draw() {
    const table = data.tables[state.get("method")];
    const flags = [...new Set([...data.flagSets.flat(), ...Object.values(table.extraFlags).flat()])];
    clear(flag, el("option", { value: "" }, "any"), ...flags.map((one) => el("option", { value: one, selected: one === state.get("flag") }, one)));
    search.value = state.get("search");
    verified.value = state.get("verified");
    rows = sorted(table, filtered(table));
    const pages = Math.max(1, Math.ceil(rows.length / PAGE));
    const page = Math.min(Number(state.get("page")) || 0, pages - 1);
    const columns = COLUMNS.filter(([name]) => name !== "upper" || table.columns.upper);
    clear(head, ...columns.map(([name, title, kind]) => heading(name, title, kind)));
    clear(body, ...rows.slice(page * PAGE, (page + 1) * PAGE).map((row) => line(table, row, columns)));
    const turn = (to, words) => el("button", { type: "button", disabled: to < 0 || to >= pages, onclick: () => state.set({ page: to }) }, words);
    const left = table.total > table.length ? `; ${(table.total - table.length).toLocaleString("en")} weaker nodes are not on the page` : "";
    clear(foot, turn(page - 1, "Previous"), el("span", {}, `Page ${page + 1} of ${pages}, ${rows.length.toLocaleString("en")} nodes${left}`), turn(page + 1, "Next"));
  }
  function heading(name, title, kind) {
    const here = state.get("sort") === name, down = state.get("down") === "1";
    return el("th", { scope: "col", class: kind, "aria-sort": here ? (down ? "descending" : "ascending") : "none" },
      el("button", { type: "button", onclick: () => state.set({ sort: name, down: here && !down ? "1" : "", page: 0 }) },
        title, here ? (down ? " \u25bc" : " \u25b2") : ""));
  }
  function line(table, row, columns) {
    const one = rowOf(data, table, row);
    const cells = {
      rank: number(one.rank), token: one.place.token ?? "", score: number(one.score), estimate: number(one.estimate),
      effect: one.effect === null ? "\u2013" : withSign(one.effect), verified: one.verified ? "\u2713 yes" : "no", upper: number(one.upper),
      flags: one.flagList.join(", "),
    };
    return el("tr", { class: one.name === state.get("selected") ? "selected" : "", "data-node": one.name },
      ...columns.map(([name, , kind]) => el("td", { class: kind }, name === "name"
        ? el("button", { type: "button", class: "link", "aria-pressed": String(one.name === state.get("selected")),
          onclick: () => state.set({ selected: one.name }) }, one.name) : cells[name])));
  }
  function filtered(table) {
    const words = state.get("search").toLowerCase().split(/\s+/).filter(Boolean);
    const found = [];
    for (let row = 0; row < table.length; row++) {
      if (state.get("verified") && (state.get("verified") === "yes") !== Boolean(table.columns.verified[row])) continue;
      const name = `${table.names[row]} ${data.positions[table.columns.position[row]].token ?? ""}`.toLowerCase();
      if (!words.every((word) => name.includes(word))) continue;
      if (state.get("flag") && !rowOf(data, table, row).flagList.includes(state.get("flag"))) continue;
      found.push(row);
    }
    return found;
  }
  function sorted(table, found) {
    const name = state.get("sort"), turn = state.get("down") === "1" ? -1 : 1;
    const value = {
      name: (row) => table.names[row], token: (row) => data.positions[table.columns.position[row]].token ?? "",
      flags: (row) => rowOf(data, table, row).flagList.join(), verified: (row) => Number(table.columns.verified[row]),
    }[name] ?? ((row) => table.columns[name]?.[row] ?? null);
    const values = new Map(found.map((row) => [row, value(row)]));
    return found.sort((one, other) => {
      const [a, b] = [values.get(one), values.get(other)];
      if (a === null || b === null) return (a === null) - (b === null);
      return turn * (a < b ? -1 : a > b ? 1 : 0);
    });
  }
  async function copySelection() {
    const table = data.tables[state.get("method")];
    const text = asSpec(data, table, rows.slice(0, 200));
    source.textContent = text;
    source.hidden = false;
    try {
      await navigator.clipboard.writeText(text);
      copied.textContent = rows.length > 200 ? "The first 200 are copied." : "Copied.";
    } catch {
      copied.textContent = "Below, to be copied by hand.";
    }
  }
  state.subscribe(["method", "search", "flag", "verified", "sort", "down", "page"], draw);
  state.subscribe(["selected"], () => {
    for (const one of body.querySelectorAll("tr")) {
      const here = one.dataset.node === state.get("selected");
      one.classList.toggle("selected", here);
      one.querySelector("button.link").setAttribute("aria-pressed", String(here));
    }
  });
  draw();
}

// `nodes { heads.z[L2H1, L3H0] at 14 }`, as docs/language.md has it.
function asSpec(data, table, rows) {
  const groups = new Map();
  for (const row of rows) {
    const one = rowOf(data, table, row);
    const key = `${one.kindName}\n${one.place.label}`;
    const unit = one.index === null ? "" : `${data.kinds[one.kind].letter.replace("KV", "H")}${one.index}`;
    groups.set(key, [...(groups.get(key) ?? []), one.layer === null ? "" : `L${one.layer}${unit}`]);
  }
  const lines = [...groups].map(([key, units]) => {
    const [kind, position] = key.split("\n");
    return `  ${kind}${units[0] ? `[${[...new Set(units)].join(", ")}]` : ""} at ${position}`;
  });
  return `nodes {\n${lines.join("\n")}\n}\n`;
}
