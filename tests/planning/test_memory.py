"""What the activations of a plan take, and runs that are refused for it."""

from __future__ import annotations

import dataclasses

import pytest

from atpdsl.binding.nodeset import NodeSet
from atpdsl.models.shape import ModelShape
from atpdsl.passes import optimize
from atpdsl.planning.memory import activation_bytes, parameters, plan_bytes, weight_bytes
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


def test_a_verification_runs_its_donors_again_and_keeps_none():
    few, many = (activation_bytes(planned(MLPS, n, verify=VERIFY)) for n in (8, 80))

    assert few == many


def test_weights_are_counted_once_where_the_unembedding_is_the_embedding():
    apart = dataclasses.replace(SHAPE, tied=False)

    assert parameters(apart) - parameters(SHAPE) == 100 * 32


def test_a_run_takes_weights_and_activations():
    plan = planned(MLPS, 8)

    assert weight_bytes(plan) == 4 * parameters(SHAPE)
    assert plan_bytes(plan) == weight_bytes(plan) + activation_bytes(plan)


def test_parameters_of_known_models():
    """GPT-2 small has 124.4 million, SmolLM2 134.5 million."""
    gpt2 = dataclasses.replace(
        SHAPE,
        family="gpt2",
        n_layers=12,
        n_heads=12,
        n_kv_heads=12,
        d_model=768,
        d_head=64,
        d_mlp=3072,
        d_vocab=50257,
        n_context=1024,
    )
    smollm2 = dataclasses.replace(
        SHAPE,
        family="llama",
        n_layers=30,
        n_heads=9,
        n_kv_heads=3,
        d_model=576,
        d_head=64,
        d_mlp=1536,
        d_vocab=49152,
        n_context=8192,
    )

    assert parameters(gpt2) == pytest.approx(124.44e6, rel=0.01)
    assert parameters(smollm2) == pytest.approx(134.5e6, rel=0.01)


def test_half_precision_takes_half():
    asked = experiment(methods=(("atp", Direction.NOISING),), run=RunSettings(batch=4))
    half = dataclasses.replace(asked, model=dataclasses.replace(asked.model, dtype="bfloat16"))
    pairs = [token_pair([0, 1, 2, 3], [0, 1, 5, 3], 7, 8)] * 4
    whole, less = (optimize(make_plan(pairs, (MLPS,), one, SHAPE)) for one in (asked, half))

    assert weight_bytes(whole) == 2 * weight_bytes(less)
    # Sums over pairs are float64 in any case.
    assert 1.8 < activation_bytes(whole) / activation_bytes(less) <= 2


@pytest.mark.parametrize("streams", [1 << 16, 1 << 12])
def test_fewer_streams_at_once_take_less(streams):
    star = {"grad_drop": "every_layer", "qk_fix": False}
    asked = experiment(methods=(("atp*", Direction.NOISING),), settings=star)
    pairs = [token_pair([0, 1, 2, 3] * 4, [0, 1, 5, 3] * 4, 7, 8)] * 64
    shape = dataclasses.replace(SHAPE, n_layers=8)
    plan = optimize(make_plan(pairs, (MLPS,), asked, shape))

    fewer = dataclasses.replace(plan, streams_per_call=streams)

    assert activation_bytes(fewer) <= activation_bytes(plan)


def test_rows_of_patched_runs_take_memory_as_far_as_there_are_some():
    plan = planned(MLPS, 80, method="ap")
    sizes = [
        activation_bytes(dataclasses.replace(plan, rows_per_call=rows)) for rows in (8, 16, 99)
    ]

    # 4 pairs a batch, and 4 nodes.
    assert sizes[0] < sizes[1] == sizes[2]


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
