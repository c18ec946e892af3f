"""The engine against the oracle: every kind, layer, index and position, in float64.

Effects agree to 1e-9: both are differences of logits of size 10, computed in float64 in
different orders. Estimates agree with the derivative to 1e-5 of themselves: the oracle's
finite difference is good to about 1e-9.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
from torch import nn

from atpdsl.metrics import METRICS
from atpdsl.semantics.experiment import Direction
from tests.oracle.cases import (
    EQUAL_PROMPTS,
    FAMILIES_AND_KINDS,
    SAME_LENGTH,
    UNEQUAL,
    Floats,
    Pairs,
    engine,
    every_position,
    node_set,
    node_sets,
    oracle,
)
from tests.oracle.families import KINDS
from tests.oracle.float64 import in_float64
from tests.oracle.metrics import COMPUTED
from tests.small_models import FAMILIES, small_model

DIRECTIONS = pytest.mark.parametrize("direction", list(Direction), ids=str)
METHODS = pytest.mark.parametrize("method", ["ap", "atp"])
EXECUTORS = pytest.mark.parametrize("executor", ["bridge", "native"])
TOLERANCE = {"ap": {"rtol": 0, "atol": 1e-9}, "atp": {"rtol": 1e-5, "atol": 1e-8}}


@cache
def the_model(family: str) -> nn.Module:
    """One model per family; nobody changes it."""
    return small_model(family)


@cache
def engine_tables(
    family: str,
    method: str,
    direction: Direction,
    executor: str,
    *,
    unequal: bool = False,
    whole: bool = False,
) -> dict[str, Floats]:
    """Kind -> [pair, layer, index, position], all kinds of a family in one run."""
    model, pairs = the_model(family), UNEQUAL if unequal else SAME_LENGTH
    with in_float64(model):
        sets = node_sets(model, pairs, whole=whole)
        how = {"method": method, "direction": direction, "executor": executor}
        values = engine(model, pairs, sets, **how)
    return {nodes.kind: table for nodes, table in zip(sets, values, strict=True)}


@cache
def oracle_table(family: str, pairs: str, kind: str, **how) -> Floats:
    """The oracle's values, for the tests of all executors."""
    with in_float64(the_model(family)) as model:
        return oracle(model, {"same": SAME_LENGTH, "unequal": UNEQUAL}[pairs], kind, **how)


@pytest.fixture
def model(request: pytest.FixtureRequest) -> Iterator[nn.Module]:
    """The model of the family in `request.param`, in float64 throughout."""
    with in_float64(the_model(request.param)) as model:
        yield model


