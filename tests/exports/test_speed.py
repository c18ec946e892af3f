"""Large results are written as columns: no object is made per node."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from atpdsl.exports import export
from atpdsl.results.result import Result
from tests.results.samples import result

ROWS = 550_000


def large() -> Result:
    """As many scores as all neurons of a small GPT-2 have at fifteen positions."""
    small = result()
    table = small.table
    numbers = np.arange(ROWS)
    draw = np.random.default_rng(0)
    kinds = {
        pa.float64(): lambda: pa.array(draw.normal(size=ROWS)),
        pa.int32(): lambda: pa.array((numbers % 3072).astype(np.int32)),
        pa.bool_(): lambda: pa.array(numbers % 5000 == 0),
    }
    columns = {}
    for field in table.schema:
        if pa.types.is_dictionary(field.type):
            words = table[field.name].unify_dictionaries().chunk(0).dictionary
            codes = pa.array((numbers % len(words)).astype(np.int32))
            columns[field.name] = pa.DictionaryArray.from_arrays(codes, words)
        elif pa.types.is_list(field.type) or pa.types.is_fixed_size_list(field.type):
            continue
        else:
            columns[field.name] = kinds[field.type]()
    columns["rank"] = pa.array((numbers + 1).astype(np.int32))
    return replace(small, table=pa.table(columns))


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_half_a_million_scores_are_written_as_columns(tmp_path: Path, suffix):
    found = large()
    tracemalloc.start()
    export(found, tmp_path / f"a{suffix}")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    # Less than one byte of Python objects for each node.
    assert most < ROWS
    assert (tmp_path / f"a{suffix}").stat().st_size > 10 * ROWS


def test_half_a_million_scores_read_back_the_same(tmp_path: Path):
    found = large()
    export(found, tmp_path / "a.parquet")

    assert pq.read_table(tmp_path / "a.parquet").equals(found.table)
