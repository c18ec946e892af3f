"""`edges`: checked as far as its words go, though it cannot be run yet."""

from __future__ import annotations

from atpdsl.semantics.filters import read_filters
from atpdsl.semantics.findings import Findings
from atpdsl.semantics.nodes import check_kinds
from atpdsl.semantics.schema import SHAPE_OF
from atpdsl.semantics.settings import read_settings
from atpdsl.semantics.signature import Vocabulary
from atpdsl.syntax import tree as t

# What an edge may lead to, beside nodes: the logits that the metric reads.
LOGITS = "logits"


def check_edges(block: t.Block, vocabulary: Vocabulary, findings: Findings) -> None:
    """The kinds of nodes on both sides of `->`, and the conditions."""
    for line in block.body.statements:
        if not isinstance(line, t.Select):
            continue
        check_kinds(line.items, vocabulary, findings)
        check_kinds(line.targets, vocabulary, findings, also=(LOGITS,))
        read_filters(line.where, findings)
        if not line.targets:
            advice = "write `heads.z -> mlp`: the nodes that are read, and those that read"
            span = line.items[0].span.to(line.items[-1].span)
            findings.error("ATP169", "these are nodes, not edges", span, advice=advice)
    read_settings(block.body, SHAPE_OF["edges"], findings)
