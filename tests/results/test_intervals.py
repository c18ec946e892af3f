"""Bootstrap intervals of scores, and the columns of single pairs they are made from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from atpdsl.numerics.bootstrap import mean_intervals
from atpdsl.planning.outcome import Outcome
from atpdsl.results.scores import Wanted, score_table
from tests.results.raw import (
    EVERYTHING,
    IN_ONE_PAIR,
    NODES,
    NOWHERE_AT_ALL,
    VERIFIED,
    Raw,
    beside,
    diagnosed,
)
from tests.results.samples import experiment, result

RAW = Raw()
WANTED = Wanted(diagnosis=EVERYTHING, seed=5)
# Too few pairs for an interval.
UNKNOWN = (NOWHERE_AT_ALL, IN_ONE_PAIR)


def ends(computed: Outcome) -> np.ndarray:
    table = score_table(computed, {}, WANTED)
    names = ("score_low", "score_high")
    return np.array([table[name].to_pylist() for name in names], np.float64)


def test_intervals_are_of_what_the_score_is_a_mean_of():
    values = RAW.kept(RAW.magnitude)
    rows = list(VERIFIED)
    values[:, rows] = np.abs(RAW.kept(RAW.effect))[:, rows]
    expected = np.array(mean_intervals(values, 200, 0.95, seed=5))

    np.testing.assert_allclose(ends(diagnosed(RAW)), expected)
    assert np.isnan(expected).all(axis=0).nonzero()[0].tolist() == sorted(UNKNOWN)


def test_a_score_lies_in_its_interval():
    table = score_table(diagnosed(RAW), {}, WANTED)
    columns = (table[name].to_pylist() for name in ("score_low", "score", "score_high"))
    known = [row for row in zip(*columns, strict=True) if row[0] is not None]

    assert len(known) == NODES - len(UNKNOWN)
    assert all(low <= score <= high for low, score, high in known)


def test_without_magnitudes_grad_drop_has_intervals_for_measured_nodes_only():
    """The signed values of single pairs are not what its score is a mean of."""
    computed = diagnosed(RAW)
    method = replace(computed.methods[0], magnitudes=None)
    known = ~np.isnan(ends(replace(computed, methods=(method,)))).any(axis=0)

    assert known.nonzero()[0].tolist() == sorted(VERIFIED)


def test_a_method_that_kept_no_pairs_has_no_intervals():
    low, high = ends(beside(diagnosed(RAW)))

    assert np.isnan(low[:NODES]).all()
    assert np.isnan(high[:NODES]).all()
    assert not np.isnan(low[NODES:]).all()


@pytest.mark.parametrize("asked", [True, False])
def test_single_pairs_are_columns_only_where_the_spec_asks_for_them(asked):
    """A bootstrap needs them too, and then they are kept without being written."""
    spec = experiment()
    spec = replace(spec, run=replace(spec.run, per_pair=asked), diagnosis=EVERYTHING)
    names = result(diagnosed(RAW), experiment=spec).table.column_names

    assert ("signed_by_pair" in names) is asked
    assert "score_low" in names


def test_a_method_that_kept_no_pairs_is_null_beside_one_that_did():
    table = score_table(beside(diagnosed(RAW)), {})

    assert table["signed_by_pair"].null_count == NODES + 1
