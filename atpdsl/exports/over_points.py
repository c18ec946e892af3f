"""Tables over all points of a sweep: the scores of each, with the sweep's names as columns."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from atpdsl.exports.comma_separated import write_table
from atpdsl.problems import Problem, RunError
from atpdsl.results.result import Result
from atpdsl.results.sweep import column_names

if TYPE_CHECKING:
    import pyarrow as pa

# Formats that are tables; graphs of several points are no graph.
TABLES = ("csv", "parquet")


def write_over_points(
    points: Iterable[tuple[Mapping[str, str], Result]], path: Path, form: str
) -> None:
    """Write one table with the scores of all points.

    Args:
        points: the values and the result of each.
        path: the file; its folder is made if need be.
        form: a format of `TABLES`.

    Raises:
        RunError: when it cannot be written.
    """
    import pyarrow.parquet as pq

    table = _joined([_with_values(values, result) for values, result in points])
    fresh = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if form == "csv":
            write_table(table, fresh)
        else:
            pq.write_table(table, fresh, compression="zstd")
        fresh.replace(path)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        message = f"cannot write `{path}`: {reason}"
        advice = "check the folder, its permissions and space"
        raise RunError([Problem(code="ATP442", message=message, help=advice)]) from error
    finally:
        fresh.unlink(missing_ok=True)


def _joined(tables: list[pa.Table]) -> pa.Table:
    """One below the other; points that ask for different diagnostics have other columns."""
    import pyarrow as pa

    from atpdsl.results.columns import SCHEMA, in_order

    table = pa.concat_tables(tables, promote_options="default").unify_dictionaries()
    first = tables[0].column_names[: tables[0].column_names.index(SCHEMA.names[-1]) + 1]
    others = in_order(name for name in table.column_names if name not in first)
    return table.select([*first, *others])


def _with_values(values: Mapping[str, str], result: Result) -> pa.Table:
    """The scores with a column for each of the sweep's names before them."""
    import pyarrow as pa

    from atpdsl.results.columns import without_lists

    table = without_lists(result.table)
    rows = len(table)
    first = pa.array([0] * rows, pa.int32())
    columns = [pa.DictionaryArray.from_arrays(first, [value]) for value in values.values()]
    names = column_names(values, table.column_names)
    return pa.table(
        [*columns, *table.columns], names=[*names, *table.column_names]
    ).unify_dictionaries()
