"""The table over the points of a sweep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.cells import cell_len

from atpdsl.cli.points import spell
from atpdsl.cli.terminal import columns, count, facts, say_json, stdout, word
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
NUMBERS = ("clean", "corrupted", "score", "recall", "corr", "expect")
# Columns that go where the table is too wide, the first one first.
EXPENDABLE = ("corrupted", "corr", "clean", "recall", "score")
# Between two columns.
GAP = 2
MOST_UNMET = 5


def sweep_report(sweep: Sweep) -> Iterator[RenderableType]:
    """What `run` and `show` print of a sweep."""
    record = sweep.record
    run, of = len(record.points), count(record.of, "point")
    yield f"{clean(record.spec)}: {of if run == record.of else f'{run:,} of {of}'}"
    yield ""
    table, left_out = _table(record, stdout().width)
    yield table
    yield ""
    yield facts(_closing(sweep, left_out))


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


def _table(record: SweepRecord, width: int) -> tuple[Table, list[str]]:
    """The table, and what there is no room for; columns that say nothing are left out, too."""
    rows = [(point, row) for point in record.points for row in point.rows]
    several = len({row.method for _, row in rows}) > 1
    measured = any(row.correlation is not None or row.recall is not None for _, row in rows)
    expected = any(row.expected for _, row in rows)
    headings = [
        *column_names(record.variables, CELLS),
        *(("method",) if several else ()),
        *("clean", "corrupted", "best node", "score"),
        *(("recall", "corr") if measured else ()),
        *(("expect",) if expected else ()),
    ]
    lines = [_cells(record, point, row) for point, row in rows]
    left_out = _too_wide(headings, lines, width)
    headings = [heading for heading in headings if heading not in left_out]
    table = columns(*headings, right=NUMBERS, fixed=("best node",))
    for cells in lines:
        table.add_row(*(cells[heading] for heading in headings))
    return table, left_out


def _too_wide(headings: list[str], lines: list[dict[str, str]], width: int) -> list[str]:
    """The columns that have to go so that the others fit, those that are missed least first."""
    room = {
        heading: max(map(cell_len, (heading, *(cells[heading] for cells in lines)))) + GAP
        for heading in headings
    }
    left_out: list[str] = []
    for heading in filter(room.__contains__, EXPENDABLE):
        if sum(room.values()) - GAP <= width:
            break
        del room[heading]
        left_out.append(heading)
    return left_out


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


def _closing(sweep: Sweep, left_out: list[str]) -> Iterator[tuple[str, str]]:
    record = sweep.record
    missing = record.of - len(record.points)
    if missing:
        yield "missing", f"{missing} of {record.of} points: the same `atpdsl run` goes on there"
    if sweep.failed:
        yield "failed", count(len(sweep.failed), "point")
    yield from _expected(record)
    seconds = sum(point.rows[0].seconds or 0.0 for point in record.points)
    yield "time", duration(seconds)
    yield "results", clean(str(sweep.directory))
    more = f", which has {', '.join(left_out)}, too" if left_out else ""
    yield "table", clean(str(sweep.directory / "sweep.csv")) + more
    done = [point for point in record.points if point.done]
    if done:
        first = next((point for point in done if point.unmet), done[0])
        yield "next", f"atpdsl show {word(sweep.directory / first.folder)}"


def _expected(record: SweepRecord) -> Iterator[tuple[str, str]]:
    """How many expectations hold, and where the others do not."""
    rows = [point.rows[0] for point in record.points]
    of = sum(row.expected for row in rows)
    if not of:
        return
    yield "expect", f"{sum(row.held for row in rows):,} of {of:,} hold"
    places: dict[str, list[SweepPoint]] = {}
    for point in record.points:
        for text in point.unmet:
            places.setdefault(text, []).append(point)
    for text, points in list(places.items())[:MOST_UNMET]:
        others = len(points) - 1
        more = f" and {count(others, 'more point')}" if others else ""
        where = spell((name, points[0].values.get(name, "")) for name in record.variables)
        yield "", f"{clean(text)} is not fulfilled at {where}{more}"
    if len(places) > MOST_UNMET:
        yield "", f"and {len(places) - MOST_UNMET:,} more"
