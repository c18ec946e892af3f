"""A result for programs: what `--json` prints of it."""

from __future__ import annotations

from atpdsl.cli.terminal import say_json
from atpdsl.results.names import node_id
from atpdsl.results.result import Result
from atpdsl.results.scores import ScoreRow

ROWS = 20


def say_summary(result: Result, *, rows: int = ROWS, method: str | None = None) -> None:
    """The best nodes of each method, the verification and the cost, as one JSON object."""
    record = result.record
    labels = [m.label for m in record.methods] if method is None else [result.label(method)]
    say_json(
        "atpdsl/summary/1",
        directory=None if result.directory is None else str(result.directory),
        spec=record.spec.name,
        model=record.provenance.model.name,
        metric=record.metric,
        methods=[m for m in record.methods if m.label in labels],
        top={label: [_row(row) for row in result.top_rows(rows, label)] for label in labels},
        verification=[v for v in record.verification if v.label in labels],
        bounds=[b for b in record.bounds if set(b.labels) & set(labels)],
        flags=record.flags,
        circuit=record.circuit,
        expectations=record.expectations,
        passes=record.passes,
        seconds=record.host.seconds,
        warnings=record.warnings,
    )


def _row(row: ScoreRow) -> dict[str, object]:
    return {"node": node_id(row.kind, row.layer, row.index, row.position), **row.values()}
