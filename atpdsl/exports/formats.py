"""The table of export formats; to add one, write its file and put it here."""

from __future__ import annotations

from atpdsl.exports.comma_separated import CSV
from atpdsl.exports.gexf import GEXF
from atpdsl.exports.graphml import GRAPHML
from atpdsl.exports.node_link import NODE_LINK
from atpdsl.exports.parquet import PARQUET
from atpdsl.registry import Registry

EXPORTERS = Registry("export format", (GRAPHML, GEXF, NODE_LINK, CSV, PARQUET))
