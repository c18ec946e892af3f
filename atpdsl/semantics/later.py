"""`diagnose` and `edges`: checked as far as their words go, though they cannot be run yet."""

from __future__ import annotations

from atpdsl.registry import closest
from atpdsl.semantics.filters import read_filters
from atpdsl.semantics.findings import Findings, did_you_mean, listed
from atpdsl.semantics.nodes import check_kinds
from atpdsl.semantics.schema import SHAPE_OF
from atpdsl.semantics.settings import read_settings
from atpdsl.semantics.signature import Vocabulary
from atpdsl.syntax import tree as t

# What an edge may lead to, beside nodes: the logits that the metric reads.
LOGITS = "logits"


def check_diagnose(block: t.Block, findings: Findings) -> None:
    """Names of diagnostics, and their settings."""
    parts = {part.word: part for part in SHAPE_OF["diagnose"].parts}
    for line in block.body.statements:
        if not isinstance(line, t.Select):
            continue
        for item in line.items:
            name = item.text if isinstance(item, t.Name) else ""
            if name not in parts:
                known = f"there are {listed(tuple(parts))}"
                advice = did_you_mean(closest(name, parts), known)
                what = f"`{name}`" if name else "this"
                message = f"{what} is nothing that can be diagnosed"
                findings.error("ATP168", message, item.span, advice=advice)
            elif line.body is not None:
                read_settings(line.body, parts[name], findings)
    others = tuple(s for s in block.body.statements if not isinstance(s, t.Select))
    rest = t.Body(statements=others, span=block.body.span, broken=block.body.broken)
    read_settings(rest, SHAPE_OF["diagnose"], findings)


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
