"""Several devices that share the pairs give what one does, to the last bit."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from atpdsl.planning.plan import Batch
from atpdsl.planning.target import BRIDGE, NATIVE
from atpdsl.problems import RunError
from atpdsl.runtime.bridge import BridgeEngine
from atpdsl.runtime.executor import EXECUTORS, Silent
from atpdsl.runtime.interpreter import interpret
from atpdsl.runtime.native.engine import NativeEngine
from atpdsl.runtime.parallel import Workers
from tests.engine import loaded
from tests.runtime.failing import Failing, above, assert_same, at_call
from tests.runtime.test_running_out import SAMPLED, planned
from tests.small_models import small_model

ENGINES = {"bridge": (BridgeEngine, BRIDGE), "native": (NativeEngine, NATIVE)}


@cache
def copies(count):
    """A model, and copies of it: what is on a device is used by one thread alone."""
    return tuple(loaded(small_model("gpt2", torch.float64)) for _ in range(count))


def ran(plan, name, count, fails=lambda *_: False):
    engines = [Failing(ENGINES[name][0](model), fails) for model in copies(count)]
    return interpret(plan, engines, Silent()), engines


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("count", [2, 3, 7])
def test_several_devices_give_the_same_bits_as_one(name, count):
    plan = planned(ENGINES[name][1], diagnosed=SAMPLED, batch=1)

    one, _ = ran(plan, name, 1)
    several, engines = ran(plan, name, count)

    assert_same(several, one, atol=0)
    assert several.counts == one.counts
    # Five batches: every device has some, up to the fifth.
    assert [engine.called > 0 for engine in engines] == [n < 5 for n in range(count)]


@pytest.mark.parametrize("name", ENGINES)
def test_a_single_batch_is_cut_so_that_no_device_is_idle(name):
    plan = planned(ENGINES[name][1], diagnosed=SAMPLED)
    assert len(plan.batches) == 1

    one, _ = ran(plan, name, 1)
    several, engines = ran(plan, name, 3)

    assert all(engine.called for engine in engines)
    assert several.memory_note == ""
    assert_same(several, one)


@pytest.mark.parametrize("name", ENGINES)
def test_what_belongs_to_a_batch_is_done_by_the_thread_of_its_device(name):
    plan = planned(ENGINES[name][1], diagnosed=SAMPLED, batch=1)
    threads: dict[int, set[int]] = {}

    def engine(number, model):
        def seen(*_):
            threads.setdefault(number, set()).add(threading.get_ident())
            return False

        return Failing(ENGINES[name][0](model), seen)

    interpret(plan, [engine(i, one) for i, one in enumerate(copies(3))], Silent())

    assert all(len(of_device) == 1 for of_device in threads.values())
    assert len(set.union(*threads.values())) == 3
    assert threading.get_ident() not in set.union(*threads.values())


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("kind", ["run", "gradients", "patched"])
def test_memory_may_run_out_on_several_devices(name, kind):
    plan = planned(ENGINES[name][1], diagnosed=SAMPLED, batch=2)
    whole, _ = ran(plan, name, 1)

    found, engines = ran(plan, name, 2, above(1, kind))

    assert_same(found, whole)
    assert sum(len(engine.failed) for engine in engines) >= 1
    assert "halved" in found.memory_note


@pytest.mark.parametrize("number", range(0, 40, 3))
def test_memory_may_run_out_on_one_of_them(number):
    # Batches of three and of two pairs.
    plan = planned(NATIVE, diagnosed=SAMPLED, batch=3)
    whole, _ = ran(plan, "native", 1)
    engines = [NativeEngine(model) for model in copies(2)]
    failing = Failing(engines[0], at_call(number))

    found = interpret(plan, [failing, engines[1]], Silent())

    assert_same(found, whole)


def test_an_error_on_one_device_is_the_error_of_the_run():
    plan = planned(NATIVE, batch=1)
    engines = [NativeEngine(model) for model in copies(2)]

    with pytest.raises(RunError) as caught:
        interpret(plan, [engines[0], Failing(engines[1], above(0, "run"))], Silent())

    assert [p.code for p in caught.value.problems] == ["ATP424"]
    assert not [t for t in threading.enumerate() if t.name.startswith("ThreadPoolExecutor")]


@pytest.mark.parametrize("name", ["auto", "native", "bridge"])
def test_executors_use_every_copy(name):
    target = BRIDGE if name == "bridge" else NATIVE
    plan = planned(target, batch=2)
    first, second = copies(2)
    both = replace(first, replicas=(second,))

    one = EXECUTORS[name].make().execute(plan, first, Silent())
    two = EXECUTORS[name].make().execute(plan, both, Silent())

    assert_same(two, one, atol=0)
    assert both.devices == "cpu,cpu"


def test_jobs_give_what_they_give_in_their_order():
    plan = planned(NATIVE, batch=1)
    with Workers([NativeEngine(model) for model in copies(3)], plan) as workers:
        jobs = [(batch, lambda n=batch.number: n) for batch in plan.batches]
        assert list(workers.in_order(jobs)) == [0, 1, 2, 3, 4]


def test_a_part_of_a_batch_stays_on_its_device():
    plan = planned(NATIVE, batch=2)
    workers = Workers([NativeEngine(model) for model in copies(2)], plan)

    assert [workers.all.index(workers.of(batch)) for batch in plan.batches] == [0, 1, 0]
    assert workers.of(Batch(number=5, pairs=(3,))) is workers.all[1]


def test_jobs_after_one_that_fails_are_not_begun():
    plan = planned(NATIVE, batch=1)
    begun = []
    wait = threading.Event()

    def job(number):
        begun.append(number)
        if number == 0:
            raise ValueError("no")
        wait.wait(5)
        return number

    with Workers([NativeEngine(model) for model in copies(2)], plan) as workers:
        jobs = [(batch, lambda n=batch.number: job(n)) for batch in plan.batches]
        threading.Timer(0.2, wait.set).start()
        with pytest.raises(ValueError, match="no"):
            list(workers.in_order(jobs))

    assert 0 in begun
    assert len(begun) < 5


def test_gradients_are_not_recorded_in_the_threads():
    plan = planned(NATIVE, batch=1)
    with Workers([NativeEngine(model) for model in copies(2)], plan) as workers:
        jobs = [(batch, torch.is_grad_enabled) for batch in plan.batches]
        assert not any(workers.in_order(jobs))


def test_seconds_are_counted_on_every_device():
    found, _ = ran(planned(NATIVE, batch=1), "native", 2)

    assert all(stage.seconds > 0 for stage in found.stages)
    assert np.isfinite([stage.memory for stage in found.stages]).all()
