"""What a result says of the nodes that were not measured."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from atpdsl.numerics.bounds import upper_bounds
from atpdsl.planning.outcome import Arms, Outcome
from atpdsl.results.bounds import CONFIDENCES, bound_records, confidences, sampling_of
from atpdsl.results.document import from_json, to_json
from atpdsl.results.names import row_id
from atpdsl.results.scores import Wanted, rows, score_table
from atpdsl.results.trust import BoundRecord
from atpdsl.semantics.diagnosis import Diagnosis, SubsetSampling
from tests.results.raw import (
    EVERYTHING,
    NODES,
    NOWHERE_AT_ALL,
    SETS,
    VERIFIED,
    diagnosed,
    some_arms,
)
from tests.results.samples import NOWHERE, result

ASKED = sampling_of(EVERYTHING)
# The last one was measured because of its bound: it is a candidate, and known now.
LEFT = [node for node in range(NODES) if node not in (*VERIFIED, NOWHERE_AT_ALL)]


def record(computed: Outcome | None = None, asked: SubsetSampling = ASKED) -> BoundRecord:
    (found,) = bound_records(diagnosed() if computed is None else computed, asked)
    return found


def with_arms(arms: Arms) -> Outcome:
    computed = diagnosed()
    return replace(computed, bounds=(replace(computed.bounds[0], arms=arms),))


def test_a_bound_is_the_largest_of_the_nodes_that_were_not_measured():
    found = record()

    assert [at.confidence for at in found.at] == [0.9, 0.95, 0.99, 0.999]
    for at in found.at:
        theta = upper_bounds(some_arms(), at.confidence)
        largest = max(LEFT, key=lambda node: theta[node])
        assert at.upper == theta[largest]
        assert at.node == row_id(SETS, largest)
        assert at.not_excluded == sum(theta[node] >= 0.4 for node in LEFT) > 0


def test_it_says_how_it_was_found_and_what_it_assumes():
    found = record()

    assert (found.labels, found.direction) == (("star",), "noising")
    assert (found.scheme, found.samples, found.share) == ("balanced partitions", 1000, 0.02)
    assert (found.r2, found.correlation, found.min_effect) == (0.71, 0.86, 0.4)
    assert found.nodes == len(LEFT)
    assert found.asked.confidence == found.confidence == 0.95
    assert "add up" in found.assumes


def test_a_node_in_too_few_sets_leaves_everything_open():
    arms = some_arms()
    few = arms.with_count.copy()
    few[LEFT[2]] = 1
    at = record(with_arms(replace(arms, with_count=few))).asked

    assert at.upper is None
    assert at.node == row_id(SETS, LEFT[2])
    known = upper_bounds(arms, 0.95)
    assert at.not_excluded == sum(known[n] >= 0.4 for n in LEFT if n != LEFT[2]) + 1


def test_where_everything_was_measured_nothing_is_left_to_bound():
    nothing = replace(some_arms(), candidates=np.zeros(NODES, np.bool_))
    found = record(with_arms(nothing))

    assert (found.nodes, found.asked.upper, found.asked.node) == (0, 0.0, None)
    assert found.asked.not_excluded == 0


def test_without_a_size_that_matters_nothing_is_counted():
    asked = SubsetSampling(span=NOWHERE)

    assert {at.not_excluded for at in record(asked=asked).at} == {None}


def test_a_bound_that_comes_with_a_verification_has_the_defaults():
    assert sampling_of(Diagnosis()).confidence == 0.99
    assert confidences(sampling_of(Diagnosis())) == CONFIDENCES


def test_every_confidence_has_a_column_of_its_own():
    """99.9 / 100 is not 0.999 in floating point, and still the same level."""
    asked = SubsetSampling(confidence=99.9 / 100, span=NOWHERE)

    assert confidences(asked) == (0.9, 0.99, 99.9 / 100)


def test_a_bound_survives_the_way_to_json_and_back():
    found = record()

    assert from_json(BoundRecord, json.loads(json.dumps(to_json(found)))) == found


# ---- columns ----


@pytest.mark.parametrize(
    ("name", "confidence"),
    [("upper_90", 0.9), ("upper_95", 0.95), ("upper_99", 0.99), ("upper_999", 0.999)],
)
def test_every_node_that_was_not_measured_has_its_bound(name, confidence):
    found = list(rows(score_table(diagnosed(), {}, Wanted(diagnosis=EVERYTHING))))
    theta = upper_bounds(some_arms(), confidence)

    assert [row.more[name] for row in found] == [
        theta[node] if node in LEFT else None for node in range(NODES)
    ]


def test_without_sets_there_are_no_bounds():
    assert result().record.bounds == ()
    assert not [n for n in result().table.column_names if n.startswith("upper")]
