"""Patched runs begin at their node."""

from __future__ import annotations

import pytest

from atpdsl.passes import optimize
from atpdsl.passes.patch_incrementally import patch_incrementally
from atpdsl.passes.skip_unreachable import skip_unreachable
from atpdsl.planning.cost import counts
from atpdsl.planning.ops import Forward, PatchChosen, PatchSets, PatchSweep, operands
from atpdsl.planning.target import BRIDGE, NATIVE
from atpdsl.planning.verify import verify_plan
from tests.passes.plans import (
    DENOISING,
    HEADS,
    N_LAYERS,
    NOISING,
    PAIR,
    VERIFY,
    of_kind,
    planned,
)


@pytest.mark.parametrize("direction", [NOISING, DENOISING])
def test_the_run_that_is_patched_is_kept_to_begin_from(direction):
    plan = patch_incrementally(skip_unreachable(planned(("ap", direction))))

    verify_plan(plan)
    for sweep in of_kind(plan, PatchSweep):
        assert sweep.incremental
        assert sweep.base.forward.resumable
        assert sweep.base.forward in operands(sweep)
        assert not sweep.donor.resumable


def test_patches_of_chosen_nodes_and_of_sets_begin_at_theirs():
    plan = planned("atp", "blocks", settings={"size": 3}, verify=VERIFY)
    plan = patch_incrementally(skip_unreachable(plan))

    verify_plan(plan)
    assert all(op.incremental for op in of_kind(plan, PatchChosen))
    assert all(op.incremental for op in of_kind(plan, PatchSets))


def test_patches_that_the_metric_cannot_see_are_not_resumed():
    plan = patch_incrementally(planned("ap"))

    verify_plan(plan)
    assert not any(op.incremental for op in of_kind(plan, PatchSweep))


def test_only_executors_that_resume_are_asked_to():
    plan = planned("ap")

    assert any(op.resumable for op in of_kind(optimize(plan, NATIVE), Forward))
    assert not any(op.resumable for op in of_kind(optimize(plan, BRIDGE), Forward))


def test_a_sweep_costs_the_layers_and_positions_from_each_node_on():
    plan = planned("ap", pairs=[PAIR], sets=[HEADS])
    (whole,) = (counts(op, plan) for op in of_kind(plan, PatchSweep))
    resumed = optimize(plan, NATIVE, ("skip_unreachable", "patch_incrementally"))
    (found,) = (counts(op, resumed) for op in of_kind(resumed, PatchSweep))

    assert whole.forward_layers == 16 * 4 * N_LAYERS
    assert found.forward_sequences == whole.forward_sequences == 16
    # All rows are in one call, which goes over all positions: 8 from layer 0, 8 from layer 2.
    assert found.forward_layers == 4 * (8 * N_LAYERS + 8 * (N_LAYERS - 2))
