"""Every pass keeps the numbers, on random experiments, and does what it is for."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atpdsl.binding.nodeset import NodeSet
from atpdsl.passes import PIPELINE, Pass, optimize
from atpdsl.planning.cost import BOUNDED, counts
from atpdsl.planning.outcome import Counts, Outcome
from atpdsl.planning.plan import Plan, schedule, walk
from atpdsl.planning.target import BRIDGE, NATIVE, needs_resuming
from atpdsl.planning.verify import verify_plan
from atpdsl.runtime.bridge import BridgeExecutor
from atpdsl.runtime.executor import Silent
from atpdsl.runtime.native.executor import NativeExecutor
from atpdsl.runtime.null import NullExecutor
from atpdsl.semantics import diagnosis
from atpdsl.semantics.diagnosis import Cancellation, Column, Diagnosis, Flag, Number
from atpdsl.semantics.experiment import Direction, MetricCall, RunSettings, VerifyCall
from tests.engine import NOWHERE, experiment, loaded, make_plan, shape_of, token_pair
from tests.small_models import N_HEADS, N_LAYERS, small_model

SHAPE = shape_of(small_model("gpt2", torch.float64).config)
FLAG = Flag(
    condition=diagnosis.Test(
        operator=">", left=Column(name="cancellation"), right=Number(value=0.9)
    ),
    text="cancellation > 0.9",
)
TOKENS = st.integers(min_value=1, max_value=60)


@cache
def model():
    return loaded(small_model("gpt2", torch.float64))


@st.composite
def pairs(draw):
    clean = draw(st.lists(TOKENS, min_size=2, max_size=6))
    same = draw(st.integers(0, len(clean) - 1))
    corrupted = [
        draw(TOKENS) if i >= same and draw(st.booleans()) else token
        for i, token in enumerate(clean)
    ]
    # A name may stand at another index on each side; the metric may read before the end.
    place = st.integers(0, len(clean))
    return token_pair(
        [0, *clean],
        [0, *corrupted],
        draw(TOKENS),
        draw(TOKENS),
        {"S": (draw(place), draw(place)), "read": (len(clean) - 1, len(clean) - 1)},
    )


@st.composite
def node_sets(draw):
    kinds = ["heads.q", "heads.k", "heads.z", "attn", "mlp", "resid.mid", "resid.pre"]
    kind = draw(st.sampled_from(kinds))
    heads = range(N_HEADS) if kind.startswith("heads") else range(1)
    return NodeSet(
        kind=kind,
        layers=tuple(sorted(draw(st.sets(st.integers(0, N_LAYERS - 1), min_size=1)))),
        indices=tuple(sorted(draw(st.sets(st.sampled_from(list(heads)), min_size=1)))),
        positions=draw(st.sampled_from([("last", "S"), ("0", "1", "2"), ("sequence",)])),
    )


@st.composite
def plans(draw) -> Plan:
    methods = draw(
        st.lists(
            st.tuples(st.sampled_from(["ap", "atp", "atp*"]), st.sampled_from(list(Direction))),
            min_size=1,
            max_size=3,
            unique=True,
        )
    )
    estimates = tuple(f"{m}{i}" if i else m for i, (m, _) in enumerate(methods) if m != "ap")
    verify = VerifyCall(top=2, random=2, methods=estimates, span=NOWHERE)
    direct = Cancellation(flag=FLAG, direct_effect=True)
    asked = experiment(
        metric=MetricCall(
            name=draw(st.sampled_from(["logit_diff", "prob_diff", "nll"])),
            position=draw(st.sampled_from(["last", "read"])),
            span=NOWHERE,
        ),
        methods=methods,
        settings={"qk_fix": True, "grad_drop": draw(st.sampled_from(["off", "every_layer"]))},
        diagnosis=Diagnosis(cancellation=draw(st.sampled_from([None, direct]))),
        verify=verify if estimates and draw(st.booleans()) else None,
        run=RunSettings(per_pair=True, batch=draw(st.integers(1, 3))),
    )
    given_pairs = draw(st.lists(pairs(), min_size=1, max_size=4))
    sets = draw(st.lists(node_sets(), min_size=1, max_size=2))
    return make_plan(given_pairs, sets, asked, SHAPE)


def run(plan: Plan) -> Outcome:
    return BridgeExecutor().execute(plan, model(), Silent())


def run_natively(plan: Plan) -> Outcome:
    known = replace(model(), shape=replace(model().shape, family="gpt2"))
    return NativeExecutor().execute(plan, known, Silent())


def cost(plan: Plan, *, bounded: bool = True) -> Counts:
    ops = (op for op in schedule(plan) if bounded or not isinstance(op, BOUNDED))
    return sum((counts(op, plan) for op in ops), Counts())


def assert_same(before: Outcome, after: Outcome) -> None:
    for one, other in zip(before.methods, after.methods, strict=True):
        for x, y in zip(one.per_pair, other.per_pair, strict=True):
            np.testing.assert_allclose(x, y, atol=1e-9)
        for a, b in zip(one.statistics, other.statistics, strict=True):
            np.testing.assert_allclose(a.mean_abs, b.mean_abs, atol=1e-9)
            # A node without an effect has the sign of its rounding.
            for name in set(a.extra) - {"positive", "negative"}:
                np.testing.assert_allclose(a.extra[name], b.extra[name], atol=1e-9)
    for one, other in zip(before.verified, after.verified, strict=True):
        np.testing.assert_array_equal(one.nodes, other.nodes)
        np.testing.assert_allclose(one.per_pair, other.per_pair, atol=1e-9)
        if one.direct is not None:
            np.testing.assert_allclose(one.direct.mean, other.direct.mean, atol=1e-9)


# Which chosen nodes need a run is known while it runs; all else is counted exactly.
def counted(outcome: Outcome) -> dict[str, Counts]:
    exact = ("activations", "gradients", "patching")
    return {stage.name: stage.counts for stage in outcome.stages if stage.name in exact}


ON_BRIDGE = [one for one in PIPELINE if not one.resumes]
RESUMING = [one for one in PIPELINE if one.resumes]
MERGED = ("merge_forwards", "merge_backwards", "skip_equal_prefixes", "skip_unreachable")
PROPERTY = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.slow
@pytest.mark.parametrize("one", ON_BRIDGE, ids=lambda one: one.name)
@PROPERTY
@given(plan=plans())
def test_a_pass_keeps_every_number(one: Pass, plan: Plan):
    verify_plan(plan)
    changed = one.change(plan)
    verify_plan(changed)

    assert_same(run(plan), run(changed))


@pytest.mark.slow
@PROPERTY
@given(plan=plans())
def test_all_passes_keep_every_number_and_count_what_is_run(plan: Plan):
    changed = optimize(plan, BRIDGE)
    found = run(changed)

    assert_same(run(optimize(plan, BRIDGE, ())), found)
    assert counted(found) == counted(NullExecutor().execute(changed, None, Silent()))


@pytest.mark.slow
@pytest.mark.parametrize("one", RESUMING, ids=lambda one: one.name)
@PROPERTY
@given(plan=plans())
def test_a_pass_that_resumes_runs_keeps_every_number(one: Pass, plan: Plan):
    before = optimize(plan, NATIVE, MERGED)

    assert_same(run(plan), run_natively(optimize(before, NATIVE, (one.name,))))


@pytest.mark.slow
@PROPERTY
@given(plan=plans())
def test_all_passes_keep_every_number_where_runs_are_resumed(plan: Plan):
    changed = optimize(plan, NATIVE)
    found = run_natively(changed)

    assert_same(run(plan), found)
    assert counted(found) == counted(NullExecutor().execute(changed, None, Silent()))


@pytest.mark.slow
@PROPERTY
@given(plan=plans())
def test_passes_keep_the_law_and_never_cost_more(plan: Plan):
    last = plan
    for one in PIPELINE:
        changed = one.change(last)
        verify_plan(changed)
        # Runs are repeated so that they need not be kept.
        if one.name != "run_again":
            assert cost(changed).forward_layers <= cost(last).forward_layers
            assert cost(changed).backward_layers <= cost(last).backward_layers
        last = changed
    NullExecutor().execute(last, None, Silent())


@PROPERTY
@given(plan=plans())
def test_a_pass_has_nothing_left_to_do_the_second_time(plan: Plan):
    for one in PIPELINE:
        once = one.change(plan)
        assert one.change(once) == once
        assert one.change(optimize(plan, NATIVE)) == optimize(plan, NATIVE)


@PROPERTY
@given(plan=plans())
def test_without_passes_a_plan_stays_as_it_is(plan: Plan):
    assert optimize(plan, NATIVE, ()) == plan


@PROPERTY
@given(plan=plans())
def test_a_bridge_is_never_asked_to_resume(plan: Plan):
    assert not needs_resuming(optimize(plan, BRIDGE))
    assert len(list(walk(optimize(plan, BRIDGE)))) <= len(list(walk(plan))) * 2
