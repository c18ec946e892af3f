"""The set patcher's own promises: calls, batches, padding of runs, and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from atpdsl.binding.nodeset import WHOLE, NodeSet
from atpdsl.planning.ops import PatchSets
from atpdsl.planning.schemes import Blocks, Inclusions, Partitions, Tree
from atpdsl.runtime.patch_sets import run_scheme
from tests.engine import loaded, token_pair
from tests.runtime.additive import flat
from tests.runtime.scenes import patcher
from tests.small_models import no_downcast, small_model

PROMPTS = [
    ([0, 11, 23, 7, 42, 5], [0, 11, 58, 7, 42, 5]),
    ([0, 19, 3, 8, 51], [0, 30, 3, 9, 2]),
    ([0, 2, 31, 0, 60, 14, 8], [0, 2, 31, 44, 0, 14, 9]),
    ([0, 5, 6, 7], [0, 6, 5, 7]),
]
PAIRS = [token_pair(clean, corrupted, 4, 9) for clean, corrupted in PROMPTS]
POSITIONS = tuple(map(str, range(7)))
SETS = (
    NodeSet(kind="heads.q", layers=(0, 2), indices=(1, 3), positions=POSITIONS),
    NodeSet(kind="resid.mid", layers=(1,), indices=(0,), positions=("last", "2")),
    NodeSet(kind="neurons", layers=(1,), indices=(5, 7, 40), positions=POSITIONS),
)
N = sum(map(len, SETS))


@pytest.fixture(scope="module")
def model():
    return loaded(small_model("llama"))


def some_sets(n, seed=0):
    lot = np.random.default_rng(seed)
    members = [np.flatnonzero(lot.random(N) < 0.2) for _ in range(n)]
    return lot.integers(len(PAIRS), size=n), members


def test_nodes_exist_and_live_as_their_positions_do(model):
    ours = patcher(model, PAIRS, SETS, batches=[(3, 1), (0, 2)])
    exists, live = ours.exists(), ours.candidates()

    assert exists.shape == live.shape == (4, N)
    # Queries at every position of each prompt, in two layers and two heads.
    expected = [[p < len(clean) for p in range(7)] * 4 for clean, _ in PROMPTS]
    assert exists[:, :28].tolist() == expected
    # Prompts differ from token 2, 1, 3, 1 on.
    first = [2, 1, 3, 1]
    since = [[first[i] <= p < len(PROMPTS[i][0]) for p in range(7)] * 4 for i in range(4)]
    assert live[:, :28].tolist() == since
    assert live[:, 28:30].tolist() == [[True, True], [True, True], [True, False], [True, True]]


def test_batches_and_rows_per_call_change_nothing(model):
    pairs, members = some_sets(23)
    with no_downcast():
        found = [
            patcher(model, PAIRS, SETS, batches=b, rows_per_call=r).effects(pairs, members)
            for b, r in (
                ([(0,), (1,), (2,), (3,)], 1),
                ([(0, 1, 2, 3)], 1000),
                ([(2, 0), (3, 1)], 4),
            )
        ]

    assert np.abs(found[0]).min() > 1e-4
    np.testing.assert_allclose(found[1], found[0], rtol=0, atol=1e-12)
    np.testing.assert_allclose(found[2], found[0], rtol=0, atol=1e-12)


def test_runs_of_the_model_are_full(model):
    counted: list[int] = []
    ours = patcher(model, PAIRS, SETS, batches=[(0, 1), (2, 3)], counted=counted)
    pairs = np.array([0, 2] * 10)
    ours.effects(pairs, [np.array([5])] * 10 + [np.array([N - 1, 5])] * 10)
    # Node 5 is live in pair 0 and 2; each batch has 10 rows, 7 at a time.
    assert counted == [7, 3, 7, 3]


def test_the_order_of_nodes_in_a_set_does_not_matter(model):
    pairs, members = some_sets(8)
    ours = patcher(model, PAIRS, SETS)
    turned = [m[::-1] for m in members]

    assert ours.effects(pairs, members).tolist() == ours.effects(pairs, turned).tolist()


def test_several_names_of_one_activation_are_patched_once(model):
    """`last` is token 5 of the first prompt; the whole sequence has it too."""
    here = {"kind": "heads.v", "layers": (1,), "indices": (0,)}
    sets = (
        NodeSet(**here, positions=("5", "last")),
        NodeSet(**here, positions=(WHOLE,)),
    )
    ours = patcher(model, PAIRS, sets)
    found = ours.effects(
        np.zeros(4, np.int64), [np.array(m) for m in ([0], [1], [0, 1], [0, 1, 2])]
    )
    whole = ours.effects(np.zeros(1, np.int64), [np.array([2])])

    assert found[0] == pytest.approx(found[1], abs=1e-12)
    assert found[0] == pytest.approx(found[2], abs=1e-12)
    assert found[3] == pytest.approx(whole[0], abs=1e-12)
    assert abs(found[3] - found[0]) > 1e-4


def test_of_two_names_with_different_donors_the_last_node_counts(model):
    """A name may stand elsewhere in the donor's prompt than its partner does."""
    pair = token_pair([0, 3, 8, 5], [0, 4, 9, 5], 4, 9, positions={"it": (1, 2)})
    sets = (NodeSet(kind="mlp", layers=(0,), indices=(0,), positions=("1", "it")),)
    other = (NodeSet(kind="mlp", layers=(0,), indices=(0,), positions=("it", "1")),)
    one, two = (np.zeros(1, np.int64), [np.array([0])]), (np.zeros(1, np.int64), [np.arange(2)])
    position, name = patcher(model, [pair], sets), patcher(model, [pair], other)

    assert position.effects(*two)[0] == pytest.approx(name.effects(*one)[0], abs=1e-12)
    assert name.effects(*two)[0] == pytest.approx(position.effects(*one)[0], abs=1e-12)
    assert abs(position.effects(*two)[0] - name.effects(*two)[0]) > 1e-4


def test_what_is_not_finite_is_refused(model):
    ours = patcher(model, PAIRS, SETS)
    scene = ours._scenes[0]
    ours._scenes = [replace(scene, base_metric=torch.full((4,), torch.inf))]

    with pytest.raises(FloatingPointError):
        ours.effects(*some_sets(3))


SCHEMES = [
    Partitions(repetitions=6, blocks=4, seed=1),
    Inclusions(samples=25, probability=0.3, seed=1),
    Blocks(size=5, seed=1),
    Tree(levels=2, branching=4, most=9, seed=1),
]


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda s: type(s).__name__)
def test_schemes_do_not_depend_on_batches(model, scheme):
    """Draws belong to pairs and nodes, whichever batch they are in."""
    found = []
    for batches, rows in (([(0, 1, 2, 3)], 50), ([(3,), (1, 0), (2,)], 3)):
        op = PatchSets(bases=(), donors=(), sets=SETS, scheme=scheme)
        ours = patcher(model, PAIRS, SETS, batches=batches, rows_per_call=rows)
        with no_downcast():
            found.append(run_scheme(op, ours, np.zeros(N, bool)))
    one, other = found

    for field in ("mean", "mean_abs", "pairs"):
        both = [flat(f.statistics, field) for f in found]
        np.testing.assert_allclose(both[0], both[1], rtol=0, atol=1e-12)
    if one.visits is not None:
        assert one.visits.nodes.tolist() == other.visits.nodes.tolist()
    if one.arms is not None:
        np.testing.assert_array_equal(one.arms.with_count, other.arms.with_count)
