"""Corrupted runs and gradients begin where the pairs of a batch begin to differ."""

from __future__ import annotations

import pytest

from atpdsl.binding.nodeset import NodeSet
from atpdsl.passes import optimize
from atpdsl.passes.resume_at_prefix import resume_at_prefix
from atpdsl.planning.ops import Backward, Forward, Side
from atpdsl.planning.plan import Plan
from atpdsl.planning.target import BRIDGE, NATIVE
from atpdsl.planning.verify import verify_plan
from atpdsl.semantics.diagnosis import Column, Diagnosis, Flag, Number, Saturation
from atpdsl.semantics.diagnosis import Test as Condition
from atpdsl.semantics.experiment import MetricCall
from tests.engine import NOWHERE, token_pair
from tests.passes.plans import (
    DENOISING,
    EQUAL,
    HEADS,
    LATER,
    N_LAYERS,
    NOISING,
    PAIR,
    QUERIES,
    VERIFY,
    of_kind,
    planned,
    total,
)

FLAG = Flag(
    condition=Condition(operator="<", left=Column(name="x"), right=Number(value=1)),
    text="x < 1",
)
STAR = {"qk_fix": True, "grad_drop": "off"}


def corrupted(plan: Plan) -> list[Forward]:
    return [op for op in of_kind(plan, Forward) if op.side is Side.CORRUPTED]


def starts(plan: Plan) -> list[int]:
    return [op.start for op in corrupted(plan)]


@pytest.mark.parametrize("direction", [NOISING, DENOISING])
@pytest.mark.parametrize("method", ["ap", "atp"])
def test_the_corrupted_run_begins_at_the_first_difference(method, direction):
    plan = optimize(planned((method, direction)), NATIVE)
    (run,) = corrupted(plan)

    assert run.start == 2
    assert run.past is not None
    assert (run.past.side, run.past.resumable, run.past.past) == (Side.CLEAN, True, None)


def test_each_batch_begins_at_the_smallest_prefix_of_its_pairs():
    pairs = [LATER, PAIR, LATER, PAIR]

    assert starts(optimize(planned("atp", pairs=pairs, batch=2), NATIVE)) == [2, 3]
    assert starts(optimize(planned("atp", pairs=pairs, batch=3), NATIVE)) == [2, 3]
    assert starts(optimize(planned("atp", pairs=pairs), NATIVE)) == [2]


def test_gradients_begin_there_too():
    plan = optimize(planned("atp"), NATIVE)
    plain = optimize(planned("atp"), BRIDGE)
    (backward,) = of_kind(plan, Backward)

    assert backward.start == 2
    assert total(plain).backward_layers == 2 * 4 * N_LAYERS
    assert total(plan).backward_layers == 2 * (4 - 2) * N_LAYERS
    assert total(plan).forward_layers == 2 * (4 + 2) * N_LAYERS


def test_gradients_begin_at_the_first_node_that_is_asked_for():
    last = NodeSet(kind="mlp", layers=(1,), indices=(0,), positions=("last",))
    (backward,) = of_kind(optimize(planned("atp", sets=[last]), NATIVE), Backward)

    assert backward.start == 3


def test_prompts_that_agree_are_run_from_where_the_metric_reads():
    assert starts(optimize(planned("atp", pairs=[EQUAL]), NATIVE)) == [3]


def test_nothing_begins_after_the_position_that_the_metric_reads():
    pair = token_pair([0, 1, 2, 3], [0, 1, 2, 6], 7, 8, {"read": (1, 1)})
    metric = MetricCall(name="logit_diff", position="read", span=NOWHERE)
    plan = optimize(planned("atp", pairs=[pair], metric=metric), NATIVE)

    assert starts(plan) == [1]
    assert [op.start for op in of_kind(plan, Backward)] == [1]


@pytest.mark.parametrize("direction", [NOISING, DENOISING])
def test_a_name_that_stands_earlier_on_the_corrupted_side_is_run(direction):
    named = NodeSet(kind="mlp", layers=(1,), indices=(0,), positions=("S",))
    plan = planned(("atp", direction), pairs=[PAIR], sets=[named])

    # In the pair `S` is at 2 on the clean side and at 1 on the other.
    assert starts(optimize(plan, NATIVE)) == [1]


def test_a_run_that_is_read_from_its_beginning_is_run_from_there():
    plan = optimize(planned("atp"), NATIVE, ("merge_forwards", "resume_at_prefix"))

    assert starts(plan) == [0]
    assert [op.start for op in of_kind(plan, Backward)] == [0, 0]


def test_saturation_looks_at_the_whole_attention_of_the_run_that_is_patched():
    diagnosis = Diagnosis(saturation=Saturation(flag=FLAG))
    for direction, start in ((NOISING, 2), (DENOISING, 0)):
        plan = planned(("atp*", direction), sets=[QUERIES], settings=STAR, diagnosis=diagnosis)
        assert starts(optimize(plan, NATIVE)) == [start]


def test_a_repeated_run_begins_at_a_repeated_past():
    plan = optimize(planned("atp", verify=VERIFY, batch=1, sets=[HEADS]), NATIVE)

    for run in corrupted(plan):
        assert run.past is not None
        assert run.past.again == run.again


def test_runs_that_are_not_merged_stay_whole():
    plan = planned("atp", "ap")

    assert starts(resume_at_prefix(plan)) == [0] * len(corrupted(plan))
    verify_plan(resume_at_prefix(plan))
