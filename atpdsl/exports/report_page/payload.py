"""Everything that the page shows of a result, as plain JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from atpdsl.exports.report_page.payload_nodes import kinds_of, places, tables
from atpdsl.exports.report_page.payload_prompts import prompts
from atpdsl.exports.report_page.payload_run import run
from atpdsl.exports.report_page.payload_trust import glance, trust
from atpdsl.exports.report_page.payload_why import FLAG_WORDS, why
from atpdsl.results.harmless import harmless

if TYPE_CHECKING:
    from atpdsl.results.record import MethodRecord
    from atpdsl.results.result import Result

SCHEMA = "atpdsl/page/1"


def payload(result: Result) -> dict[str, Any]:
    """The data of the page; docs/results.md describes the page."""
    record = result.record
    labels = [method.label for method in record.methods]
    position = record.metric.position
    return {
        "schema": SCHEMA,
        "title": harmless(title_of(result)),
        "subtitle": harmless(_subtitle(result)),
        "metric": {
            "title": harmless(record.metric.title),
            "position": position,
            "unit": record.metric.unit,
            "effect_unit": record.metric.effect_unit,
            "clean": record.metric.clean,
            "corrupted": record.metric.corrupted,
            "gap": record.metric.gap,
        },
        "model": {"name": harmless(record.provenance.model.name), "layers": _layers(result)},
        "methods": [_method(method) for method in record.methods],
        "first": labels[0] if record.circuit is None else record.circuit.method,
        "kinds": kinds_of(),
        "positions": places(result),
        "glance": {label: glance(result, label) for label in labels},
        **tables(result, labels),
        "graphs": {label: _graph(result, label) for label in labels},
        "flagWords": dict(FLAG_WORDS),
        "trust": {label: trust(result, label) for label in labels},
        "why": why(result),
        "prompts": prompts(result),
        "run": run(result),
    }


def _method(method: MethodRecord) -> dict[str, object]:
    """A method, and what its numbers mean."""
    return {
        "label": method.label,
        "exact": method.exact,
        "direction": method.direction,
        "sign": harmless(method.sign),
        "absolute": harmless(method.absolute),
    }


def _layers(result: Result) -> int:
    return result.record.provenance.model.shape.n_layers


def title_of(result: Result) -> str:
    """`ioi on tiny: logit_diff at last`."""
    record = result.record
    metric = record.metric
    model = record.provenance.model.name
    return f"{record.spec.name} on {model}: {metric.title} at {metric.position}"


def _subtitle(result: Result) -> str:
    record = result.record
    first = record.spec.doc.strip().split("\n\n")[0].replace("\n", " ")
    pairs = len(record.pairs)
    facts = [f"{pairs:,} pair{'s' if pairs != 1 else ''}"]
    if record.metric.clean is not None and record.metric.corrupted is not None:
        facts.append(
            f"clean {record.metric.clean:.3f}, corrupted {record.metric.corrupted:.3f}"
        )
    facts.append(f"{len(result.table):,} scores")
    return " \u00b7 ".join([*([first] if first else []), ", ".join(facts)])


def _graph(result: Result, label: str) -> dict[str, Sequence[object]]:
    """Edges by node names, [source, target, through, via, weight]."""
    graph = result.circuit(method=label)
    return {
        "links": [
            [source, target, facts["through"], facts["via"], facts["weight"]]
            for source, target, facts in graph.edges(data=True)
        ]
    }
