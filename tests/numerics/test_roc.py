from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from atpdsl.numerics.roc import auroc, roc

LABELLED = st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=12)


def arrays(labelled):
    scores, positive = zip(*labelled, strict=True)
    assume(len(set(positive)) == 2)
    return np.array(scores, float), np.array(positive)


@settings(deadline=None)  # the machine may be busy
@given(LABELLED)
def test_the_area_is_the_share_of_pairs_in_order(labelled):
    scores, positive = arrays(labelled)
    pairs = [(a, b) for a in scores[positive] for b in scores[~positive]]
    won = sum((a > b) + (a == b) / 2 for a, b in pairs)

    assert auroc(scores, positive) == pytest.approx(won / len(pairs), abs=1e-12)


@settings(deadline=None)  # the machine may be busy
@given(LABELLED)
def test_a_point_of_the_curve_is_what_passes_a_threshold(labelled):
    scores, positive = arrays(labelled)
    false, true = roc(scores, positive)
    limits = [np.inf, *sorted(set(scores), reverse=True)]

    assert len(false) == len(true) == len(limits)
    for i, limit in enumerate(limits):
        assert false[i] == pytest.approx(np.mean(scores[~positive] >= limit))
        assert true[i] == pytest.approx(np.mean(scores[positive] >= limit))


def test_the_ends():
    positive = np.array([True, True, False])

    assert auroc(np.array([3.0, 2.0, 1.0]), positive) == 1.0
    assert auroc(np.array([1.0, 2.0, 3.0]), positive) == 0.0
    assert auroc(np.array([2.0, 2.0, 2.0]), positive) == 0.5


def test_both_kinds_of_nodes_are_needed():
    with pytest.raises(ValueError, match="both kinds"):
        auroc(np.array([1.0, 2.0]), np.array([True, True]))
