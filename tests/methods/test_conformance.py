"""What every method must do, with every metric, on every kind of node."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from atpdsl.binding.nodeset import NodeSet
from atpdsl.methods import METHODS
from atpdsl.metrics import METRICS
from atpdsl.nodes import NODE_KINDS, Unit
from atpdsl.passes import optimize
from atpdsl.planning.ops import Estimate, Reduce
from atpdsl.planning.plan import walk
from atpdsl.semantics.experiment import Direction, RunSettings
from tests.engine import execute, experiment, make_plan, token_pair
from tests.small_models import D_MLP, N_HEADS, N_KV_HEADS, N_LAYERS, no_downcast, small_model

UNITS = {Unit.HEAD: N_HEADS, Unit.KV_HEAD: N_KV_HEADS, Unit.NEURON: D_MLP, Unit.VECTOR: 1}
SETS = tuple(
    NodeSet(
        kind=kind.name,
        layers=tuple(range(N_LAYERS)) if kind.layered else (0,),
        indices=tuple(range(UNITS[kind.unit])),
        positions=("S", "last"),
    )
    for kind in NODE_KINDS
)
PAIRS = [
    token_pair([0, 2, 3, 4, 5], [0, 2, 13, 4, 15], 20, 30, {"S": (2, 2)}),
    token_pair([0, 7, 8, 9], [0, 17, 8, 9], 21, 31, {"S": (1, 1)}),
]
# Baselines see the metric only through patched runs: one without a reference, one with.
ALL = [
    (m.name, x.name)
    for m in METHODS
    for x in METRICS
    if not m.baseline or x.name in {"logit_diff", "kl"}
]
BY_PAIR = [(method, metric) for method, metric in ALL if not METHODS[method].baseline]
# Enough sets for so few nodes, so that the tests are fast.
FEWER = {
    "subsampling": {"samples": 60, "inclusion": 0.3},
    "hierarchical": {"branching": 8},
}


def settings_of(method):
    """The defaults, as a spec would have them."""
    defaults = {param.name: param.default for param in METHODS[method].signature.params}
    return {**defaults, **FEWER.get(method, {})}


@pytest.fixture(scope="module")
def model():
    return small_model("llama", torch.float64)


def values(model, method, metric, pairs=PAIRS, direction=Direction.DENOISING):
    asked = experiment(
        metric=metric,
        methods=((method, direction),),
        settings=settings_of(method),
        run=RunSettings(per_pair=True),
    )
    with no_downcast():
        outcome = execute(model, optimize(make_plan(pairs, SETS, asked)))
    return outcome.methods[0]


@pytest.mark.parametrize(("method", "metric"), ALL)
def test_every_node_set_gets_finite_numbers_of_its_shape(model, method, metric):
    outcome = values(model, method, metric)

    assert [s.mean.shape for s in outcome.statistics] == [nodes.shape for nodes in SETS]
    assert all(np.isfinite(s.mean).all() for s in outcome.statistics)
    # GradDrop's magnitude is a mean over drops, no longer that of the signed estimate.
    if method != "atp*":
        assert all((s.mean_abs >= np.abs(s.mean) - 1e-15).all() for s in outcome.statistics)
    assert max(s.mean_abs.max() for s in outcome.statistics) > 0


@pytest.mark.parametrize(("method", "metric"), BY_PAIR)
def test_the_order_of_the_pairs_does_not_matter(model, method, metric):
    forward = values(model, method, metric).per_pair
    backward = values(model, method, metric, pairs=PAIRS[::-1]).per_pair

    for one, other in zip(forward, backward, strict=True):
        np.testing.assert_allclose(one, other[::-1], atol=1e-12)


# The others draw which pair a set is patched in.
@pytest.mark.parametrize("method", ["blocks", "hierarchical", "random"])
def test_the_order_of_the_pairs_does_not_matter_to_a_mean(model, method):
    forward = values(model, method, "logit_diff").statistics
    backward = values(model, method, "logit_diff", pairs=PAIRS[::-1]).statistics

    for one, other in zip(forward, backward, strict=True):
        np.testing.assert_allclose(one.mean_abs, other.mean_abs, atol=1e-12)


@pytest.mark.parametrize("method", METHODS.names)
def test_the_same_run_twice_gives_the_same_bits(model, method):
    first, again = (values(model, method, "logit_diff").statistics for _ in range(2))

    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.mean, other.mean)
        np.testing.assert_array_equal(one.mean_abs, other.mean_abs)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_a_method_says_what_it_is(method):
    assert method.signature.summary
    assert method.paper
    assert method.formula
    assert method.exact is not method.signature.estimates


@pytest.mark.parametrize("method", METHODS.names)
def test_a_method_gives_one_operation_per_node_set(method):
    asked = experiment(methods=((method, Direction.NOISING),), settings=settings_of(method))
    plan = make_plan(PAIRS, SETS, asked)

    assert len(plan.methods[0].reductions) == len(SETS)
    assert sum(isinstance(op, Reduce | Estimate) for op in walk(plan)) == len(SETS)
