"""Computed metrics for tests, read from their text."""

from __future__ import annotations

from collections.abc import Sequence

from atpdsl.metrics import METRICS, READINGS
from atpdsl.problems import Source
from atpdsl.semantics.experiment import MetricCall
from atpdsl.semantics.findings import Findings
from atpdsl.semantics.metric import Surroundings, read_metric
from atpdsl.semantics.positions import Positions
from atpdsl.semantics.signature import Vocabulary
from atpdsl.syntax import tree as t
from atpdsl.syntax.parse import parse

VOCABULARY = Vocabulary(
    methods=(),
    metrics=tuple(metric.signature for metric in METRICS),
    nodes=(),
    exports=(),
    executors=(),
    readings=tuple(reading.signature for reading in READINGS),
)


def metric_call(text: str) -> MetricCall:
    """What `metric TEXT` asks for; it must be right."""
    source = Source("spec.atp", f"atp 1\nmetric {text}\n")
    tree, problems = parse(source)
    assert problems == ()
    (statement,) = (one for one in tree.statements if isinstance(one, t.Declaration))
    findings = Findings()
    around = Surroundings(
        vocabulary=VOCABULARY, positions=Positions(findings), prompts=None, source=source
    )
    call = read_metric(statement, around, findings)
    assert findings.problems == []
    assert call is not None
    return call


def sets_of(
    call: MetricCall, answers: Sequence[int], foils: Sequence[int]
) -> tuple[tuple[int, ...], ...]:
    """The token sets of one pair; the texts of a set are token numbers, `[3, 5]`."""
    sides = {"right": tuple(answers), "wrong": tuple(foils)}
    sets = call.formula.sets if call.formula else ()
    return tuple(
        sides[one.side] if one.side else tuple(int(part.text) for part in one.texts)
        for one in sets
    )
