"""Cytoscape JSON: the circuit for Cytoscape and Cytoscape.js, laid out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from atpdsl.exports.exporter import Exporter
from atpdsl.exports.flat import edge_id
from atpdsl.exports.layout import lay_out
from atpdsl.results.document import dumps

if TYPE_CHECKING:
    from atpdsl.results.result import Result


def write(result: Result, path: Path) -> None:
    """Write the circuit as Cytoscape JSON, as `networkx.cytoscape_graph` reads it."""
    import networkx

    data: dict[str, Any] = networkx.cytoscape_data(result.graph)
    elements = data["elements"]
    dots = lay_out(result.graph).dots
    for node in elements["nodes"]:
        dot = dots[node["data"]["id"]]
        # There, as on screens, y grows downwards.
        node["position"] = {"x": dot.x, "y": -dot.y}
    for edge in elements["edges"]:
        facts = edge["data"]
        facts["id"] = edge_id(facts["source"], facts["target"], facts["key"])
        facts["interaction"] = facts["through"]
    path.write_text(dumps(data), encoding="utf-8")


CYTOSCAPE = Exporter(
    name="cytoscape",
    suffixes=(".cyjs", ".cy.json"),
    summary="the circuit for Cytoscape and Cytoscape.js, laid out",
    write=write,
)
