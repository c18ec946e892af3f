"""Which passes are applied, and in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

import atpdsl.passes
from atpdsl.passes import PIPELINE, applied, around, named_passes, optimize
from atpdsl.planning.target import (
    BRIDGE,
    NATIVE,
    needs_resuming,
    target_of,
)
from atpdsl.problems import SpecError
from tests.passes.plans import planned


def test_each_pass_has_a_file_of_its_name():
    folder = Path(atpdsl.passes.__file__).parent

    assert {path.stem for path in folder.glob("*.py")} - {"__init__"} == set(PIPELINE.names)
    assert all(one.summary for one in PIPELINE)


def test_a_target_that_does_not_resume_is_spared_the_passes_that_need_it():
    left_out = set(applied(NATIVE)) - set(applied(BRIDGE))

    assert {one.name for one in left_out} == {"patch_incrementally", "resume_at_prefix"}


def test_passes_are_applied_in_their_own_order():
    names = ("skip_unreachable", "merge_forwards")

    assert [one.name for one in applied(BRIDGE, names)] == [
        "merge_forwards",
        "skip_unreachable",
    ]


def test_all_none_or_some_passes_can_be_named():
    assert named_passes("all") == PIPELINE.names
    assert named_passes("none") == ()
    assert named_passes("merge_forwards, run_again") == ("merge_forwards", "run_again")


def test_an_unknown_pass_is_told_with_the_one_that_was_meant():
    with pytest.raises(SpecError) as raised:
        named_passes("merge_forward,x")

    problems = {problem.message: problem.help for problem in raised.value.problems}
    assert problems["there is no pass `merge_forward`"] == "did you mean `merge_forwards`?"
    assert "there are merge_forwards, " in problems["there is no pass `x`"]


def test_a_plan_is_shown_around_one_pass():
    plan = planned("atp", "ap")
    before, after = around(plan, "merge_backwards", BRIDGE)

    assert before == optimize(plan, BRIDGE, ("merge_forwards",))
    assert after == optimize(plan, BRIDGE, ("merge_forwards", "merge_backwards"))
    last, same = around(plan, "resume_at_prefix", BRIDGE)
    assert last == same == optimize(plan, BRIDGE)


@pytest.mark.parametrize(
    ("executor", "target"),
    [("native", NATIVE), ("auto", NATIVE), ("null", NATIVE), ("bridge", BRIDGE)],
)
def test_the_target_is_the_executor_that_would_run_it(executor, target):
    assert target_of(planned("atp").bound, executor) == target
    assert target_of(planned("atp", executor=executor).bound) == target


def test_plans_are_by_default_made_for_what_can_run_them():
    plan = planned("atp", "ap", executor="bridge")

    assert target_of(plan.bound) == BRIDGE
    assert not needs_resuming(optimize(plan))
    assert needs_resuming(optimize(plan, NATIVE))
