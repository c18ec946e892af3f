"""Runs are repeated for the verification, batch by batch."""

from __future__ import annotations

from atpdsl.passes import optimize
from atpdsl.passes.run_again import run_again
from atpdsl.planning.ops import Forward, PatchChosen, PatchOn, PatchSets, Select, operands
from atpdsl.planning.plan import Plan, schedule
from atpdsl.planning.target import BRIDGE, NATIVE
from atpdsl.planning.verify import verify_plan
from atpdsl.semantics.diagnosis import Diagnosis, SubsetSampling
from tests.engine import NOWHERE
from tests.passes.plans import PAIR, VERIFY, of_kind, planned, total

MANY = [PAIR] * 6


def verified(**kwargs) -> Plan:
    return planned("atp", pairs=MANY, verify=VERIFY, batch=2, **kwargs)


def held(plan: Plan) -> int:
    """The most forwards that are kept at once."""
    order = schedule(plan)
    last = {operand: i for i, op in enumerate(order) for operand in operands(op)}
    alive, most = set(), 0
    for i, op in enumerate(order):
        alive |= {op} if isinstance(op, Forward) else set()
        most = max(most, len(alive))
        alive = {one for one in alive if last.get(one, -1) > i}
    return most


def test_donors_are_run_again_and_freed_batch_by_batch():
    before, after = (
        optimize(verified(), BRIDGE, ("merge_forwards",)),
        optimize(verified(), BRIDGE),
    )

    assert held(before) == 4
    assert held(after) == 2
    order = schedule(after)
    select = next(i for i, op in enumerate(order) if isinstance(op, Select))
    later = [op for op in order[select:] if isinstance(op, Forward | PatchChosen)]
    assert [type(op) for op in later] == [Forward, PatchChosen] * 3
    assert all(op.again for op in later if isinstance(op, Forward))


def test_a_run_again_costs_one_forward_per_pair():
    plan = optimize(verified(), BRIDGE, ("merge_forwards",))

    assert total(run_again(plan)).forward_sequences == total(plan).forward_sequences + 6


def test_the_base_is_run_again_where_patched_runs_begin_from_it():
    plan = optimize(verified(), NATIVE)

    assert {(op.side.value, op.again) for op in of_kind(plan, Forward)} == {
        ("clean", 0),
        ("corrupted", 0),
        ("clean", 1),
        ("corrupted", 1),
    }
    assert held(plan) == 2


def test_a_run_again_keeps_nothing_for_gradients():
    plan = run_again(optimize(verified(), NATIVE, ("merge_forwards", "patch_incrementally")))

    verify_plan(plan)
    assert not any(op.tracked or op.attention for op in of_kind(plan, Forward) if op.again)


def test_one_batch_needs_no_second_run():
    plan = planned("atp", pairs=MANY, verify=VERIFY)

    assert run_again(plan) == plan


def test_runs_that_sets_of_nodes_need_are_kept_as_they_are():
    sampling = Diagnosis(subset_sampling=SubsetSampling(span=NOWHERE))
    plan = optimize(verified(diagnosis=sampling), BRIDGE, ("merge_forwards",))

    assert of_kind(plan, PatchSets)
    assert not of_kind(plan, PatchOn)
    assert run_again(plan) == plan
