"""One table over results that have different columns."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from atpdsl.exports.over_points import write_over_points
from atpdsl.results.columns import in_order
from tests.results.raw import diagnosed_result
from tests.results.samples import result


@pytest.mark.parametrize("turned", [False, True])
def test_points_with_other_columns_are_joined_with_nulls(tmp_path: Path, turned):
    points = [({"size": "70m"}, result()), ({"size": "160m"}, diagnosed_result())]
    points = points[::-1] if turned else points
    write_over_points(points, tmp_path / "all.parquet", "parquet")
    write_over_points(points, tmp_path / "all.csv", "csv")
    table = pq.read_table(tmp_path / "all.parquet")
    rows = table.to_pylist()
    with (tmp_path / "all.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))

    bare = [row for row in rows if row["size"] == "70m"]
    assert table.column_names == [
        *("size", *result().table.column_names[:17]),
        *in_order(diagnosed_result().table.column_names[17:]),
    ]
    assert {row["upper_99"] for row in bare} == {row["flags"] for row in bare} == {None}
    for values, one in points:
        mine = [row for row in rows if row["size"] == values["size"]]
        assert [{n: row[n] for n in one.table.column_names} for row in mine] == (
            one.table.to_pylist()
        )
    assert [line["flags"] for line in lines] == [row["flags"] or "" for row in rows]
    assert [line["token"] for line in lines] == [row["token"] for row in rows]
