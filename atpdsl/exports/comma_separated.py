"""CSV: all scores for spreadsheets.

Texts are quoted; control characters become pictures (a line break is `␊`), and a text that a
spreadsheet would take for a formula has an apostrophe before it. Parquet keeps them as is,
and has the values of single pairs too.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from atpdsl.exports.exporter import Exporter
from atpdsl.results.harmless import harmless_cell

if TYPE_CHECKING:
    import pyarrow as pa

    from atpdsl.results.result import Result


def write(result: Result, path: Path) -> None:
    """Write the scores as CSV."""
    from atpdsl.results.columns import without_lists

    write_table(without_lists(result.table), path)


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table of words and numbers as CSV."""
    import pyarrow as pa
    from pyarrow import csv

    columns = [_safe_words(c) if pa.types.is_dictionary(c.type) else c for c in table]
    csv.write_csv(pa.table(columns, names=table.column_names), path)


def _safe_words(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The few different words of a column, made harmless, in place of their numbers."""
    import pyarrow as pa

    words = column.unify_dictionaries()
    return pa.chunked_array(
        [
            pa.array(
                [harmless_cell(word) for word in chunk.dictionary.to_pylist()], pa.string()
            ).take(chunk.indices)
            for chunk in words.chunks
        ],
        pa.string(),
    )


CSV = Exporter(
    name="csv",
    suffixes=(".csv",),
    summary="all scores, for spreadsheets",
    write=write,
)
