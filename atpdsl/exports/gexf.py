"""GEXF: the circuit laid out for Gephi, tokens from left to right and layers upwards.

Colour is the sign (blue raises the metric, red lowers it, pale is not measured), size the
score.
"""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atpdsl.exports.exporter import Exporter
from atpdsl.exports.flat import flat_graph
from atpdsl.nodes import NODE_KINDS

if TYPE_CHECKING:
    import networkx

    from atpdsl.results.result import Result

BLUE, RED, GREY = (33, 102, 172), (178, 24, 43), (120, 120, 120)
MEASURED, ESTIMATED = 1.0, 0.45
# Distances between tokens and layers, between steps in a layer, and between nodes that
# would lie on each other.
CELL, STEP, ASIDE = 100.0, 12.0, 14.0
SMALLEST, LARGEST = 5.0, 30.0


def write(result: Result, path: Path) -> None:
    """Write the circuit as GEXF with positions, colours and sizes."""
    import networkx

    graph = flat_graph(result.graph)
    _lay_out(graph)
    networkx.write_gexf(graph, path)


def _lay_out(graph: networkx.DiGraph) -> None:
    nodes = dict(graph.nodes(data=True))
    top = max((n.get("layer", 0) for n in nodes.values()), default=0) + 1
    largest = max((n.get("score", 0.0) for n in nodes.values()), default=0.0) or 1.0
    taken: Counter[tuple[float, float]] = Counter()
    for attributes in nodes.values():
        x, y = _place(attributes, top)
        aside = ASIDE * taken[x, y]
        taken[x, y] += 1
        size = SMALLEST + (LARGEST - SMALLEST) * math.sqrt(
            attributes.get("score", 0.0) / largest
        )
        red, green, blue = _colour(attributes)
        measured = attributes.get("verified") or attributes["kind"] not in NODE_KINDS
        attributes["viz"] = {
            "position": {"x": x + aside, "y": y, "z": 0.0},
            "color": {
                "r": red,
                "g": green,
                "b": blue,
                "a": MEASURED if measured else ESTIMATED,
            },
            "size": size,
        }


def _place(attributes: dict[str, Any], top: int) -> tuple[float, float]:
    """Left of the first token is what covers the whole prompt."""
    x = CELL * attributes.get("token_index", -1)
    if attributes["kind"] not in NODE_KINDS:
        return x, -CELL if attributes["kind"] == "input" else CELL * top
    kind = NODE_KINDS[attributes["kind"]]
    return x, CELL * attributes.get("layer", 0) + STEP * kind.stage


def _colour(attributes: dict[str, Any]) -> tuple[int, int, int]:
    signed = attributes.get("effect", attributes.get("signed", 0.0))
    return BLUE if signed > 0 else RED if signed < 0 else GREY


GEXF = Exporter(
    name="gexf",
    suffixes=(".gexf",),
    summary="the circuit for Gephi, laid out: tokens by layers",
    write=write,
)
