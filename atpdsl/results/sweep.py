"""What a sweep gives: a result for every point, and one table over all of them.

`sweep.json` names the points with the folders of their results, `sweep.csv` is the table. Its
columns are the sweep's names (with `_` behind one that is a column, too), and:

    method: the label of a method; a point has a row for each.
    status: `done`, or the codes of what the point failed of.
    pairs, nodes: how many of each.
    clean, corrupted: the metric of the two prompts, mean over pairs.
    best, score: the node with the largest score, and that score.
    verified, recall, recall_of, correlation: nodes measured; how many of the `recall_of` nodes
        with the largest measured effects are in the method's top; rank correlation.
    expected, held: how many expectations the spec has, and how many hold.
    seconds: wall time of the run.
    folder: the result's folder, in that of the sweep.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from atpdsl.results import directory as folders
from atpdsl.results.document import DamagedError, dumps, from_json, loads
from atpdsl.results.harmless import harmless_cell

if TYPE_CHECKING:
    import pandas as pd

    from atpdsl.results.result import Result

SCHEMA = "atpdsl/sweep/1"
SWEEP, TABLE = "sweep.json", "sweep.csv"
RESERVED = frozenset({SWEEP, TABLE})
DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRow:
    """One method at one point; see the module for the columns."""

    method: str
    status: str
    pairs: int | None = None
    nodes: int | None = None
    clean: float | None = None
    corrupted: float | None = None
    best: str | None = None
    score: float | None = None
    verified: int | None = None
    recall: int | None = None
    recall_of: int | None = None
    correlation: float | None = None
    expected: int = 0
    held: int = 0
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPoint:
    """A point.

    Attributes:
        values: of the sweep's names.
        folder: of its result, in that of the sweep.
        rows: its rows of the table.
        unmet: the expectations that do not hold, as written.
        made_of: a digest of everything that its numbers are made from.
    """

    values: Mapping[str, str]
    folder: str
    rows: tuple[SweepRow, ...]
    unmet: tuple[str, ...] = ()
    made_of: str = ""

    @property
    def done(self) -> bool:
        """Whether it has a result."""
        return all(row.status == DONE for row in self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRecord:
    """What `sweep.json` says.

    Attributes:
        text: of the spec; `included` has those of its included files, by name.
        given: values that came from outside (`-p name=value`), as written.
        of: how many points there are; `points` are those that were run so far.
    """

    spec: str
    text: str
    included: Mapping[str, str]
    given: Mapping[str, str]
    variables: tuple[str, ...]
    points: tuple[SweepPoint, ...]
    of: int


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Sweep:
    """The results of a sweep.

    Attributes:
        record: the points and the table over them.
        directory: the folder of the sweep.
    """

    record: SweepRecord
    directory: Path

    def result(self, **values: object) -> Result:
        """The result of the point with these values.

        Raises:
            KeyError: when no point, or more than one, has them, or it has failed.
        """
        from atpdsl.results.result import Result

        wanted = {name: str(value) for name, value in values.items()}
        found = [
            point for point in self.record.points if wanted.items() <= point.values.items()
        ]
        if len(found) != 1:
            raise KeyError(self._not_one(len(found), wanted))
        if not found[0].done:
            raise KeyError(f"this point {found[0].rows[0].status}")
        return Result.load(self.directory / found[0].folder)

    def _not_one(self, number: int, wanted: Mapping[str, str]) -> str:
        """Why values do not choose one point."""
        said = ", ".join(f"{name}={value}" for name, value in wanted.items())
        names = self.record.variables
        if number:
            rest = ", ".join(name for name in names if name not in wanted)
            return f"{number} points have {said or 'these values'}: choose among {rest}, too"
        strange = [name for name in wanted if name not in names]
        if strange:
            return f"this sweep is over {', '.join(names)}, not {strange[0]}"
        there = {
            name: ", ".join(dict.fromkeys(point.values[name] for point in self.record.points))
            for name in wanted
        }
        known = "; ".join(f"{name} is {values}" for name, values in there.items())
        return f"no point has {said}: {known}"

    def __repr__(self) -> str:
        run, of = len(self.record.points), self.record.of
        points = f"{of} points" if run == of else f"{run} of {of} points"
        return f"<Sweep of `{self.record.spec}`, {points}, {self.directory}>"

    def __iter__(self) -> Iterator[Result]:
        """The results, one after the other, of the points that have one."""
        from atpdsl.results.result import Result

        for point in self.record.points:
            if point.done:
                yield Result.load(self.directory / point.folder)

    @property
    def failed(self) -> tuple[SweepPoint, ...]:
        """The points without a result."""
        return tuple(point for point in self.record.points if not point.done)

    @property
    def table(self) -> pd.DataFrame:
        """One row per point and method, as a pandas DataFrame."""
        import pandas as pd

        return pd.DataFrame(table_rows(self.record))

    @classmethod
    def load(cls, directory: str | Path) -> Sweep:
        """Read a sweep from its folder.

        Raises:
            RunError: when there is none, or it is damaged.
        """
        path = Path(directory) / SWEEP
        try:
            document = loads(folders.read_text(path))
            known = isinstance(document, dict) and document.get("schema") == SCHEMA
            if known:
                return cls(from_json(SweepRecord, document), Path(directory))
        except DamagedError as error:
            raise folders.damaged(path, str(error)) from None
        raise folders.damaged(path, "it is of another version")


def is_sweep(directory: Path) -> bool:
    """Whether a folder is that of a sweep."""
    return (directory / SWEEP).is_file()


def write(record: SweepRecord, directory: Path) -> None:
    """Write `sweep.json` and `sweep.csv`; each appears whole.

    Raises:
        RunError: when they cannot be written.
    """
    folders.write_file(directory / SWEEP, dumps({"schema": SCHEMA, **_values(record)}))
    folders.write_file(directory / TABLE, as_csv(record))


def _values(record: SweepRecord) -> dict[str, object]:
    return {field.name: getattr(record, field.name) for field in fields(record)}


def table_rows(record: SweepRecord) -> list[dict[str, object]]:
    """The table: the sweep's names first, then the columns, then the folder."""
    columns = (*(field.name for field in fields(SweepRow)), "folder")
    names = column_names(record.variables, columns)
    return [
        {
            **_named_values(names, record.variables, point),
            **{field.name: getattr(row, field.name) for field in fields(SweepRow)},
            "folder": point.folder,
        }
        for point in record.points
        for row in point.rows
    ]


def _named_values(
    columns: tuple[str, ...], variables: tuple[str, ...], point: SweepPoint
) -> dict[str, object]:
    pairs = zip(columns, variables, strict=True)
    return {column: point.values.get(variable, "") for column, variable in pairs}


def column_names(variables: Iterable[str], taken: Collection[str]) -> tuple[str, ...]:
    """What the columns of a sweep's names are called in a table that has others, too."""
    found: list[str] = []
    for variable in variables:
        name = variable
        while name in taken or name in found:
            name += "_"
        found.append(name)
    return tuple(found)


def as_csv(record: SweepRecord) -> str:
    """The table as CSV, harmless for spreadsheets."""
    rows = table_rows(record)
    text = io.StringIO()
    names = list(rows[0]) if rows else list(record.variables)
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def _cell(value: object) -> object:
    return harmless_cell(value) if isinstance(value, str) else value
