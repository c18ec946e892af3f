"""Mistakes that other tools of this kind have made; each is a test here."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from atpdsl.binding.nodeset import NodeSet
from atpdsl.semantics.experiment import Direction
from tests.oracle.cases import (
    EQUAL_PROMPTS,
    SAME_LENGTH,
    UNEQUAL,
    Floats,
    Pairs,
    engine,
    every_position,
    node_set,
    node_sets,
    oracle,
    oracle_metric,
)
from tests.oracle.families import Place, places
from tests.oracle.float64 import in_float64
from tests.oracle.plain import capture, run
from tests.small_models import small_model

METHODS = pytest.mark.parametrize("method", ["ap", "atp"])
DIRECTIONS = pytest.mark.parametrize("direction", list(Direction), ids=str)


@pytest.fixture
def model(request: pytest.FixtureRequest) -> Iterator[nn.Module]:
    """A model of the test's own, in float64 throughout."""
    with in_float64(small_model(getattr(request, "param", "gpt2"))) as model:
        yield model


def families(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("model", names, indirect=True)


def everywhere(model: nn.Module, *kinds: str) -> list[NodeSet]:
    return [node_set(model, kind, every_position(SAME_LENGTH)) for kind in kinds]


def gap(model: nn.Module, pairs: Pairs, metric: str = "logit_diff") -> Floats:
    """metric(corrupted run) - metric(clean run), [pair]."""
    clean, corrupted = pairs.sides(Direction.NOISING)
    by_hand = oracle_metric(model, pairs, metric)
    return (by_hand(run(model, corrupted)) - by_hand(run(model, clean))).numpy()


def gradient(model: nn.Module, tokens: Tensor, place: Place, pairs: Pairs) -> Tensor:
    """d logit_diff / d (tensor at a place), [pair, pos, width], by autograd."""
    kept: list[Tensor] = []

    def keep(raw: Tensor) -> Tensor:
        kept.append(raw.detach().requires_grad_())
        return kept[0]

    if place.side == "input":
        handle = place.module.register_forward_pre_hook(lambda _m, args: (keep(args[0]),))
    else:
        handle = place.module.register_forward_hook(lambda _m, _args, out: keep(out))
    try:
        logits = model(tokens, use_cache=False).logits
    finally:
        handle.remove()
    metric = oracle_metric(model, pairs, "logit_diff")
    return torch.autograd.grad(metric(logits).sum(), kept[0])[0]


@families("gpt2", "gemma3")
def test_the_gradient_of_an_mlp_node_is_taken_at_its_output_not_at_its_input(model):
    (found,) = engine(model, SAME_LENGTH, everywhere(model, "mlp"), method="atp")
    clean, corrupted = SAME_LENGTH.sides(Direction.NOISING)
    here = places(model, 1)
    before, after = capture(model, clean), capture(model, corrupted)
    difference = after["mlp", 1] - before["mlp", 1]
    at_output = (difference * gradient(model, clean, here["mlp"], SAME_LENGTH)).sum(-1)
    into_mlp = Place(here["resid.mid"].module, "input")
    at_input = (difference * gradient(model, clean, into_mlp, SAME_LENGTH)).sum(-1)

    np.testing.assert_allclose(found[:, 1, 0], at_output.numpy(), rtol=1e-9, atol=1e-12)
    assert np.abs(found[:, 1, 0] - at_input.numpy()).max() > 0.1


@families("gpt2", "neox", "llama")
def test_an_early_heads_estimate_has_the_paths_through_later_attention(model):
    """A head at an earlier position reaches the last one through later attention only."""
    (found,) = engine(model, SAME_LENGTH, everywhere(model, "heads.z"), method="atp")
    expected = oracle(model, SAME_LENGTH, "heads.z", method="atp")

    early = found[:, 0, :, 3]
    assert np.abs(early[1:]).min() > 1e-4
    np.testing.assert_allclose(early, expected[:, 0, :, 3], rtol=1e-5, atol=1e-8)


@METHODS
@families("gpt2", "qwen2")
def test_a_second_run_gives_the_same_bits(model, method):
    sets = everywhere(model, "heads.k", "resid.pre")
    first = engine(model, SAME_LENGTH, sets, method=method)
    second = engine(model, SAME_LENGTH, sets, method=method)

    for one, other in zip(first, second, strict=True):
        assert np.array_equal(one, other)


@METHODS
@families("llama", "gemma3")
def test_the_mask_of_one_prompt_is_not_put_on_another(model, method):
    """The longest prompt is last in one order and first in the other."""
    turned = Pairs(
        clean=UNEQUAL.clean[::-1],
        corrupted=UNEQUAL.corrupted[::-1],
        answers=UNEQUAL.answers[::-1],
        foils=UNEQUAL.foils[::-1],
    )
    sets = [node_set(model, "heads.v", every_position(UNEQUAL))]
    (one,) = engine(model, UNEQUAL, sets, method=method, batch=2)
    (other,) = engine(model, turned, sets, method=method, batch=2)

    np.testing.assert_allclose(other[::-1], one, rtol=0, atol=1e-12)


@METHODS
def test_the_token_that_fills_up_short_prompts_counts_where_it_is_real(model, method):
    """Token 0 inside a prompt is a token: what is at its position has an effect."""
    assert SAME_LENGTH.clean[2][3] == 0
    (found,) = engine(model, SAME_LENGTH, everywhere(model, "embed"), method=method)

    assert abs(found[2, 0, 0, 3]) > 1e-2


@METHODS
@families("gpt2", "llama")
def test_a_node_of_one_head_leaves_the_other_heads_alone(model, method):
    """Head 1 of layer 1 is cut off from the stream: it alone has no effect."""
    projection = places(model, 1)["heads.z"].module.weight
    width = model.config.hidden_size // model.config.num_attention_heads
    inputs = projection.T if model.config.model_type == "llama" else projection
    with torch.no_grad():
        inputs[width : 2 * width] = 0.0
    (found,) = engine(model, SAME_LENGTH, everywhere(model, "heads.z"), method=method)
    head = np.abs(found[:, 1]).max(axis=(0, 2))

    assert head[1] < 1e-12
    assert (head[[0, 2, 3]] > 1e-2).all()


@METHODS
@families("llama")
def test_a_node_at_one_position_leaves_the_other_positions_alone(model, method):
    """In the last layer only the last position's output goes into the metric."""
    for found in engine(model, SAME_LENGTH, everywhere(model, "attn", "mlp"), method=method):
        assert np.abs(found[:, -1, :, :-1]).max() < 1e-12
        assert np.abs(found[:, -1, :, -1]).max() > 1e-2


@DIRECTIONS
@families("gpt2", "neox", "neox-sequential", "llama", "qwen2", "qwen3", "gemma3")
def test_patching_everything_is_the_other_run_biases_included(model, direction):
    """The whole stream, at any depth: the metric goes all the way, and the sign says where."""
    sets = [
        nodes
        for nodes in node_sets(model, SAME_LENGTH, whole=True)
        if nodes.kind in ("embed", "resid.pre", "resid.mid", "resid.post")
    ]
    way = gap(model, SAME_LENGTH) * (1 if direction is Direction.NOISING else -1)
    for nodes, found in zip(
        sets, engine(model, SAME_LENGTH, sets, direction=direction), strict=True
    ):
        for layer in range(len(nodes.layers)):
            np.testing.assert_allclose(found[:, layer, 0, 0], way, rtol=0, atol=1e-9)


@families("gpt2", "neox")
def test_estimates_point_from_the_clean_run_to_the_corrupted_one(model):
    """Noising is (corrupted - clean) . gradient at clean; denoising (clean - corrupted) .
    gradient at corrupted; a gradient at the other run is another number."""
    clean, corrupted = SAME_LENGTH.sides(Direction.NOISING)
    place = places(model, 0)["embed"]
    step = capture(model, corrupted)["embed", 0] - capture(model, clean)["embed", 0]
    at_clean = (step * gradient(model, clean, place, SAME_LENGTH)).sum(-1).numpy()
    at_corrupted = (step * gradient(model, corrupted, place, SAME_LENGTH)).sum(-1).numpy()
    sets = everywhere(model, "embed")
    (noising,) = engine(model, SAME_LENGTH, sets, method="atp")
    (denoising,) = engine(model, SAME_LENGTH, sets, method="atp", direction=Direction.DENOISING)

    np.testing.assert_allclose(noising[:, 0, 0], at_clean, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(denoising[:, 0, 0], -at_corrupted, rtol=1e-9, atol=1e-12)
    assert np.abs(at_clean - at_corrupted).max() > 0.1


@METHODS
def test_opposite_pairs_keep_their_signs(model, method):
    """Swapping a pair's answer and foil turns the sign of that pair alone."""
    swapped = replace(
        SAME_LENGTH,
        answers=[SAME_LENGTH.foils[0], *SAME_LENGTH.answers[1:]],
        foils=[SAME_LENGTH.answers[0], *SAME_LENGTH.foils[1:]],
    )
    sets = everywhere(model, "heads.v", "neurons")
    for one, other in zip(
        engine(model, SAME_LENGTH, sets, method=method),
        engine(model, swapped, sets, method=method),
        strict=True,
    ):
        np.testing.assert_allclose(other[0], -one[0], rtol=0, atol=1e-12)
        np.testing.assert_allclose(other[1:], one[1:], rtol=0, atol=1e-12)


@METHODS
def test_a_pairs_numbers_do_not_hang_on_how_many_pairs_there_are(model, method):
    """A gradient of the mean over pairs would be smaller by their number."""
    sets = everywhere(model, "heads.q", "attn")
    together = engine(model, SAME_LENGTH, sets, method=method)
    alone = engine(model, SAME_LENGTH.only(1), sets, method=method)

    for many, one in zip(together, alone, strict=True):
        np.testing.assert_allclose(many[1], one[0], rtol=0, atol=1e-12)


@METHODS
def test_numbers_of_a_bfloat16_model_are_not_rounded_to_bfloat16(method):
    model = small_model("gpt2", torch.bfloat16)
    sets = everywhere(model, "mlp")
    (found,) = engine(model, SAME_LENGTH, sets, method=method, metric="logprob")
    rounded = torch.tensor(found).to(torch.bfloat16).double().numpy()

    assert found.dtype == np.float64
    assert (found != rounded)[found != 0.0].mean() > 0.9


@METHODS
@DIRECTIONS
@families("gpt2", "neox", "llama")
def test_dropout_never_runs(model, method, direction):
    """A model that comes in training mode gives exact zeros for equal prompts, and its usual
    numbers for others."""
    trained = copy.deepcopy(model).train()
    assert any(
        getattr(m, "p", 0) or getattr(m, "attention_dropout", 0) for m in model.modules()
    )
    sets = everywhere(model, "heads.z", "embed")
    how = {"method": method, "direction": direction}

    for found in engine(trained, EQUAL_PROMPTS, sets, **how):
        assert (found == 0.0).all()
    for one, other in zip(
        engine(trained, SAME_LENGTH, sets, **how),
        engine(model, SAME_LENGTH, sets, **how),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)


@METHODS
@families("gpt2", "qwen3")
def test_kinds_asked_for_together_do_not_disturb_each_other(model, method):
    """An edit in place of a value that another node reads as well would show here."""
    sets = everywhere(model, "heads.q", "heads.k", "heads.v", "heads.z", "attn", "resid.mid")
    together = engine(model, SAME_LENGTH, sets, method=method)
    for nodes, found in zip(sets, together, strict=True):
        (alone,) = engine(model, SAME_LENGTH, [nodes], method=method)
        np.testing.assert_allclose(found, alone, rtol=0, atol=1e-12)


def test_an_edit_is_not_lost(model):
    """Every kind at the differing position of layer 0 moves the metric."""
    for nodes, found in zip(
        node_sets(model, SAME_LENGTH),
        engine(model, SAME_LENGTH, node_sets(model, SAME_LENGTH)),
        strict=True,
    ):
        assert np.abs(found[0, 0, :, 2]).max() > 1e-2, nodes.kind
