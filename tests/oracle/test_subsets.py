"""Sets of nodes patched together, against one set at a time on the plain model."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

import numpy as np
import pytest
from torch import Tensor, nn

from atpdsl.binding.nodeset import NodeSet
from atpdsl.nodes import NODE_KINDS
from atpdsl.planning.ops import Side
from atpdsl.runtime.patch_sets import SetPatcher
from atpdsl.semantics.experiment import Direction
from tests.engine import loaded, token_pair
from tests.oracle.cases import (
    EQUAL_PROMPTS,
    SAME_LENGTH,
    UNEQUAL,
    Pairs,
    engine,
    every_position,
    node_set,
    node_sets,
    oracle_metric,
)
from tests.oracle.float64 import in_float64
from tests.oracle.plain import Node, capture, edited, part, run
from tests.runtime.scenes import patcher
from tests.small_models import small_model

EXACT = {"rtol": 0, "atol": 1e-9}
STREAM = ("resid.pre", "resid.mid", "resid.post", "embed")


def make(model: nn.Module, pairs: Pairs, sets: Sequence[NodeSet], **how) -> SetPatcher:
    rows = zip(pairs.clean, pairs.corrupted, pairs.answers, pairs.foils, strict=True)
    return patcher(loaded(model), [token_pair(*row) for row in rows], sets, **how)


def node_at(sets: Sequence[NodeSet], number: int) -> Node:
    """The node of a number over all node sets."""
    for nodes in sets:
        if number < len(nodes):
            layer, index, label = nodes.at(number)
            position = None if nodes.whole else int(label)
            return Node(kind=nodes.kind, layer=layer, index=index, position=position)
        number -= len(nodes)
    raise IndexError(number)


def effect_of_set(
    model: nn.Module, pairs: Pairs, nodes: Sequence[Node], direction: Direction
) -> float:
    """One pair, one set: a hook for every node, in the order in which they are computed."""
    base, donor = pairs.sides(direction)
    donated = capture(model, donor)
    metric = oracle_metric(model, pairs, "logit_diff")
    before = metric(run(model, base))

    def setting(node: Node):
        def edit(activation: Tensor) -> None:
            part(activation, node)[:] = part(donated[node.kind, node.layer], node)

        return edit

    with ExitStack() as hooks:
        for node in sorted(nodes, key=lambda n: (n.layer, NODE_KINDS[n.kind].stage)):
            hooks.enter_context(edited(model, node.kind, node.layer, setting(node)))
        return float(metric(run(model, base)) - before)


def one_by_one(model, pairs, sets, chosen, members, direction=Direction.NOISING):
    return [
        effect_of_set(
            model, pairs.only(int(pair)), [node_at(sets, int(n)) for n in nodes], direction
        )
        for pair, nodes in zip(chosen, members, strict=True)
    ]


def mixed_sets(sets: Sequence[NodeSet], live, n: int, seed: int = 0):
    """Pairs, and sets with none to three nodes of every kind that live there."""
    lot = np.random.default_rng(seed)
    ends = np.cumsum([len(nodes) for nodes in sets])
    chosen = lot.integers(len(live), size=n)
    members = []
    for pair in chosen:
        parts = []
        for nodes, end in zip(sets, ends, strict=True):
            here = np.flatnonzero(live[pair, end - len(nodes) : end]) + end - len(nodes)
            parts.append(lot.choice(here, size=min(len(here), lot.integers(4)), replace=False))
        members.append(lot.permutation(np.concatenate(parts)))
    return chosen, members


@pytest.mark.parametrize(
    ("family", "stream", "whole", "direction"),
    [
        (family, stream, whole, direction)
        for family in ("gpt2", "neox", "qwen3", "gemma3")
        for stream in (False, True)
        for whole, direction in (
            (False, Direction.NOISING),
            (True, Direction.NOISING),
            (False, Direction.DENOISING),
        )
        if family == "gpt2" or (not whole and direction is Direction.NOISING)
    ],
)
def test_sets_of_all_kinds_agree_with_the_oracle(family, stream, whole, direction):
    with in_float64(small_model(family)) as model:
        sets = node_sets(model, SAME_LENGTH, whole=whole)
        sets = [s for s in sets if stream or s.kind not in STREAM]
        base = Side.CLEAN if direction is Direction.NOISING else Side.CORRUPTED
        ours = make(model, SAME_LENGTH, sets, base=base)
        chosen, members = mixed_sets(sets, ours.candidates(), 10)
        found = ours.effects(chosen, members)
        expected = one_by_one(model, SAME_LENGTH, sets, chosen, members, direction)

    assert np.abs(expected).min() > 1e-3
    np.testing.assert_allclose(found, expected, **EXACT)


@pytest.mark.parametrize("family", ["gpt2", "gemma3"])
def test_sets_in_prompts_of_unequal_length_agree_with_the_oracle(family):
    """Batches are padded; the oracle runs each prompt alone."""
    with in_float64(small_model(family)) as model:
        sets = node_sets(model, UNEQUAL)
        ours = make(model, UNEQUAL, sets, batches=[(2, 0), (1, 3)])
        chosen, members = mixed_sets(sets, ours.candidates(), 12)
        found = ours.effects(chosen, members)
        expected = one_by_one(model, UNEQUAL, sets, chosen, members)

    np.testing.assert_allclose(found, expected, **EXACT)


def test_sets_of_one_node_are_exact_patching():
    with in_float64(small_model("llama")) as model:
        sets = [node_set(model, k, every_position(UNEQUAL)) for k in ("heads.k", "mlp")]
        expected = engine(model, UNEQUAL, sets, method="ap")
        ours = make(model, UNEQUAL, sets, batches=[(0, 1), (2, 3)])
        pair, node = np.nonzero(ours.exists())
        found = ours.effects(pair, [np.array([n]) for n in node])
    table = np.concatenate([e.reshape(4, -1) for e in expected], axis=1)

    assert (~np.isnan(table) == ours.exists()).all()
    np.testing.assert_allclose(found, table[pair, node], rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", ["embed", "resid.post"])
@pytest.mark.parametrize("family", ["gpt2", "neox", "gemma3"])
def test_nodes_that_cut_the_model_in_two_give_the_donors_metric(family, kind):
    """With every embedding, or the stream at every position, replaced, nothing is left."""
    with in_float64(small_model(family)) as model:
        whole = node_set(model, kind, every_position(SAME_LENGTH))
        sets = [NodeSet(kind=kind, layers=(0,), indices=(0,), positions=whole.positions)]
        sets.append(node_set(model, "heads.v", every_position(SAME_LENGTH)))
        ours = make(model, SAME_LENGTH, sets)
        everything = [np.arange(sum(map(len, sets)))] * 3
        found = ours.effects(np.arange(3), everything)
        alone = ours.effects(np.arange(3), [np.arange(len(sets[0]))] * 3)
        metric = oracle_metric(model, SAME_LENGTH, "logit_diff")
        clean, corrupted = (run(model, t) for t in SAME_LENGTH.sides(Direction.NOISING))
        expected = metric(corrupted) - metric(clean)

    np.testing.assert_allclose(alone, expected, **EXACT)
    np.testing.assert_allclose(found, expected, **EXACT)


def test_equal_prompts_and_empty_sets_give_exactly_zero_without_a_run():
    with in_float64(small_model("gpt2")) as model:
        sets = node_sets(model, SAME_LENGTH)
        counted: list[int] = []
        equal = make(model, EQUAL_PROMPTS, sets, counted=counted)
        ours = make(model, SAME_LENGTH, sets, counted=counted)
        everything = np.arange(sum(map(len, sets)))
        first = np.flatnonzero(ours.exists()[0] & ~ours.candidates()[0])
        found = ours.effects(np.array([0, 1, 0]), [everything[:0], everything[:0], first])

        assert len(first)
        assert found.tolist() == [0.0, 0.0, 0.0]
        assert equal.effects(np.arange(3), [everything] * 3).tolist() == [0.0, 0.0, 0.0]
        assert ours.effects(np.zeros(0, np.int64), []).tolist() == []
    assert counted == []
