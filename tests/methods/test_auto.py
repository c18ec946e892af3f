"""`auto` is settled as `ap` or `atp*`, by what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from atpdsl.binding.nodeset import NodeSet
from atpdsl.methods import METHODS
from atpdsl.methods.compared import compared_methods
from atpdsl.planning.ops import Contract, PatchSweep
from atpdsl.planning.plan import MethodOutput
from atpdsl.problems import SpecError
from atpdsl.semantics.experiment import Direction
from tests.passes.plans import (
    DENOISING,
    N_LAYERS,
    NOISING,
    PAIR,
    VERIFY,
    of_kind,
    planned,
)

ONE = NodeSet(kind="attn", layers=(N_LAYERS - 1,), indices=(0,), positions=("last",))
MANY = NodeSet(kind="heads.z", layers=(0, 1, 2), indices=(0, 1), positions=("2", "3"))
QUERIES = replace(ONE, kind="heads.q", indices=(0, 1))


def settled(
    *sets: NodeSet,
    metric: str = "logit_diff",
    direction: Direction = NOISING,
    pairs: int = 1,
    executor: str = "bridge",
) -> MethodOutput:
    plan = planned(
        ("auto", direction),
        sets=sets,
        pairs=[PAIR] * pairs,
        metric=metric,
        executor=executor,
    )
    (method,) = plan.methods
    return method


def test_few_nodes_are_patched():
    found = settled(ONE)

    assert (found.call.label, found.call.method, found.exact) == ("auto", "ap", True)
    assert found.note == (
        "ap, because patching every node takes 1.0 forward passes per pair, and AtP* would"
        " take 2.5"
    )


def test_many_nodes_are_estimated():
    found = settled(MANY)

    assert (found.call.label, found.call.method, found.exact) == ("auto", "atp*", False)
    assert dict(found.call.settings) == {"qk_fix": True, "grad_drop": "every_layer"}
    assert found.note == (
        "atp*, because it takes 2.5 forward passes per pair, and patching every node would"
        " take 12.0; grad_drop = every_layer, because there is only 1 pair"
    )


def test_the_qk_fix_is_counted_where_there_are_queries_or_keys():
    assert "take 3.0" in settled(QUERIES).note


def test_without_grad_drop_the_estimate_is_cheaper():
    two = replace(ONE, layers=(N_LAYERS - 2, N_LAYERS - 1))

    assert settled(two).call.method == "ap"
    assert settled(two, pairs=9).call.method == "atp*"


def test_patched_runs_that_begin_at_their_node_are_cheaper():
    late = replace(MANY, layers=(3,), positions=("3",))
    six = [replace(late, kind=kind) for kind in ("heads.z", "heads.q", "heads.v")]

    assert settled(*six).call.method == "atp*"
    assert settled(*six, executor="native").call.method == "ap"


@pytest.mark.parametrize(("metric", "direction"), [("kl", NOISING)])
def test_metrics_without_a_gradient_are_patched(metric, direction):
    assert settled(MANY, metric=metric, direction=direction).call.method == "ap"
    assert settled(MANY, metric=metric, direction=DENOISING).call.method == "atp*"


@pytest.mark.parametrize(("sets", "kind"), [([ONE], PatchSweep), ([MANY], Contract)])
def test_what_is_lowered_is_what_it_is_settled_as(sets, kind):
    verify = replace(VERIFY, methods=("auto",))
    plan = planned("auto", sets=sets, pairs=[PAIR], verify=verify)

    assert of_kind(plan, kind)
    # What is measured anyway is not verified.
    assert bool(plan.verifications) == (kind is Contract)


def test_it_is_compared_as_what_it_is_settled_as():
    def compared(sets: Sequence[NodeSet]) -> list[str]:
        bound = planned("auto", sets=sets, pairs=[PAIR]).bound
        calls, _ = compared_methods(bound, ["auto"], bound.experiment.source)
        return [call.method for call in calls]

    assert compared([MANY]) == ["atp*", "ap"]
    with pytest.raises(SpecError, match="`auto` is exact"):
        compared([ONE])


def test_it_may_be_verified_and_needs_no_gradient_of_its_own():
    signature = METHODS["auto"].signature

    assert signature.estimates
    assert not signature.needs_gradient
    assert not METHODS["auto"].baseline
