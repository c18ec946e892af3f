"""Memory that runs out in the middle of a run, at every place where it can: nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import pytest
import torch

from atpdsl.binding.nodeset import NodeSet
from atpdsl.passes import optimize
from atpdsl.planning.target import BRIDGE, NATIVE
from atpdsl.problems import RunError
from atpdsl.runtime.bridge import BridgeEngine
from atpdsl.runtime.executor import Silent
from atpdsl.runtime.halving import Halving
from atpdsl.runtime.interpreter import interpret
from atpdsl.runtime.native.engine import NativeEngine
from atpdsl.semantics import diagnosis
from atpdsl.semantics.diagnosis import (
    Cancellation,
    Column,
    Diagnosis,
    Flag,
    Number,
    SubsetSampling,
)
from atpdsl.semantics.experiment import Direction, RunSettings, VerifyCall
from tests.engine import NOWHERE, experiment, loaded, make_plan, shape_of, token_pair
from tests.runtime.failing import Failing, above, assert_same, at_call
from tests.small_models import small_model

NOISING = Direction.NOISING
HEADS = NodeSet(
    kind="heads.z", layers=(0, 1, 2), indices=(0, 1), positions=tuple(map(str, range(4)))
)
QUERIES = NodeSet(kind="heads.q", layers=(1, 2), indices=(1, 3), positions=("1", "last"))
SETS = (HEADS, QUERIES)
PAIRS = [
    token_pair([0, 2 + i, 3, 4, 5 + i, 6], [0, 2 + i, 13 + i, 4, 15, 6], 20 + i, 30)
    for i in range(5)
]
VERIFY = VerifyCall(top=2, random=2, methods=("atp*",), span=NOWHERE)
ENGINES = {"bridge": (BridgeEngine, BRIDGE), "native": (NativeEngine, NATIVE)}


@cache
def model():
    return loaded(small_model("gpt2", torch.float64))


def planned(target, *, rows=8, diagnosed=None, verify=VERIFY, **run):
    asked = experiment(
        methods=(("atp*", NOISING), ("ap", NOISING)),
        verify=verify,
        diagnosis=diagnosed,
        settings={"qk_fix": True, "grad_drop": "every_layer"},
        run=RunSettings(per_pair=True, **run),
    )
    # Problems point at the nodes as they are written.
    asked = replace(asked, nodes=(SimpleNamespace(span=NOWHERE),))
    plan = make_plan(PAIRS, SETS, asked, replace(SHAPE, family="gpt2"))
    return replace(optimize(plan, target), rows_per_call=rows)


SHAPE = shape_of(small_model("gpt2", torch.float64).config)
FLAG = Flag(
    condition=diagnosis.Test(
        operator=">", left=Column(name="cancellation"), right=Number(value=0.9)
    ),
    text="cancellation > 0.9",
)
SAMPLED = Diagnosis(
    cancellation=Cancellation(flag=FLAG, direct_effect=True),
    subset_sampling=SubsetSampling(samples=6, inclusion=0.2, span=NOWHERE),
)


def ran(plan, name, fails):
    engine = Failing(ENGINES[name][0](model()), fails)
    return interpret(plan, [engine], Silent()), engine


def ran_or_too_large(plan, name, fails):
    """None where the run gave up: ATP424 and nothing else."""
    try:
        return ran(plan, name, fails)
    except RunError as error:
        if {problem.code for problem in error.problems} != {"ATP424"}:
            raise
    return None


@pytest.mark.slow
@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("batch", [5, 2])
def test_memory_may_run_out_at_any_call(name, batch):
    plan = planned(ENGINES[name][1], batch=batch)
    whole, engine = ran(plan, name, lambda *_: False)
    assert whole.memory_note == ""

    lone = 0
    for number in range(engine.called):
        if (found := ran_or_too_large(plan, name, at_call(number))) is None:
            # One pair was left in the batch, or one row in the call.
            lone += 1
            continue
        outcome, failing = found
        assert len(failing.failed) == 1
        assert failing.called > engine.called
        assert "halved" in outcome.memory_note
        assert_same(outcome, whole)
    assert lone < engine.called / 2


@pytest.mark.parametrize("name", ENGINES)
def test_sets_of_nodes_and_direct_effects_go_on_with_fewer_rows(name):
    plan = planned(ENGINES[name][1], diagnosed=SAMPLED, batch=2)
    whole, _ = ran(plan, name, lambda *_: False)

    found, failing = ran(plan, name, above(3, "patched"))

    assert_same(found, whole)
    # Native calls are cut by their tokens: short rows may still be too many.
    assert 1 <= len(failing.failed) <= 4
    assert found.memory_note.startswith("patched calls were halved to")


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("kinds", [("run",), ("gradients",), ("run", "gradients")])
@pytest.mark.parametrize("most", [1, 2, 4])
def test_batches_are_halved_until_they_fit(name, kinds, most):
    plan = planned(ENGINES[name][1], diagnosed=SAMPLED)
    whole, _ = ran(plan, name, lambda *_: False)

    found, failing = ran(plan, name, above(most, *kinds))

    assert_same(found, whole)
    assert f"batches were halved, down to {1 if most < 4 else 2} pair" in found.memory_note
    # Batches of 5, then of 2 and 3, then of 1 and 2: later batches are cut with the first.
    assert [rows for _, rows in failing.failed] == {4: [5], 2: [5, 3], 1: [5, 2, 2]}[most]


def test_rows_are_halved_once_for_the_whole_run():
    plan = planned(BRIDGE, batch=1, rows=16)
    whole, _ = ran(plan, "bridge", lambda *_: False)

    found, failing = ran(plan, "bridge", above(5, "patched"))

    # In the first batch; later ones begin with what fits.
    assert failing.failed == [("patched", 8)]
    assert found.memory_note == "patched calls were halved to 4 rows"
    assert found.counts.forward_sequences == whole.counts.forward_sequences
    assert found.counts.forward_calls > whole.counts.forward_calls
    assert_same(found, whole)


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("kind", ["run", "gradients", "patched"])
def test_a_single_pair_or_row_that_does_not_fit_is_a_problem(name, kind):
    with pytest.raises(RunError) as caught:
        ran(planned(ENGINES[name][1]), name, above(0, kind))

    assert [p.code for p in caught.value.problems] == ["ATP424"]


@pytest.mark.parametrize("name", ENGINES)
def test_other_errors_are_not_about_memory(name):
    def broken(*_):
        raise RuntimeError("something else")

    with pytest.raises(RuntimeError, match="something else"):
        ran(planned(ENGINES[name][1]), name, broken)


@pytest.mark.parametrize("name", ENGINES)
def test_streams_are_taken_fewer_at_a_time(name, monkeypatch):
    plan = planned(ENGINES[name][1], verify=None)
    whole, _ = ran(plan, name, lambda *_: False)
    monkeypatch.setattr(Halving, "attempt", with_little_memory(Halving.attempt, 4 * 5 * 32 * 2))

    found, _ = ran(plan, name, lambda *_: False)

    assert found.memory_note == "GradDrop's gradients were taken fewer at a time"
    assert_same(found, whole)


@pytest.mark.parametrize("name", ENGINES)
def test_the_plan_says_how_many_streams_go_through_together(name, monkeypatch):
    plan = planned(ENGINES[name][1], verify=None)
    whole, _ = ran(plan, name, lambda *_: False)
    sizes = []
    attempt = Halving.attempt

    def seen(self, size, work, *, divisible):
        sizes.append((size, divisible))
        return attempt(self, size, work, divisible=divisible)

    monkeypatch.setattr(Halving, "attempt", seen)
    found, _ = ran(replace(plan, streams_per_call=1), name, lambda *_: False)

    # Neither streams nor, as there are few positions, rows of this plan are taken together.
    assert not [size for size, divisible in sizes if divisible and size > 8 * 6]
    assert_same(found, whole)


def with_little_memory(attempt, most):
    """`Halving.attempt` in a world where memory holds so many numbers of several streams."""

    def tried(self, size, work, *, divisible):
        def limited():
            if divisible and size > most:
                raise MemoryError
            return work()

        return attempt(self, size, limited, divisible=divisible)

    return tried
