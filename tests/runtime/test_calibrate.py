"""Measuring a machine, with the models that are embedded."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import pytest

from atpdsl import driver, estimating
from atpdsl.planning.rate_cache import read_rates
from atpdsl.planning.work import Kind
from atpdsl.runtime import calibrate as calibrating
from tests.cli.specs import GOOD


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("ATPDSL_CACHE", str(tmp_path / "cache"))


def planned(tmp_path: Path, executor: str = "auto"):
    path = tmp_path / "measured.atp"
    path.write_text(f"{GOOD}\nrun {{ executor = {executor} }}\n", encoding="utf-8")
    return driver.plan(path)


@pytest.mark.parametrize("executor", ["native", "bridge"])
def test_every_kind_of_work_has_a_rising_curve(tmp_path, executor):
    study = planned(tmp_path, executor)
    driver.calibrate(study)
    rates = read_rates(estimating.setup_of(study.only()))

    assert rates is not None
    assert rates.measured
    assert rates.device == "cpu"
    for kind in Kind:
        curve = rates.curves[kind]
        assert list(curve) == sorted(curve)
        assert all(seconds > 0 for _, seconds in curve)
        assert all(low[1] <= high[1] for low, high in pairwise(curve))


def test_a_slow_machine_is_not_measured_for_long(tmp_path, monkeypatch):
    """Every plan takes four seconds: after two of them there is no time for a third."""
    ran = []

    def slow(plan, setup, model):
        ran.append(len(plan.bound.pairs))
        time.sleep(0.01)
        now[0] += 4.0
        return {"activations": 1.6, "gradients": 0.8, "patching": 1.6}

    now = [0.0]
    monkeypatch.setattr(calibrating, "_seconds", slow)
    monkeypatch.setattr(calibrating.time, "perf_counter", lambda: now[0])
    driver.calibrate(planned(tmp_path))

    assert ran == [1, 1]


def test_a_run_that_is_not_short_teaches_the_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(estimating, "TOO_SHORT", 0.0)
    point = planned(tmp_path).only()
    before = estimating.estimates(point).run
    result = driver.run_planned(point, out=tmp_path / "out", progress=driver.Silent())
    after = estimating.estimates(point).run

    assert not before.calibrated
    assert after.calibrated
    took = result.record.host.stages
    # Without another word the next estimate is what this run took.
    assert after.stages[0].seconds == pytest.approx(took["activations"], rel=1e-6)


def test_what_was_estimated_and_measured_is_kept_with_the_host(tmp_path):
    point = planned(tmp_path).only()
    host = driver.run_planned(point, out=tmp_path / "out", progress=driver.Silent()).record.host

    assert set(host.memory) == set(host.stages) == set(host.estimated)
    said = host.estimated["activations"]
    assert said.counts.forward_sequences == 8
    assert said.flops > 0
    assert said.memory > 0


def test_calibration_is_for_the_executor_that_runs():
    """Its plans differ from the first token on, so that nothing of them is skipped."""
    from atpdsl.planning.positions import equal_prefix
    from tests.planning.test_rate_cache import SETUP

    plan = calibrating._plan(SETUP, 4)

    assert len(plan.batches) == 1
    assert {equal_prefix(pair) for pair in plan.bound.pairs.pairs} == {0}
