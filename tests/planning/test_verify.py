"""The law of plans, as far as runs that begin late are concerned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from atpdsl.passes import optimize
from atpdsl.planning.ops import Backward, Contract, Forward, Op, PatchSweep, Place, Side
from atpdsl.planning.plan import Plan
from atpdsl.planning.rewrite import rewrite
from atpdsl.planning.target import NATIVE
from atpdsl.planning.verify import BrokenPlanError, verify_plan
from tests.passes.plans import PAIR, planned

GOOD = optimize(planned("atp", "ap", pairs=[PAIR]), NATIVE)


def changed(kind: type, plan: Plan = GOOD, **fields: object) -> Plan:
    return altered(lambda op: replace(op, **fields) if isinstance(op, kind) else op, plan)


def altered(change: Callable[[Op], Op], plan: Plan = GOOD) -> Plan:
    return rewrite(plan, change)


def late(**fields: object) -> Callable[[Op], Op]:
    """The run that has a past, with other fields."""

    def change(op: Op) -> Op:
        return replace(op, **fields) if isinstance(op, Forward) and op.past else op

    return change


def test_optimised_plans_keep_the_law():
    verify_plan(GOOD)
    assert any(op.start for op in (GOOD.corrupted[0].forward,))


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (altered(late(past=None)), "begins late without a past"),
        (altered(late(start=0)), "has a past and nothing to take from it"),
        (altered(late(start=3)), "the prompts differ before the start"),
        (altered(late(past=Forward(batch=0, side=Side.CLEAN))), "does not keep its keys"),
        (
            altered(late(past=Forward(batch=0, side=Side.CORRUPTED, resumable=True))),
            "the past is not the other side",
        ),
        (changed(PatchSweep, skip_equal_prefix=False), "begins after what is read of it"),
        (changed(Contract, skip_equal_prefix=False), "begins after what is read of it"),
        (changed(Backward, start=3), "begins after what is read of it"),
        (changed(Forward, resumable=False), "does not keep its keys|cannot be resumed"),
        (changed(Forward, batch=7), "there is no batch 7"),
        (changed(Forward, batch=-1), "there is no batch -1"),
        (changed(Forward, segmented=True), "without gradients is cut"),
        (changed(Forward, captures=(Place("mlp", 1), Place("attn", 1))), "out of order"),
    ],
)
def test_what_breaks_it_is_named(plan, message):
    with pytest.raises(BrokenPlanError, match=message):
        verify_plan(plan)
