"""What passes make of a plan, run natively, is the plan as it was, run through the bridge."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from atpdsl.passes import PIPELINE, Pass, optimize
from atpdsl.planning.outcome import Counts, Outcome
from atpdsl.planning.plan import Plan
from atpdsl.planning.target import BRIDGE, NATIVE
from atpdsl.runtime.bridge import BridgeExecutor
from atpdsl.runtime.executor import Silent
from atpdsl.runtime.native.executor import NativeExecutor
from atpdsl.runtime.null import NullExecutor
from tests.passes.experiments import assert_same, model_of, plans
from tests.small_models import no_downcast

FAMILIES = ("gpt2", "neox", "qwen3", "gemma3")
# What others need of them: one run of each side, and no nodes that cannot matter.
BEFORE = ("merge_forwards", "merge_backwards", "skip_equal_prefixes", "skip_unreachable")
EXACT = ("activations", "gradients", "patching")
"""Stages that cost what was said beforehand; which nodes are verified is known late."""


def property_of(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        # A plan is too long to be read when it is shrunk, and shrinking takes minutes.
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def bridged(plan: Plan, family: str) -> Outcome:
    """The plan as it is, through the bridge."""
    with no_downcast():
        return BridgeExecutor().execute(plan, model_of(family), Silent())


def native(plan: Plan, family: str) -> Outcome:
    with no_downcast():
        return NativeExecutor().execute(plan, model_of(family), Silent())


def exact_counts(outcome: Outcome) -> dict[str, Counts]:
    return {stage.name: stage.counts for stage in outcome.stages if stage.name in EXACT}


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
@property_of(16)
@given(data=st.data())
def test_all_passes_keep_every_number_and_cost_what_was_said(family: str, data):
    plan = data.draw(plans(family))
    changed = optimize(plan, NATIVE)
    found = native(changed, family)

    assert_same(bridged(plan, family), found)
    assert exact_counts(found) == exact_counts(NullExecutor().execute(changed, None, Silent()))


@pytest.mark.slow
@pytest.mark.parametrize("one", PIPELINE, ids=lambda one: one.name)
@property_of(6)
@given(data=st.data())
def test_each_pass_keeps_every_number(one: Pass, data):
    family = data.draw(st.sampled_from(FAMILIES))
    plan = data.draw(plans(family))
    expected = bridged(plan, family)
    needed = [name for name in BEFORE if PIPELINE.names.index(name) < _place(one)]
    for passes in ([one.name], [*needed, one.name]) if needed else ([one.name],):
        assert_same(expected, native(optimize(plan, NATIVE, passes), family))


def _place(one: Pass) -> int:
    return PIPELINE.names.index(one.name)


@pytest.mark.slow
@pytest.mark.parametrize("target", [NATIVE, BRIDGE], ids=lambda target: target.name)
@property_of(8)
@given(data=st.data())
def test_both_executors_agree_on_the_same_plan(target, data):
    """A plan without resumed runs may be run by either."""
    family = data.draw(st.sampled_from(FAMILIES))
    plan = data.draw(plans(family))
    passes = None if target == BRIDGE else ()
    changed = optimize(plan, target, passes)

    assert_same(bridged(changed, family), native(changed, family))
