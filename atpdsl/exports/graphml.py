"""GraphML: the circuit for Gephi, yEd, Cytoscape and igraph."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from atpdsl.exports.exporter import Exporter
from atpdsl.exports.flat import flat_graph

if TYPE_CHECKING:
    from atpdsl.results.result import Result


def write(result: Result, path: Path) -> None:
    """Write the circuit as GraphML."""
    import networkx

    networkx.write_graphml_xml(flat_graph(result.graph), path)


GRAPHML = Exporter(
    name="graphml",
    suffixes=(".graphml",),
    summary="the circuit for Gephi, yEd, Cytoscape and igraph",
    write=write,
)