def one_family(family: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("model", [family], indirect=True)


@EXECUTORS
@DIRECTIONS
@METHODS
@pytest.mark.parametrize(("family", "kind"), FAMILIES_AND_KINDS)
def test_every_node_agrees(family, kind, method, direction, executor):
    """`ap` is one-node-at-a-time patching, `atp` the derivative along the way to the donor."""
    found = engine_tables(family, method, direction, executor)[kind]
    expected = oracle_table(family, "same", kind, method=method, direction=direction)

    assert np.abs(expected).max() > 1e-2
    np.testing.assert_allclose(found, expected, **TOLERANCE[method])


@EXECUTORS
@METHODS
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("family", ["gpt2", "neox-sequential", "qwen3", "gemma3"])
def test_every_whole_sequence_node_agrees(family, kind, method, executor):
    found = engine_tables(family, method, Direction.NOISING, executor, whole=True)[kind]
    expected = oracle_table(family, "same", kind, method=method, whole=True)

    np.testing.assert_allclose(found, expected, **TOLERANCE[method])


@EXECUTORS
@METHODS
@pytest.mark.parametrize("kind", ["heads.q", "heads.k", "heads.v", "resid.post", "embed"])
@pytest.mark.parametrize("family", ["gpt2", "neox", "gemma3"])
def test_padding_changes_nothing_and_missing_positions_are_nan(family, kind, method, executor):
    """The oracle runs each prompt alone, without padding and without a mask."""
    found = engine_tables(family, method, Direction.NOISING, executor, unequal=True)[kind]
    expected = oracle_table(family, "unequal", kind, method=method)

    for pair, prompt in enumerate(UNEQUAL.clean):
        assert np.isnan(found[pair, :, :, len(prompt) :]).all()
        assert np.isfinite(found[pair, :, :, : len(prompt)]).all()
    np.testing.assert_allclose(found, expected, **TOLERANCE[method])


@METHODS
@pytest.mark.parametrize("model", ["gpt2", "neox", "qwen3", "gemma3"], indirect=True)
def test_a_batch_of_unequal_lengths_is_its_pairs_one_by_one(model, method):
    sets = node_sets_but_neurons(model, UNEQUAL)
    together = engine(model, UNEQUAL, sets, method=method)
    for pair in (1, 2):  # the shortest and the longest
        alone = engine(model, UNEQUAL.only(pair), sets, method=method)
        for one, many in zip(alone, together, strict=True):
            np.testing.assert_allclose(many[pair], one[0], rtol=0, atol=1e-12)


def node_sets_but_neurons(model: nn.Module, pairs: Pairs) -> list:
    return [nodes for nodes in node_sets(model, pairs) if nodes.kind != "neurons"]


@EXECUTORS
@METHODS
@DIRECTIONS
@one_family("qwen3")
def test_the_batch_size_changes_nothing(model, method, direction, executor):
    sets = node_sets_but_neurons(model, UNEQUAL)
    how = {"method": method, "direction": direction, "executor": executor}
    runs = [engine(model, UNEQUAL, sets, batch=batch, **how) for batch in (1, 3, None)]
    for tables in runs[1:]:
        for one, other in zip(runs[0], tables, strict=True):
            np.testing.assert_allclose(other, one, rtol=0, atol=1e-12)


@METHODS
@one_family("llama")
def test_the_position_last_is_each_prompts_own_last_token(model, method):
    sets = [node_set(model, kind, ["last"]) for kind in ("heads.z", "resid.post", "mlp")]
    for nodes, found in zip(sets, engine(model, UNEQUAL, sets, method=method), strict=True):
        expected = oracle(model, UNEQUAL, nodes.kind, method=method)
        for pair, prompt in enumerate(UNEQUAL.clean):
            last = expected[pair, :, :, len(prompt) - 1]
            np.testing.assert_allclose(found[pair, :, :, 0], last, **TOLERANCE[method])


@METHODS
@one_family("gemma3")
def test_whole_sequences_of_unequal_lengths_agree(model, method):
    sets = [nodes for nodes in node_sets(model, UNEQUAL, whole=True) if nodes.kind != "neurons"]
    for nodes, found in zip(sets, engine(model, UNEQUAL, sets, method=method), strict=True):
        expected = oracle(model, UNEQUAL, nodes.kind, method=method, whole=True)
        np.testing.assert_allclose(found, expected, **TOLERANCE[method])


@EXECUTORS
@DIRECTIONS
@METHODS
@pytest.mark.parametrize("metric", METRICS.names)
@one_family("qwen2")
def test_every_metric_agrees(model, metric, method, direction, executor):
    flat = METRICS[metric].flat_at_clean and direction is Direction.NOISING
    if method == "atp" and flat:
        pytest.skip("the derivative is zero by definition; tested on its own")
    sets = [node_set(model, kind, every_position(SAME_LENGTH)) for kind in ("heads.k", "mlp")]
    how = {"metric": metric, "method": method, "direction": direction}
    tables = engine(model, SAME_LENGTH, sets, executor=executor, **how)
    for nodes, found in zip(sets, tables, strict=True):
        expected = oracle_table("qwen2", "same", nodes.kind, **how)

        assert np.abs(expected).max() > 1e-3
        np.testing.assert_allclose(found, expected, **TOLERANCE[method])


@DIRECTIONS
@METHODS
@pytest.mark.parametrize("metric", COMPUTED)
@pytest.mark.parametrize("model", ["gpt2", "llama", "gemma3"], indirect=True)
def test_every_computed_metric_agrees(model, metric, method, direction):
    if method == "atp" and "rank" in metric:
        pytest.skip("a rank has no gradient; the front end refuses it")
    sets = [node_set(model, kind, every_position(SAME_LENGTH)) for kind in ("heads.q", "mlp")]
    how = {"metric": metric, "method": method, "direction": direction}
    for nodes, found in zip(sets, engine(model, SAME_LENGTH, sets, **how), strict=True):
        expected = oracle(model, SAME_LENGTH, nodes.kind, **how)

        assert np.abs(expected).max() > 1e-3
        np.testing.assert_allclose(found, expected, **TOLERANCE[method])


@METHODS
@pytest.mark.parametrize("metric", [m for m in COMPUTED if "rank" not in m])
@one_family("neox")
def test_computed_metrics_of_prompts_of_unequal_length_agree(model, metric, method):
    sets = [node_set(model, "resid.post", every_position(UNEQUAL))]
    (found,) = engine(model, UNEQUAL, sets, metric=metric, method=method)
    expected = oracle(model, UNEQUAL, "resid.post", metric=metric, method=method)

    np.testing.assert_allclose(found, expected, **TOLERANCE[method])


@DIRECTIONS
@METHODS
@pytest.mark.parametrize(
    ("definition", "metric"),
    [
        ("logit(right) - logit(wrong)", "logit_diff"),
        ("prob(right) - prob(wrong)", "prob_diff"),
        ("logprob(right)", "logprob"),
        ("loss(right)", "nll"),
        ("gap = logit_diff", "logit_diff"),
        ("distance = kl", "kl"),
    ],
)
@one_family("qwen2")
def test_a_metric_and_its_definition_give_the_same_bytes(
    model, definition, metric, method, direction
):
    sets = node_sets(model, SAME_LENGTH)
    how = {"method": method, "direction": direction}
    named = engine(model, SAME_LENGTH, sets, metric=metric, **how)
    written = engine(model, SAME_LENGTH, sets, metric=definition, **how)

    for one, other in zip(named, written, strict=True):
        assert one.tobytes() == other.tobytes()


@one_family("qwen2")
def test_the_divergence_from_the_clean_run_is_never_negative_and_flat_there(model):
    sets = [node_set(model, "mlp", every_position(SAME_LENGTH))]
    (effects,) = engine(model, SAME_LENGTH, sets, metric="kl")
    (estimates,) = engine(model, SAME_LENGTH, sets, metric="kl", method="atp")
    slopes = oracle(model, SAME_LENGTH, "mlp", metric="kl", method="atp")

    assert effects.min() > -1e-12
    np.testing.assert_allclose(estimates, 0.0, atol=1e-12)
    np.testing.assert_allclose(slopes, 0.0, atol=1e-7)


@EXECUTORS
@METHODS
@DIRECTIONS
@pytest.mark.parametrize("model", FAMILIES, indirect=True)
def test_equal_prompts_give_exactly_zero_everywhere(model, method, direction, executor):
    sets = node_sets(model, EQUAL_PROMPTS)
    how = {"method": method, "direction": direction, "executor": executor}
    for found in engine(model, EQUAL_PROMPTS, sets, **how):
        assert (found == 0.0).all()


@EXECUTORS
@METHODS
@pytest.mark.parametrize(("family", "kind"), FAMILIES_AND_KINDS)
def test_nodes_before_the_first_differing_token_are_exactly_zero(
    family, kind, method, executor
):
    found = engine_tables(family, method, Direction.NOISING, executor)[kind]
    for pair, (clean, corrupted) in enumerate(
        zip(SAME_LENGTH.clean, SAME_LENGTH.corrupted, strict=True)
    ):
        first = next(i for i, (a, b) in enumerate(zip(clean, corrupted, strict=True)) if a != b)
        assert (found[pair, :, :, :first] == 0.0).all()
