"""What the activations of a plan take, and runs that are refused for it."""

from __future__ import annotations

import dataclasses

import pytest

from atpdsl.binding.nodeset import NodeSet
from atpdsl.models.shape import ModelShape
from atpdsl.passes import optimize
from atpdsl.planning.memory import SLACK, activation_bytes
from atpdsl.planning.plan import Plan
from atpdsl.problems import RunError
from atpdsl.runtime import memory
from atpdsl.semantics.experiment import (
    Direction,
    NodeSelection,
    Placement,
    RunSettings,
    VerifyCall,
)
from tests.engine import NOWHERE, experiment, make_plan, token_pair

SHAPE = ModelShape(
    architecture="test",
    family="test",
    n_layers=2,
    n_heads=4,
    n_kv_heads=2,
    d_model=32,
    d_head=8,
    d_mlp=64,
    d_vocab=100,
    n_context=64,
)
MLPS = NodeSet(kind="mlp", layers=(0, 1), indices=(0,), positions=("2", "3"))
NEURONS = NodeSet(kind="neurons", layers=(0, 1), indices=tuple(range(64)), positions=("2", "3"))
SELECTION = NodeSelection(
    kind="mlp",
    layers=None,
    indices=None,
    placement=Placement.EVERY,
    positions=(),
    filters=(),
    span=NOWHERE,
)
VERIFY = VerifyCall(top=3, random=0, methods=("atp",), span=NOWHERE)


def planned(nodes: NodeSet, pairs: int, method: str = "atp", verify=None, batch=4) -> Plan:
    asked = experiment(
        methods=((method, Direction.NOISING),), verify=verify, run=RunSettings(batch=batch)
    )
    some = [token_pair([0, 1, 2, 3], [0, 1, 5, 3], 7, 8) for _ in range(pairs)]
    return optimize(make_plan(some, (nodes,), asked, SHAPE))


def test_memory_does_not_grow_with_pairs_where_nothing_is_verified():
    assert activation_bytes(planned(MLPS, 8)) == activation_bytes(planned(MLPS, 80))


def test_verification_keeps_the_donors_of_all_pairs():
    few, many = (activation_bytes(planned(MLPS, n, verify=VERIFY)) for n in (8, 80))

    # 2 layers x 32 wide x 4 tokens x 4 bytes for each pair more.
    assert many - few == pytest.approx(SLACK * 72 * 2 * 32 * 4 * 4, abs=1)


def test_a_larger_batch_takes_more():
    small, large = (activation_bytes(planned(NEURONS, 4000, batch=n)) for n in (4, 4000))

    assert large > small


def test_neurons_take_more_than_mlp_outputs():
    assert activation_bytes(planned(NEURONS, 512, batch=512)) > activation_bytes(
        planned(MLPS, 512, batch=512)
    )


def test_a_run_that_cannot_fit_is_refused_before_it_starts(monkeypatch):
    plan = planned(MLPS, 8, verify=VERIFY)
    asked = dataclasses.replace(plan.bound.experiment, nodes=(SELECTION,))
    plan = dataclasses.replace(plan, bound=dataclasses.replace(plan.bound, experiment=asked))
    monkeypatch.setattr(memory, "available_bytes", lambda: 1000)

    with pytest.raises(RunError) as caught:
        memory.check_activations(plan)
    problem = caught.value.problems[0]
    assert problem.code == "ATP423"
    assert "1 kB are free" in problem.message


def test_a_run_that_fits_is_not_refused(monkeypatch):
    monkeypatch.setattr(memory, "available_bytes", lambda: 10**12)

    memory.check_activations(planned(MLPS, 8))


def test_nothing_is_refused_where_nobody_tells_how_much_there_is(monkeypatch):
    monkeypatch.setattr(memory, "available_bytes", lambda: None)

    memory.check_activations(planned(MLPS, 8))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried ..."), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("out of range"), False),
    ],
)
def test_out_of_memory_is_told_from_other_errors(error, expected):
    assert memory.out_of_memory(error) is expected
