"""The executor by default: native where that agrees, else the bridge, and it says so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from atpdsl.passes import optimize
from atpdsl.planning.outcome import Outcome
from atpdsl.planning.plan import Plan
from atpdsl.planning.target import BRIDGE, NATIVE, needs_resuming
from atpdsl.runtime import auto, bridge
from atpdsl.runtime.auto import AutoExecutor
from atpdsl.runtime.bridge import BridgeExecutor
from atpdsl.runtime.executor import Silent
from atpdsl.runtime.load import LoadedModel
from atpdsl.runtime.native import agreement
from atpdsl.runtime.native.weights import NativeModel
from tests.engine import experiment, loaded, make_plan, token_pair
from tests.passes.plans import DENOISING, HEADS, MLPS, NOISING
from tests.small_models import N_CONTEXT, small_model

PAIRS = [token_pair([0, 1, 2, 3], [0, 1, 5, 3], 7, 8), token_pair([0, 4, 2], [0, 4, 9], 7, 8)]


def model_of(family: str = "gpt2") -> LoadedModel:
    model = loaded(small_model(family))
    return replace(model, shape=replace(model.shape, n_context=N_CONTEXT))


def planned(model: LoadedModel) -> Plan:
    asked = experiment(methods=[("ap", NOISING), ("atp", DENOISING)])
    sets = [HEADS, replace(MLPS, layers=(1, 2))]
    plan = optimize(make_plan(PAIRS, sets, asked, model.shape), NATIVE)
    assert needs_resuming(plan)
    return plan


def same(one: Outcome, other: Outcome) -> None:
    for a, b in zip(one.methods, other.methods, strict=True):
        for x, y in zip(a.statistics, b.statistics, strict=True):
            # The Hugging Face code takes softmaxes in float32.
            np.testing.assert_allclose(x.mean, y.mean, atol=1e-5)


def test_a_known_family_is_run_natively():
    model = model_of()
    outcome = AutoExecutor().execute(planned(model), model, Silent())

    assert (outcome.executor, outcome.executor_note) == ("native", "")


def changed(native_model):
    """Native code with another scale of the attention."""

    def wrong(bridge: object) -> NativeModel:
        model = native_model(bridge)
        first, *rest = model.blocks
        attention = replace(first.attention, scale=2 * first.attention.scale)
        return replace(model, blocks=(replace(first, attention=attention), *rest))

    return wrong


def test_a_model_whose_numbers_are_not_the_bridges_goes_through_the_bridge(monkeypatch):
    from atpdsl.runtime.native import engine

    monkeypatch.setattr(engine, "native_model", changed(engine.native_model))
    model = model_of()
    plan = planned(model)
    outcome = AutoExecutor().execute(plan, model, Silent())
    plain = optimize(make_plan(PAIRS, plan.bound.nodes, plan.bound.experiment, model.shape))

    assert outcome.executor == "bridge"
    assert "differ from the bridge's by" in outcome.executor_note
    # It is not the plan that it was given: that begins in the middle of runs.
    assert not needs_resuming(plain)
    same(outcome, BridgeExecutor().execute(plain, model, Silent()))


def test_an_unknown_architecture_goes_through_the_bridge(monkeypatch):
    monkeypatch.setattr("atpdsl.runtime.native.families.ARCHITECTURES", frozenset())
    model = model_of()
    outcome = AutoExecutor().execute(planned(model), model, Silent())

    assert outcome.executor == "bridge"
    assert outcome.executor_note == "`GPT2LMHeadModel` has no native code"


def test_a_plan_that_a_bridge_can_run_is_run_as_it_is(monkeypatch):
    monkeypatch.setattr(auto, "checked_engine", lambda _: (None, "not here"))
    monkeypatch.setattr(bridge, "lower", lambda _: pytest.fail("the plan was made anew"))
    model = model_of()
    asked = experiment(methods=[("ap", NOISING)])
    plan = make_plan(PAIRS, [HEADS], asked, model.shape)
    outcome = AutoExecutor().execute(plan, model, Silent())

    assert (outcome.executor, outcome.executor_note) == ("bridge", "not here")


def test_a_plan_that_is_made_anew_has_the_passes_that_were_asked_for(monkeypatch):
    monkeypatch.setattr(auto, "checked_engine", lambda _: (None, "not here"))
    made = []
    change = bridge.optimize

    def keep(*given: object) -> Plan:
        made.append(change(*given))
        return made[-1]

    monkeypatch.setattr(bridge, "optimize", keep)
    model = model_of()
    lowered = make_plan(PAIRS, [HEADS], experiment(methods=[("ap", NOISING)]), model.shape)
    names = ("merge_forwards", "skip_unreachable", "patch_incrementally")
    AutoExecutor().execute(optimize(lowered, NATIVE, names), model, Silent())

    assert made == [optimize(lowered, BRIDGE, names)]


def test_a_model_is_needed():
    with pytest.raises(ValueError, match="needs a model"):
        AutoExecutor().execute(planned(model_of()), None, Silent())


def test_the_reason_is_remembered_with_the_model():
    model = model_of("llama")
    agreement._CHECKED[model.bridge] = "its logits differ"
    outcome = AutoExecutor().execute(planned(model), model, Silent())

    assert outcome.executor_note == "its logits differ"
