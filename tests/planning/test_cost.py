"""Tokens times layers, counted for plans as they would be run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from atpdsl.binding.nodeset import NodeSet
from atpdsl.passes import optimize
from atpdsl.planning.cost import counts
from atpdsl.planning.ops import Backward, Forward, PatchChosen, PatchSets, PatchSweep
from atpdsl.planning.outcome import Counts
from atpdsl.planning.plan import Plan
from atpdsl.planning.target import BRIDGE, NATIVE
from tests.engine import token_pair
from tests.passes.plans import LATER, N_LAYERS, PAIR, VERIFY, of_kind, planned, total

SHORT = token_pair([0, 1, 2], [0, 5, 2], 7, 8)


def of(plan: Plan, kind: type) -> Counts:
    return sum((counts(op, plan) for op in of_kind(plan, kind)), Counts())


def test_a_plain_run_is_its_prompts_times_tokens_times_layers():
    plan = optimize(planned("atp", pairs=[PAIR, SHORT]), BRIDGE)

    # Padding to the longest prompt of the batch is run too.
    assert of(plan, Forward).forward_layers == 2 * (2 * 4 * N_LAYERS)
    assert of(plan, Backward).backward_layers == 2 * 4 * N_LAYERS


def test_streams_of_grad_drop_are_counted():
    star = {"qk_fix": False, "grad_drop": "every_layer"}
    plan = optimize(planned("atp*", pairs=[PAIR], settings=star), BRIDGE)

    assert of(plan, Backward).backward_layers == 4 * N_LAYERS * (N_LAYERS + 1) // 2


def test_what_begins_late_has_fewer_tokens():
    plan = optimize(planned("atp", pairs=[PAIR]), NATIVE)

    assert of(plan, Forward).forward_layers == (4 + 2) * N_LAYERS
    assert of(plan, Backward).backward_layers == 2 * N_LAYERS


@pytest.mark.parametrize("rows", [1, 2, 3, 100])
def test_resumed_rows_are_counted_with_the_positions_of_their_call(rows):
    nodes = NodeSet(kind="attn", layers=(0, 2), indices=(0,), positions=("2", "3"))
    plan = replace(planned("ap", pairs=[PAIR], sets=[nodes]), rows_per_call=rows)
    found = of(optimize(plan, NATIVE), PatchSweep)

    assert found.forward_sequences == 4
    # At position 2 two tokens are left, at 3 one; a call of both goes over two.
    apart = (2 + 1) * (N_LAYERS + N_LAYERS - 2)
    together = 2 * 2 * (N_LAYERS + N_LAYERS - 2)
    assert apart <= found.forward_layers <= together
    assert found.forward_layers == (together if rows == 100 else found.forward_layers)


def test_chosen_nodes_and_sets_are_bounded_by_the_first_layer_and_position():
    nodes = NodeSet(kind="attn", layers=(1, 2), indices=(0,), positions=("2", "3"))
    plan = planned(
        "atp", "blocks", settings={"size": 1}, pairs=[LATER], sets=[nodes], verify=VERIFY
    )
    whole, resumed = optimize(plan, BRIDGE), optimize(plan, NATIVE)

    for kind, rows in ((PatchChosen, 3), (PatchSets, 4)):
        assert of(whole, kind).forward_layers == rows * 4 * N_LAYERS
        # The prompts differ in the last token only.
        assert of(resumed, kind).forward_layers == rows * 1 * (N_LAYERS - 1)


def test_counts_add_up():
    plan = optimize(planned("atp", "ap", pairs=[PAIR, LATER]), NATIVE)
    parts = of(plan, Forward) + of(plan, PatchSweep)

    assert total(plan).forward_layers == parts.forward_layers
    assert total(plan).backward_layers == of(plan, Backward).backward_layers
