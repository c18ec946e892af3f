"""The table of export formats; to add one, write its file and put it here."""

from __future__ import annotations

from atpdsl.exports.comma_separated import CSV
from atpdsl.exports.cytoscape import CYTOSCAPE
from atpdsl.exports.dot import DOT
from atpdsl.exports.eap_ig import EAP_IG
from atpdsl.exports.gexf import GEXF
from atpdsl.exports.graphml import GRAPHML
from atpdsl.exports.html import HTML
from atpdsl.exports.markdown import MARKDOWN
from atpdsl.exports.neuronpedia import NEURONPEDIA
from atpdsl.exports.node_link import NODE_LINK
from atpdsl.exports.parquet import PARQUET
from atpdsl.exports.plots import PDF, PNG
from atpdsl.exports.svg import SVG
from atpdsl.registry import Registry

EXPORTERS = Registry(
    "export format",
    (
        HTML,
        MARKDOWN,
        SVG,
        PNG,
        PDF,
        GRAPHML,
        GEXF,
        DOT,
        NODE_LINK,
        CYTOSCAPE,
        EAP_IG,
        NEURONPEDIA,
        CSV,
        PARQUET,
    ),
)
