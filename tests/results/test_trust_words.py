"""What is said of how far a result can be trusted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from atpdsl.results.trust_words import bound_words, verified_words
from tests.results.raw import diagnosed_result
from tests.results.samples import result


@pytest.fixture(scope="module")
def bound():
    return diagnosed_result().record.bounds[0]


def test_a_bound_says_how_well_effects_add_up(bound):
    known = replace(bound, r2=0.654321)

    assert "R\u00b2 0.65" in bound_words(known)
    assert "R^2 0.65" in bound_words(known, "^2")
    assert "R\u00b2" not in bound_words(replace(bound, r2=None))


def test_where_everything_was_measured_no_bound_is_claimed(bound):
    """`upper` is 0 then, which is not a bound on anything."""
    assert bound_words(replace(bound, nodes=0)) == "no node is left to bound"


def test_a_bound_that_is_not_known_is_not_said(bound):
    unknown = tuple(replace(at, upper=None) for at in bound.at)

    assert bound_words(replace(bound, at=unknown)).endswith("too few sets to say anything")


def test_recall_of_nothing_is_not_told():
    (found,) = result().record.verification
    recall = replace(found.recall_mean_abs, hits=0, of=0)

    assert "largest effects found" in verified_words(found)
    assert "largest effects found" not in verified_words(replace(found, recall_mean_abs=recall))
