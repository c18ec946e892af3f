"""The baselines as operations: what is patched, of which nodes, and what that costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from atpdsl.binding.nodeset import NodeSet
from atpdsl.methods import METHODS
from atpdsl.methods.hierarchical import even_branching
from atpdsl.passes import optimize
from atpdsl.planning.cost import counts
from atpdsl.planning.ops import Estimate, Measure, PatchSets, Side, places_of
from atpdsl.planning.plan import Plan, schedule, walk
from atpdsl.planning.schemes import Blocks, Inclusions, OnePair, Partitions, Shuffle, Tree
from atpdsl.semantics.experiment import Direction, RunSettings, Setting
from tests.engine import experiment, make_plan, token_pair

QUERIES = NodeSet(kind="heads.q", layers=(0, 1, 2), indices=(0, 1), positions=("0", "1", "2"))
MLPS = NodeSet(kind="mlp", layers=(0, 1, 2), indices=(0,), positions=("last",))
NODES = len(QUERIES) + len(MLPS)
# The first token is the same on both sides, and queries in the last layer matter at `2` only.
LIVE = NODES - 3 * 2 - 2
BASELINES = [method.name for method in METHODS if method.baseline]


def planned(
    method: str,
    settings: Mapping[str, Setting] | None = None,
    *,
    pairs: int = 3,
    direction: Direction = Direction.NOISING,
) -> Plan:
    defaults = {p.name: p.default for p in METHODS[method].signature.params}
    asked = experiment(
        methods=((method, direction),),
        settings={**defaults, **(settings or {})},
        run=RunSettings(seed=7, batch=2),
    )
    same = [token_pair([0, 2, 3], [0, 4, 5], 6, 7) for _ in range(pairs)]
    return make_plan(same, (QUERIES, MLPS), asked)


def patched(plan: Plan) -> PatchSets:
    (found,) = (op for op in walk(plan) if isinstance(op, PatchSets))
    return found


@pytest.mark.parametrize(
    ("method", "settings", "scheme"),
    [
        ("iterative", {}, OnePair(seed=7)),
        ("random", {}, Shuffle(seed=7)),
        ("blocks", {}, Blocks(size=20, seed=7)),
        ("blocks", {"size": 5}, Blocks(size=5, seed=7)),
        ("subsampling", {}, Inclusions(samples=1000, probability=0.03, seed=7)),
        (
            "subsampling",
            {"samples": 100, "inclusion": 0.1, "partition": "balanced"},
            Partitions(repetitions=10, blocks=10, seed=7),
        ),
        (
            "hierarchical",
            {"levels": 2, "branching": 3, "most": 4},
            Tree(levels=2, branching=3, most=4, seed=7),
        ),
    ],
)
def test_settings_become_a_scheme(method, settings, scheme):
    assert patched(planned(method, settings)).scheme == scheme


@pytest.mark.parametrize("method", BASELINES)
def test_all_node_sets_come_out_of_the_same_patched_sets(method):
    plan = planned(method)
    op = patched(plan)

    assert plan.methods[0].reductions == tuple(Estimate(source=op, number=i) for i in (0, 1))
    assert op.sets == (QUERIES, MLPS)
    assert op.excluded is None
    assert op.known == ()


@pytest.mark.parametrize("method", BASELINES)
@pytest.mark.parametrize("direction", Direction)
def test_donors_capture_the_places_of_all_node_sets(method, direction):
    op = patched(optimize(planned(method, direction=direction)))
    noising = direction is Direction.NOISING

    assert [base.forward.batch for base in op.bases] == [0, 1]
    for base, donor in zip(op.bases, op.donors, strict=True):
        assert set(donor.captures) >= {*places_of(QUERIES), *places_of(MLPS)}
        assert base.forward.side is (Side.CLEAN if noising else Side.CORRUPTED)
        assert donor.side is (Side.CORRUPTED if noising else Side.CLEAN)


@pytest.mark.parametrize("method", BASELINES)
def test_a_baseline_is_an_estimate_that_needs_no_gradient(method):
    plan = optimize(planned(method))

    assert METHODS[method].signature.estimates
    assert not METHODS[method].signature.needs_gradient
    assert all(counts(op, plan).backward_sequences == 0 for op in walk(plan))


@pytest.mark.parametrize(
    ("method", "settings", "sequences"),
    [
        ("iterative", {}, NODES),
        ("random", {}, 0),
        ("blocks", {"size": 5}, 3 * -(-NODES // 5)),
        ("subsampling", {"samples": 50}, 50),
        # 21 nodes in 7 blocks of 3, these in 3 blocks.
        ("hierarchical", {"levels": 2, "branching": 3}, 3 * (21 + 7 + 3)),
    ],
)
def test_what_is_patched_at_most(method, settings, sequences):
    plan = optimize(planned(method, settings))

    assert counts(patched(plan), plan).forward_sequences == sequences
    others = [counts(op, plan) for op in walk(plan) if not isinstance(op, PatchSets)]
    assert sum(c.forward_sequences for c in others) == 2 * 3


@pytest.mark.parametrize(
    ("nodes", "levels", "branching"),
    [(8, 2, 2), (9, 2, 3), (27, 2, 3), (28, 2, 4), (1, 3, 2), (1000, 1, 32), (10_000, 3, 10)],
)
def test_branching_is_the_least_that_covers_all_nodes(nodes, levels, branching):
    assert even_branching(nodes, levels) == branching


def test_hierarchical_says_which_branching_it_took():
    plan = planned("hierarchical", {"levels": 1})
    (method,) = plan.methods

    assert method.call.settings["branching"] == 4  # 4 x 4 covers the 13 that can matter
    assert method.note == f"branching = 4, for 1 level of blocks above {LIVE} nodes"
    assert planned("hierarchical", {"branching": 9}).methods[0].note == ""


def test_known_effects_save_the_single_nodes():
    def with_known(method: str, settings: Mapping[str, Setting]) -> int:
        both = planned(method, settings)
        exact = planned("ap").methods[0].reductions
        op = patched(both)
        return counts(replace(op, known=exact), both).forward_sequences

    assert with_known("iterative", {}) == 0
    assert with_known("hierarchical", {"levels": 2, "branching": 3}) == 3 * (7 + 3)
    assert with_known("hierarchical", {"levels": 2, "branching": 3, "most": 1}) == 3 * (3 + 3)


def test_known_effects_are_ready_before_the_search():
    plan = planned("iterative")
    exact = planned("ap").methods[0].reductions
    (method,) = plan.methods
    source = replace(patched(plan), known=exact)
    estimates = tuple(Estimate(source=source, number=i) for i in (0, 1))
    order = schedule(optimize(replace(plan, methods=(replace(method, reductions=estimates),))))
    search = next(i for i, op in enumerate(order) if isinstance(op, PatchSets))

    assert sum(op in order[search].known for op in order[:search]) == len(exact)
    assert all(isinstance(base, Measure) for base in order[search].bases)
