"""The same bits in every run on a CPU; and refusals, and everything restored, elsewhere."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from atpdsl.planning.target import BRIDGE, NATIVE
from atpdsl.problems import Label, RunError, Span
from atpdsl.runtime.determinism import WORKSPACE, reproducible
from atpdsl.runtime.executor import EXECUTORS, Silent
from tests.engine import loaded
from tests.runtime.failing import assert_same
from tests.runtime.test_running_out import SAMPLED, planned
from tests.small_models import small_model


@cache
def model():
    return replace(loaded(small_model("gpt2", torch.float32)), dtype="float32")


def ran(name, **how):
    plan = planned(BRIDGE if name == "bridge" else NATIVE, diagnosed=SAMPLED, **how)
    return EXECUTORS[name].make().execute(plan, model(), Silent())


@pytest.mark.parametrize("name", ["bridge", "native"])
def test_two_runs_have_the_same_bits(name):
    one, two = ran(name, batch=2), ran(name, batch=2)

    for mine, theirs in zip(one.methods, two.methods, strict=True):
        for a, b in zip(mine.per_pair, theirs.per_pair, strict=True):
            assert a.tobytes() == b.tobytes()
        for a, b in zip(mine.statistics, theirs.statistics, strict=True):
            assert a.mean_abs.tobytes() == b.mean_abs.tobytes()
    for mine, theirs in zip(one.verified, two.verified, strict=True):
        assert mine.statistics.mean.tobytes() == theirs.statistics.mean.tobytes()


@pytest.mark.parametrize("name", ["bridge", "native"])
def test_other_calls_and_batches_only_round_differently(name):
    one, two = ran(name, rows=8, batch=2), ran(name, rows=3, batch=5)

    # Logits are up to 10 or so, in float32.
    assert_same(two, one, atol=1e-4)


def test_runs_that_must_be_reproducible_give_the_same_numbers():
    plain = ran("native", batch=2)
    with reproducible(wanted=True):
        found = ran("native", batch=2)

    assert_same(found, plain, atol=0)


def test_torch_is_told_and_everything_is_restored(monkeypatch):
    monkeypatch.delenv(WORKSPACE, raising=False)
    with reproducible(wanted=True):
        assert torch.are_deterministic_algorithms_enabled()
        assert not torch.is_deterministic_algorithms_warn_only_enabled()
        assert os.environ[WORKSPACE] == ":4096:8"

    assert not torch.are_deterministic_algorithms_enabled()
    assert WORKSPACE not in os.environ


def test_what_the_user_has_set_stays(monkeypatch):
    monkeypatch.setenv(WORKSPACE, ":16:8")
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    try:
        with reproducible(wanted=True):
            assert os.environ[WORKSPACE] == ":16:8"
            assert not torch.is_deterministic_algorithms_warn_only_enabled()
        assert torch.is_deterministic_algorithms_warn_only_enabled()
    finally:
        torch.use_deterministic_algorithms(mode=False)

    assert os.environ[WORKSPACE] == ":16:8"


def test_nothing_is_touched_where_it_is_not_asked_for():
    with reproducible(wanted=False):
        assert not torch.are_deterministic_algorithms_enabled()


def test_an_operation_without_a_reproducible_form_is_a_problem():
    message = (
        "put_ does not have a deterministic implementation, but you set "
        "'torch.use_deterministic_algorithms(True)'."
    )
    with pytest.raises(RunError) as caught, reproducible(wanted=True, at=Label(Span(3, 5))):
        raise RuntimeError(message)

    (problem,) = caught.value.problems
    assert problem.code == "ATP435"
    assert problem.message.endswith(": put_")
    assert not torch.are_deterministic_algorithms_enabled()


def test_other_errors_stay_what_they_are():
    with pytest.raises(RuntimeError, match="broken"), reproducible(wanted=True):
        raise RuntimeError("broken")


def test_sums_are_in_float64_whatever_the_model_is_in():
    found = ran("native", batch=2)

    assert found.methods[0].statistics[0].mean.dtype == np.float64
