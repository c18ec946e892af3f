"""Random pairs."""

from __future__ import annotations

import pytest

from benchmarks.prompts import random_pairs


@pytest.mark.parametrize("shared", [0.0, 0.5, 0.75])
def test_sides_agree_up_to_the_shared_part_and_differ_there(shared):
    pairs = random_pairs(4, 16, 64, shared=shared)
    differs = pairs.clean != pairs.corrupted

    assert len(pairs) == 4
    assert pairs.length == 16
    start = int(shared * 16)
    assert not differs[:, :start].any()
    assert differs[:, start::4].all()
    assert int(differs.sum()) == 4 * len(range(start, 16, 4))


def test_the_same_pairs_are_drawn_again():
    one, other = random_pairs(2, 8, 64), random_pairs(2, 8, 64)

    assert one.clean.equal(other.clean)
    assert one.corrupted.equal(other.corrupted)
