"""GEXF: the circuit laid out for Gephi, tokens from left to right and layers upwards.

Colour is the sign (blue raises the metric, orange-red lowers it, pale is not measured), size
the score.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from atpdsl.exports.exporter import Exporter
from atpdsl.exports.flat import flat_graph
from atpdsl.exports.layout import lay_out
from atpdsl.exports.marks import channels, colour
from atpdsl.nodes import NODE_KINDS
from atpdsl.results.harmless import harmless

if TYPE_CHECKING:
    import networkx

    from atpdsl.results.result import Result

MEASURED, ESTIMATED = 1.0, 0.45
# Gephi's labels are larger than a figure's.
SCALE = 2.0


def write(result: Result, path: Path) -> None:
    """Write the circuit as GEXF with positions, colours and sizes."""
    import networkx

    flat = flat_graph(result.graph)
    _show(flat, result.graph)
    networkx.write_gexf(flat, path)


def _show(flat: networkx.MultiDiGraph, graph: networkx.MultiDiGraph) -> None:
    """Adds what Gephi draws nodes by."""
    for node, dot in lay_out(graph).dots.items():
        facts = graph.nodes[node]
        red, green, blue = channels(colour(facts))
        measured = facts.get("verified") or facts["kind"] not in NODE_KINDS
        flat.nodes[harmless(node)]["viz"] = {
            "position": {"x": SCALE * dot.x, "y": SCALE * dot.y, "z": 0.0},
            "color": {
                "r": red,
                "g": green,
                "b": blue,
                "a": MEASURED if measured else ESTIMATED,
            },
            "size": SCALE * dot.radius,
        }


GEXF = Exporter(
    name="gexf",
    suffixes=(".gexf",),
    summary="the circuit for Gephi, laid out: tokens by layers",
    write=write,
)
