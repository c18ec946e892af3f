"""The rows of a sweep's table: what a finished point says, and one that failed."""

from __future__ import annotations

from atpdsl.problems import RunError
from atpdsl.results.names import node_id
from atpdsl.results.result import Result
from atpdsl.results.scores import ScoreRow
from atpdsl.results.sweep import DONE, SweepRow
from atpdsl.results.trust import Verification


def describe(result: Result) -> tuple[SweepRow, ...]:
    """The rows of a finished point, one per method."""
    record = result.record
    checked = {verification.label: verification for verification in record.verification}
    return tuple(
        _row(result, method.label, checked.get(method.label)) for method in record.methods
    )


def _row(result: Result, label: str, found: Verification | None) -> SweepRow:
    record = result.record
    best = next(iter(result.top_rows(1, label)), None)
    recall = None if found is None else found.recall_mean_abs
    return SweepRow(
        method=label,
        status=DONE,
        pairs=len(record.pairs),
        nodes=sum(nodes.nodes for nodes in record.nodes),
        clean=record.metric.clean,
        corrupted=record.metric.corrupted,
        best=None if best is None else _node(best),
        score=None if best is None else best.score,
        verified=None if found is None else found.measured,
        recall=None if recall is None else recall.hits,
        recall_of=None if recall is None else recall.of,
        correlation=None if found is None else found.spearman_mean_abs,
        expected=len(record.expectations),
        held=len(record.expectations) - len(record.unmet),
        seconds=round(record.host.seconds, 3),
    )


def _node(row: ScoreRow) -> str:
    return node_id(row.kind, row.layer, row.index, row.position)


def failure(labels: tuple[str, ...], error: RunError) -> tuple[SweepRow, ...]:
    """The rows of a point that has no result."""
    codes = ", ".join(dict.fromkeys(problem.code for problem in error.problems))
    return tuple(SweepRow(method=label, status=f"failed: {codes}") for label in labels)
