"""Nodes that are zero by construction are not run."""

from __future__ import annotations

import pytest

from atpdsl.binding.nodeset import NodeSet
from atpdsl.passes.skip_equal_prefixes import skip_equal_prefixes
from atpdsl.passes.skip_unreachable import skip_unreachable
from atpdsl.planning.cost import counts
from atpdsl.planning.ops import Contract, PatchChosen, PatchSweep
from atpdsl.semantics.experiment import MetricCall
from tests.engine import NOWHERE, token_pair
from tests.passes.plans import (
    HEADS,
    N_LAYERS,
    PAIR,
    VERIFY,
    of_kind,
    planned,
)

LAST = N_LAYERS - 1
EVERY = ("0", "1", "2", "3")


def rows(nodes: NodeSet, change, pair=PAIR, **kwargs) -> int:
    """How many patched runs a sweep takes."""
    plan = change(planned("ap", pairs=[pair], sets=[nodes], **kwargs))
    (sweep,) = of_kind(plan, PatchSweep)
    return counts(sweep, plan).forward_sequences


def test_nodes_before_the_difference_are_not_run():
    # Two layers, two heads, positions 2 and 3 of four.
    assert rows(HEADS, skip_equal_prefixes) == 8


@pytest.mark.parametrize(
    ("kind", "left"),
    [
        ("heads.q", 1),
        ("heads.z", 1),
        ("attn", 1),
        ("resid.mid", 1),
        ("mlp", 1),
        ("neurons", 1),
        ("resid.post", 1),
        ("heads.k", 4),
        ("heads.v", 4),
        ("resid.pre", 4),
    ],
)
def test_in_the_last_layer_only_what_attention_reads_matters_elsewhere(kind, left):
    last, before = (
        NodeSet(kind=kind, layers=(layer,), indices=(0,), positions=EVERY)
        for layer in (LAST, LAST - 1)
    )

    assert rows(last, skip_unreachable) == left
    assert rows(before, skip_unreachable) == 4


def test_nodes_after_the_position_that_is_read_are_not_run():
    pair = token_pair([0, 1, 2, 3], [0, 1, 5, 3], 7, 8, {"read": (2, 2)})
    metric = MetricCall(name="logit_diff", position="read", span=NOWHERE)

    assert rows(HEADS, skip_unreachable, pair, metric=metric) == 2 * 2 * 3


def test_one_node_over_the_sequence_matters_in_the_last_layer():
    whole = NodeSet(kind="mlp", layers=(LAST,), indices=(0,), positions=("sequence",))

    assert rows(whole, skip_unreachable) == 1


@pytest.mark.parametrize(
    ("change", "flag"),
    [(skip_equal_prefixes, "skip_equal_prefix"), (skip_unreachable, "skip_unreachable")],
)
def test_estimates_and_effects_say_the_same_of_a_node(change, flag):
    found = change(planned("atp", "ap", verify=VERIFY, batch=1))
    verified = change(planned("atp", verify=VERIFY, batch=1))

    for kind, plan in ((Contract, found), (PatchSweep, found), (PatchChosen, verified)):
        ops = of_kind(plan, kind)
        assert ops
        assert all(getattr(op, flag) for op in ops)
