"""Node-link JSON: the circuit for d3 and networkx (`node_link_graph(data, edges="links")`)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from atpdsl.exports.exporter import Exporter
from atpdsl.results.document import dumps

if TYPE_CHECKING:
    from atpdsl.results.result import Result


def write(result: Result, path: Path) -> None:
    """Write the circuit as node-link JSON."""
    import networkx

    data = networkx.node_link_data(result.graph, edges="links")
    path.write_text(dumps(data), encoding="utf-8")


NODE_LINK = Exporter(
    name="json",
    suffixes=(".json",),
    summary="the circuit as node-link JSON, for d3 and networkx",
    write=write,
)
