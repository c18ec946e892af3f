"""Parquet: all scores for pandas, polars and duckdb."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from atpdsl.exports.exporter import Exporter

if TYPE_CHECKING:
    from atpdsl.results.result import Result


def write(result: Result, path: Path) -> None:
    """Write the scores as Parquet."""
    import pyarrow.parquet as pq

    pq.write_table(result.table, path, compression="zstd")


PARQUET = Exporter(
    name="parquet",
    suffixes=(".parquet",),
    summary="all scores, for pandas, polars and duckdb",
    write=write,
)
