"""The table over the points of a sweep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from atpdsl.cli.terminal import columns, count, facts, say_json, word
from atpdsl.problems.clean import clean
from atpdsl.results.progress import duration
from atpdsl.results.sweep import (
    DONE,
    Sweep,
    SweepPoint,
    SweepRecord,
    SweepRow,
    column_names,
    table_rows,
)

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

CELLS = (
    *("method", "clean", "corrupted", "best node", "score"),
    *("recall", "corr", "expect"),
)


def sweep_report(sweep: Sweep) -> Iterator[RenderableType]:
    """What `run` and `show` print of a sweep."""
    record = sweep.record
    yield f"{clean(record.spec)}: {count(len(record.points), 'point')}"
    yield ""
    yield _table(record)
    yield ""
    yield facts(_closing(sweep))


def say_sweep(sweep: Sweep) -> None:
    """The table as JSON."""
    record = sweep.record
    say_json(
        "atpdsl/sweep-summary/1",
        spec=record.spec,
        directory=str(sweep.directory),
        variables=record.variables,
        rows=table_rows(record),
    )


def _table(record: SweepRecord) -> Table:
    """Columns that say nothing of any point are left out."""
    rows = [(point, row) for point in record.points for row in point.rows]
    several = len({row.method for _, row in rows}) > 1
    measured = any(row.correlation is not None or row.recall is not None for _, row in rows)
    expected = any(row.expected for _, row in rows)
    numbers = ("clean", "corrupted", "score", "recall", "corr")
    headings = (
        *column_names(record.variables, CELLS),
        *(("method",) if several else ()),
        *("clean", "corrupted", "best node", "score"),
        *(("recall", "corr") if measured else ()),
        *(("expect",) if expected else ()),
    )
    table = columns(*headings, right=numbers, fixed=("best node",))
    for point, row in rows:
        cells = _cells(record, point, row)
        table.add_row(*(cells[heading] for heading in headings))
    return table


def _cells(record: SweepRecord, point: SweepPoint, row: SweepRow) -> dict[str, str]:
    recall = "" if row.recall is None else f"{row.recall}/{row.recall_of}"
    names = column_names(record.variables, CELLS)
    values = (clean(point.values.get(name, "")) for name in record.variables)
    return {
        **dict(zip(names, values, strict=True)),
        "method": clean(row.method),
        "clean": _number(row.clean),
        "corrupted": _number(row.corrupted),
        "best node": clean(row.best or "") if row.status == DONE else clean(row.status),
        "score": _number(row.score),
        "recall": recall,
        "corr": "" if row.correlation is None else f"{row.correlation:.2f}",
        "expect": f"{row.held}/{row.expected}" if row.expected else "",
    }


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _closing(sweep: Sweep) -> Iterator[tuple[str, str]]:
    record = sweep.record
    if len(record.points) < record.of:
        yield "missing", f"{record.of - len(record.points)} of {record.of} points were not run"
    if sweep.failed:
        yield "failed", count(len(sweep.failed), "point")
    seconds = sum(point.rows[0].seconds or 0.0 for point in record.points)
    yield "time", duration(seconds)
    yield "results", clean(str(sweep.directory))
    yield "table", clean(str(sweep.directory / "sweep.csv"))
    done = next((point for point in record.points if point.done), None)
    if done is not None:
        yield "next", f"atpdsl show {word(sweep.directory / done.folder)}"
