"""DOT: the circuit for Graphviz, layers upwards, with the strongest edges.

`dot` ranks the layers by itself; `neato -n2` takes the positions that stand in the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atpdsl.exports.exporter import Exporter
from atpdsl.exports.layout import Dot, lay_out, row_of, stage_of
from atpdsl.exports.marks import INK, colour, tint
from atpdsl.exports.strongest import strongest
from atpdsl.nodes import NODE_KINDS
from atpdsl.results.harmless import harmless
from atpdsl.results.names import INPUT, LOGITS

if TYPE_CHECKING:
    import networkx

    from atpdsl.results.result import Result

_SHAPES = {
    "heads.z": "circle",
    "heads.q": "triangle",
    "heads.k": "invtriangle",
    "heads.v": "diamond",
    "attn": "hexagon",
    "mlp": "box",
    "neurons": "pentagon",
    "embed": "plain",
}
POINTS = 72.0


def write(result: Result, path: Path) -> None:
    """Write the circuit as DOT."""
    path.write_text("\n".join(_lines(result)) + "\n", encoding="utf-8")


def _lines(result: Result) -> Iterator[str]:
    graph = result.graph
    edges = strongest(graph)
    name = quoted(result.record.spec.name)
    yield f"// the {len(edges)} strongest of {graph.number_of_edges()} edges"
    yield f"digraph {name} {{"
    yield "  rankdir=BT; nodesep=0.6; ranksep=0.25; newrank=true;"
    yield '  node [fontname="sans-serif", fontsize=7, fixedsize=true, penwidth=1];'
    yield '  edge [color="#5f6b7a80", arrowsize=0.4, fontname="sans-serif", fontsize=6];'
    dots = lay_out(graph).dots
    ranks = list(_ranks(graph))
    for rank, names in ranks:
        yield f"  {{ rank={rank};"
        for node in names:
            yield f"    {quoted(node)} {_attributes(_node(graph.nodes[node], dots[node]))};"
        yield "  }"
    # Without these `dot` puts layers beside each other that no edge joins.
    yield f"  {' -> '.join(quoted(names[0]) for _, names in ranks)} [style=invis];"
    most = max((graph.edges[edge]["weight"] or 0.0 for edge in edges), default=0.0) or 1.0
    for source, target, through in edges:
        facts = graph.edges[source, target, through]
        weight = facts["weight"] or 0.0
        shown = {"penwidth": round(0.4 + 2.6 * (weight / most) ** 0.5, 2), "tooltip": through}
        yield f"  {quoted(source)} -> {quoted(target)} {_attributes(shown)};"
    yield "}"


def _ranks(graph: networkx.MultiDiGraph) -> Iterator[tuple[str, list[str]]]:
    """Nodes that stand at one height, from below."""

    def height(node: str) -> tuple[int, int]:
        return row_of(graph.nodes[node]), stage_of(graph.nodes[node])

    if INPUT in graph:
        yield "min", [INPUT]
    inner = sorted((node for node in graph if node not in (INPUT, LOGITS)), key=height)
    for _, names in groupby(inner, key=height):
        yield "same", list(names)
    if LOGITS in graph:
        yield "max", [LOGITS]


def _node(facts: Mapping[str, Any], dot: Dot) -> dict[str, str | float]:
    size = round(2 * dot.radius / POINTS, 3)
    place = {"pos": f"{dot.x:.1f},{dot.y:.1f}!", "tooltip": facts["label"]}
    label = facts["label"]
    if facts["kind"] not in NODE_KINDS:
        return {"label": label, "shape": "box", "fixedsize": "false", "width": 0, **place}
    shade, verified = colour(facts), facts.get("verified")
    return {
        # Beside the node, where there is room for it.
        "xlabel": label,
        "label": "",
        "shape": _SHAPES.get(facts["kind"], "box"),
        "style": "filled" if verified else "filled,dashed",
        "color": shade,
        "fillcolor": shade if verified else tint(shade),
        "fontcolor": INK,
        "width": size,
        "height": size,
        **place,
    }


def quoted(text: object) -> str:
    """A word as DOT has it: nothing in it is an escape, a port or markup."""
    plain = harmless(str(text)).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{plain}"'


def _attributes(values: Mapping[str, str | float]) -> str:
    return "[" + ", ".join(f"{name}={quoted(value)}" for name, value in values.items()) + "]"


DOT = Exporter(
    name="dot",
    suffixes=(".dot", ".gv"),
    summary="the circuit for Graphviz, with the strongest edges",
    write=write,
)
