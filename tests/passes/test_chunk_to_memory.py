"""Plans are cut until they fit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from atpdsl.passes.chunk_to_memory import chunk_to_memory
from atpdsl.planning.memory import plan_bytes
from atpdsl.planning.ops import Contract, Forward, Reduce
from atpdsl.planning.plan import Plan, schedule
from atpdsl.planning.rewrite import split_batches
from atpdsl.planning.verify import verify_plan
from tests.passes.plans import LATER, PAIR, VERIFY, of_kind, planned, total

PAIRS = [PAIR, LATER] * 8


def limited(plan: Plan, memory: int | None) -> Plan:
    run = replace(plan.bound.experiment.run, memory=memory)
    experiment = replace(plan.bound.experiment, run=run)
    return replace(plan, bound=replace(plan.bound, experiment=experiment))


@pytest.fixture(params=["atp", "ap", "verified"])
def plan(request) -> Plan:
    if request.param == "verified":
        return planned("atp", pairs=PAIRS, verify=VERIFY)
    return planned(request.param, pairs=PAIRS)


def test_without_a_limit_nothing_is_cut(plan):
    assert chunk_to_memory(plan) is plan


def test_a_plan_that_fits_stays_as_it_is(plan):
    roomy = limited(plan, plan_bytes(plan))

    assert chunk_to_memory(roomy) == roomy


@pytest.mark.parametrize("share", [0.9, 0.5])
def test_a_plan_is_cut_until_it_fits(plan, share):
    smallest = plan_bytes(limited(one_by_one(plan), None))
    memory = int(smallest + share * (plan_bytes(plan) - smallest))
    cut = chunk_to_memory(limited(plan, memory))

    verify_plan(cut)
    assert plan_bytes(cut) <= memory < plan_bytes(plan)
    assert total(cut).forward_sequences == total(plan).forward_sequences
    assert total(cut).backward_sequences == total(plan).backward_sequences


def test_a_plan_that_cannot_fit_stays_as_it_is(plan):
    tight = limited(plan, 1)

    assert chunk_to_memory(tight) == tight


def one_by_one(plan: Plan) -> Plan:
    parts = {batch.number: len(batch.pairs) for batch in plan.batches}
    return replace(split_batches(plan, parts), rows_per_call=1, streams_per_call=1 << 14)


def test_splitting_keeps_the_pairs_in_their_order():
    plan = planned("atp", pairs=PAIRS, verify=VERIFY, batch=5)
    cut = split_batches(plan, {0: 2, 2: 5})

    verify_plan(cut)
    assert [batch.number for batch in cut.batches] == list(range(9))
    assert sum((b.pairs for b in cut.batches), ()) == sum((b.pairs for b in plan.batches), ())
    assert [len(b.pairs) for b in cut.batches] == [2, 3, 5, 1, 1, 1, 1, 1, 1]


def test_splitting_makes_one_operation_for_each_part():
    plan = planned("atp", pairs=PAIRS, verify=VERIFY, batch=8)
    cut = split_batches(plan, {0: 2})

    assert [len(op.parts) for op in of_kind(plan, Reduce)] == [2, 2, 2]
    for reduce in of_kind(cut, Reduce):
        assert [op.base.batch for op in reduce.parts if isinstance(op, Contract)] in (
            [0, 1, 2],
            [],
        )
    assert {op.batch for op in of_kind(cut, Forward)} == {0, 1, 2}
    assert len(cut.clean) == len(cut.corrupted) == 3


def test_splitting_nothing_changes_nothing():
    plan = planned("atp", "blocks", settings={"size": 3}, pairs=PAIRS, verify=VERIFY, batch=5)

    assert schedule(split_batches(plan, {})) == schedule(plan)
