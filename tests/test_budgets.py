"""Budgets of memory and time: obeyed, or refused before the run with what would fit."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from atpdsl import budgets, driver, estimating
from atpdsl.budgets import check_memory, check_time
from atpdsl.planning.estimate import estimate
from atpdsl.planning.memory import plan_bytes
from atpdsl.planning.rate_cache import read_rates, write_rates
from atpdsl.planning.rates import Rates
from atpdsl.planning.work import Kind
from atpdsl.problems import RunError
from atpdsl.runtime import calibrate as calibrating
from atpdsl.semantics.quantities import quantity_of
from atpdsl.syntax.tree import Number
from tests.cli.specs import GOOD

SLOW = Rates(curves=dict.fromkeys(Kind, ((1.0, 100.0), (2.0, 200.0))), measured=True)
FAST = Rates(curves=dict.fromkeys(Kind, ((0.0, 1e-5), (1e12, 2e-5))), measured=True)


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("ATPDSL_CACHE", str(tmp_path / "cache"))


def planned(tmp_path: Path, run: str, spec: str = GOOD):
    path = tmp_path / "budget.atp"
    path.write_text(f"{spec}\nrun {{ {run} }}\n", encoding="utf-8")
    return driver.plan(path).only()


def run(tmp_path, point):
    return driver.run_planned(point, out=tmp_path / "out", progress=driver.Silent())


def refused(tmp_path, point):
    with pytest.raises(RunError) as caught:
        run(tmp_path, point)
    (problem,) = caught.value.problems
    return problem


def named(text: str, kind: str) -> float:
    """The quantity that a help says to write."""
    number, unit = re.search(r"= ([\d.]+)(\w+)`", text).groups()
    return quantity_of(Number(number + unit, float(number), unit, None), kind)


def test_memory_that_is_enough_lets_the_run_pass(tmp_path):
    assert run(tmp_path, planned(tmp_path, "memory = 2GB")).record.host.seconds > 0


def test_batches_are_cut_until_the_run_fits(tmp_path):
    many = GOOD.replace("count = 4", "count = 48")
    free = planned(tmp_path, "seed = 0", many).plan
    tight = planned(tmp_path, f"memory = {plan_bytes(free) // 2 // 1000}kB", many).plan

    assert plan_bytes(tight) <= plan_bytes(free) // 2
    assert (len(tight.batches), tight.rows_per_call) != (len(free.batches), free.rows_per_call)


def test_memory_that_cannot_be_enough_is_refused_with_what_would_be(tmp_path):
    problem = refused(tmp_path, planned(tmp_path, "memory = 1MB"))

    assert problem.code == "ATP430"
    assert "of weights" in problem.message
    assert "`memory` allows 1 MB" in problem.message
    least = named(problem.help, "bytes")
    assert run(tmp_path, planned(tmp_path, f"memory = {int(least) // 1000}kB"))


def test_where_pairs_are_what_takes_the_memory_fewer_of_them_fit(tmp_path):
    """With `per_pair` every pair's numbers are kept, however small the pieces are."""
    spec = re.sub("verify.*\n", "", GOOD.replace("count = 4", "count = 48"))
    plan = planned(tmp_path, "per_pair = on", spec).plan
    room = (budgets._least(plan, 48) + budgets._least(plan, 1)) // 2
    run = replace(plan.bound.experiment.run, memory=room)
    experiment = replace(plan.bound.experiment, run=run)
    tight = replace(plan, bound=replace(plan.bound, experiment=experiment))

    with pytest.raises(RunError) as caught:
        check_memory(tight, estimate(tight, FAST))

    assert "about 24 of the 48 pairs would fit" in caught.value.problems[0].help


def test_a_budget_that_is_enough_lets_the_run_pass(tmp_path):
    point = planned(tmp_path, "budget = 1h")
    write_rates(estimating.setup_of(point), FAST)

    assert run(tmp_path, point).record.host.estimated["gradients"].calibrated


def test_a_budget_that_is_not_enough_is_refused_before_the_model_is_loaded(
    tmp_path, monkeypatch
):
    point = planned(tmp_path, "budget = 1h")
    write_rates(estimating.setup_of(point), SLOW)
    monkeypatch.setattr("atpdsl.execution.Shelf.model", None)

    problem = refused(tmp_path, point)

    assert problem.code == "ATP431"
    assert "`budget` allows 1h" in problem.message
    assert "`verification` takes" in problem.help
    needed = named(problem.help, "time")
    assert needed >= estimating.estimates(point).run.seconds


def test_some_pairs_may_fit(tmp_path):
    point = planned(tmp_path, "budget = 1h")
    found = estimating.estimates(point).run
    stages = tuple(replace(stage, seconds=2400.0) for stage in found.stages)
    halved = replace(found, stages=stages)

    with pytest.raises(RunError) as caught:
        check_time(point.plan, halved)

    assert "about 2 of the 4 pairs would fit" in caught.value.problems[0].help


def test_without_measurements_the_machine_is_measured_first(tmp_path, monkeypatch):
    point = planned(tmp_path, "budget = 1h")
    monkeypatch.setattr(calibrating, "calibrate", lambda model, setup: SLOW)

    assert refused(tmp_path, point).code == "ATP431"
    assert read_rates(estimating.setup_of(point)) == SLOW


def test_no_budget_refuses_nothing(tmp_path):
    point = planned(tmp_path, "seed = 0")
    write_rates(estimating.setup_of(point), SLOW)
    found = estimating.estimates(point).run

    check_time(point.plan, found)
    check_memory(point.plan, found)


def test_the_executor_that_runs_nothing_has_no_budget(tmp_path):
    point = planned(tmp_path, "budget = 1s; memory = 1kB; executor = null")

    assert run(tmp_path, point).record.host.seconds >= 0
