"""Operations are found fast, and are values all the same."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from atpdsl.passes import optimize
from atpdsl.planning.ops import Forward, Place, Side
from atpdsl.planning.plan import schedule
from atpdsl.planning.target import NATIVE
from tests.passes.plans import PAIR, VERIFY, planned

PLACES = (Place("heads.z", 0),)
PAST = Forward(batch=0, side=Side.CLEAN, resumable=True)
RUN = Forward(batch=0, side=Side.CORRUPTED, captures=PLACES, past=PAST, start=2)


def same() -> Forward:
    past = Forward(batch=0, side=Side.CLEAN, resumable=True)
    return Forward(batch=0, side=Side.CORRUPTED, captures=PLACES, past=past, start=2)


def test_operations_are_equal_by_what_they_are_made_of():
    assert same() == RUN
    assert same() is not RUN
    assert hash(same()) == hash(RUN)
    assert {RUN: 1}[same()] == 1


@pytest.mark.parametrize(
    "change", [{"batch": 1}, {"start": 1}, {"past": replace(PAST, batch=1)}]
)
def test_operations_that_differ_in_one_field_are_others(change):
    assert replace(RUN, **change) != RUN
    assert RUN != "forward"


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, replace])
def test_a_copy_is_equal_and_hashed_anew(duplicate):
    hash(RUN)

    assert duplicate(RUN) == RUN
    assert hash(duplicate(RUN)) == hash(RUN)


def test_the_hash_is_not_pickled_since_other_processes_hash_otherwise():
    hash(RUN)
    code = (
        "import pickle, sys; from tests.planning.test_values import RUN;"
        "one = pickle.loads(sys.stdin.buffer.read());"
        "assert one == RUN and hash(one) == hash(RUN)"
    )

    subprocess.run([sys.executable, "-c", code], input=pickle.dumps(RUN), check=True)


def test_the_hash_is_not_shown():
    hash(RUN)

    assert "_hash" not in repr(RUN)
    assert repr(RUN).startswith("Forward(batch=0, side=")


def test_an_operation_cannot_be_changed():
    with pytest.raises(AttributeError):
        RUN.batch = 1  # type: ignore[misc]


@pytest.mark.slow
def test_planning_takes_time_in_proportion_to_the_batches():
    def seconds(pairs: int) -> float:
        star = {"qk_fix": True, "grad_drop": "every_layer"}
        plan = planned(
            "atp*",
            "ap",
            pairs=[PAIR] * pairs,
            verify=replace(VERIFY, methods=("atp*",)),
            settings=star,
            batch=1,
        )
        began = time.perf_counter()
        schedule(optimize(plan, NATIVE))
        return time.perf_counter() - began

    few, many = min(seconds(8) for _ in range(3)), min(seconds(64) for _ in range(3))
    # Eight times as many batches; it was sixty times as long.
    assert many < 24 * few
