"""Every pass keeps the numbers, on random experiments, and does what it is for."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atpdsl.binding.nodeset import NodeSet
from atpdsl.passes import PIPELINE
from atpdsl.passes.merge_backwards import merge_backwards
from atpdsl.passes.merge_forwards import merge_forwards
from atpdsl.passes.skip_equal_prefixes import skip_equal_prefixes
from atpdsl.planning.cost import counts
from atpdsl.planning.ops import Backward, Forward
from atpdsl.planning.outcome import Counts, Outcome
from atpdsl.planning.plan import Plan, schedule, walk
from atpdsl.planning.verify import verify_plan
from atpdsl.runtime.bridge import BridgeExecutor
from atpdsl.runtime.executor import Silent
from atpdsl.semantics.experiment import Direction, RunSettings, VerifyCall
from tests.engine import NOWHERE, experiment, loaded, make_plan, token_pair
from tests.small_models import N_HEADS, N_LAYERS, small_model

TOKENS = st.integers(min_value=1, max_value=60)


@cache
def model():
    return loaded(small_model("gpt2", torch.float64))


@st.composite
def pairs(draw):
    clean = draw(st.lists(TOKENS, min_size=2, max_size=6))
    corrupted = [draw(TOKENS) if draw(st.booleans()) else token for token in clean]
    return token_pair([0, *clean], [0, *corrupted], draw(TOKENS), draw(TOKENS))


@st.composite
def node_sets(draw):
    kind = draw(st.sampled_from(["heads.q", "heads.z", "attn", "mlp", "resid.mid"]))
    heads = range(N_HEADS) if kind.startswith("heads") else range(1)
    return NodeSet(
        kind=kind,
        layers=tuple(sorted(draw(st.sets(st.integers(0, N_LAYERS - 1), min_size=1)))),
        indices=tuple(sorted(draw(st.sets(st.sampled_from(list(heads)), min_size=1)))),
        positions=draw(st.sampled_from([("last",), ("0", "1", "2"), ("sequence",)])),
    )


@st.composite
def plans(draw) -> Plan:
    methods = draw(
        st.lists(
            st.tuples(st.sampled_from(["ap", "atp"]), st.sampled_from(list(Direction))),
            min_size=1,
            max_size=3,
            unique=True,
        )
    )
    estimates = tuple(f"{m}{i}" if i else m for i, (m, _) in enumerate(methods) if m == "atp")
    verify = VerifyCall(top=2, random=2, methods=estimates, span=NOWHERE)
    asked = experiment(
        metric=draw(st.sampled_from(["logit_diff", "prob_diff", "nll"])),
        methods=methods,
        verify=verify if estimates and draw(st.booleans()) else None,
        run=RunSettings(per_pair=True, batch=draw(st.integers(1, 3))),
    )
    given_pairs = draw(st.lists(pairs(), min_size=1, max_size=3))
    return make_plan(given_pairs, draw(st.lists(node_sets(), min_size=1, max_size=2)), asked)


def run(plan: Plan) -> Outcome:
    return BridgeExecutor().execute(plan, model(), Silent())


def cost(plan: Plan) -> Counts:
    return sum((counts(op, plan) for op in schedule(plan)), Counts())


@pytest.mark.slow
@pytest.mark.parametrize("change", PIPELINE, ids=lambda change: change.__name__)
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(plan=plans())
def test_a_pass_keeps_every_number_and_never_costs_more(change, plan):
    verify_plan(plan)
    changed = change(plan)
    verify_plan(changed)
    before, after = run(plan), run(changed)

    for one, other in zip(before.methods, after.methods, strict=True):
        for x, y in zip(one.per_pair, other.per_pair, strict=True):
            np.testing.assert_allclose(x, y, atol=1e-11)
    for one, other in zip(before.verified, after.verified, strict=True):
        np.testing.assert_array_equal(one.nodes, other.nodes)
        np.testing.assert_allclose(one.per_pair, other.per_pair, atol=1e-11)
    assert cost(changed).forward_sequences <= cost(plan).forward_sequences
    assert cost(changed).backward_sequences <= cost(plan).backward_sequences


TWO = (
    NodeSet(kind="heads.z", layers=(0, 2), indices=(0, 1), positions=("1", "2")),
    NodeSet(kind="mlp", layers=(1,), indices=(0,), positions=("last",)),
)
PAIR = token_pair([0, 1, 2], [0, 1, 5], 7, 8)


def planned(*methods: str) -> Plan:
    asked = experiment(methods=[(name, Direction.NOISING) for name in methods])
    return make_plan([PAIR], TWO, asked)


def forwards(plan: Plan) -> list[Forward]:
    return [op for op in walk(plan) if isinstance(op, Forward)]


def test_merging_forwards_leaves_one_per_side_with_all_captures():
    merged = forwards(merge_forwards(planned("ap", "atp")))

    assert len(forwards(planned("ap", "atp"))) > 2
    assert len(merged) == 2
    assert {(place.kind, place.layer) for place in merged[0].captures} == {
        ("heads.z", 0),
        ("heads.z", 2),
        ("mlp", 1),
    }


def test_merging_forwards_tracks_gradients_where_anyone_needs_them():
    merged = merge_forwards(planned("ap", "atp"))

    assert {op.side.value: op.tracked for op in forwards(merged)} == {
        "clean": True,
        "corrupted": False,
    }


def test_merging_backwards_leaves_one_that_reaches_all_places():
    merged = merge_backwards(merge_forwards(planned("atp")))
    (backward,) = [op for op in walk(merged) if isinstance(op, Backward)]

    assert [(place.kind, place.layer) for place in backward.places] == [
        ("heads.z", 0),
        ("heads.z", 2),
        ("mlp", 1),
    ]


def test_skipping_equal_prefixes_leaves_only_patches_that_can_matter():
    plan = planned("ap")

    # Two layers, two heads, positions 1 and 2, of which 1 is before the difference.
    assert cost(plan).forward_sequences - cost(skip_equal_prefixes(plan)).forward_sequences == 4


@pytest.mark.parametrize("change", PIPELINE, ids=lambda change: change.__name__)
def test_a_pass_has_nothing_left_to_do_the_second_time(change):
    once = change(planned("ap", "atp"))

    assert change(once) == once
