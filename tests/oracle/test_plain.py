"""The oracle's own tests: identities that hold whatever the weights are."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache

import pytest
import torch
from torch import Tensor

from tests.oracle import metrics
from tests.oracle.families import HEAD_KINDS, KINDS, VECTOR_KINDS
from tests.oracle.float64 import in_float64
from tests.oracle.plain import (
    Node,
    capture,
    edited,
    every_effect,
    every_finite_difference,
    every_node,
    finite_difference_estimate,
    part,
    patched_logits,
    patching_effect,
    run,
)
from tests.small_models import FAMILIES, GROUPED, PARALLEL, small_model

CLEAN = torch.tensor([[0, 11, 23, 7, 42, 5], [0, 19, 3, 3, 8, 51]])
CORRUPTED = torch.tensor([[0, 11, 58, 7, 42, 5], [0, 30, 3, 9, 8, 2]])
METRIC = metrics.logit_diff([[4], [17]], [[9], [33]])

SEQUENTIAL = tuple(family for family in FAMILIES if family not in PARALLEL)
FAMILIES_AND_KINDS = [
    (family, kind)
    for family in FAMILIES
    for kind in KINDS
    if not (kind == "resid.mid" and family in PARALLEL)
]


@pytest.fixture
def model(request: pytest.FixtureRequest) -> Iterator[torch.nn.Module]:
    """The small model of the family in `request.param`, in float64 throughout."""
    with in_float64(the_model(request.param)) as model:
        yield model


@cache
def the_model(family: str) -> torch.nn.Module:
    """One model per family; nobody changes it."""
    return small_model(family)


def every_family(*families: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("model", families or FAMILIES, indirect=True)


def all_of(kind: str, layer: int) -> Node:
    return Node(kind=kind, layer=layer, index=None, position=None)


def fully_patched(model: torch.nn.Module, kind: str, layer: int) -> Tensor:
    node = all_of(kind, layer)
    value = part(capture(model, CORRUPTED)[kind, layer], node)
    return patched_logits(model, CLEAN, node, value)


def assert_same(one: Tensor, other: Tensor, tolerance: float = 1e-12) -> None:
    torch.testing.assert_close(one, other, rtol=0, atol=tolerance)


@pytest.mark.parametrize(("model", "kind"), FAMILIES_AND_KINDS, indirect=["model"])
def test_a_patch_with_the_runs_own_value_changes_nothing_at_all(model, kind):
    clean = run(model, CLEAN)
    own = capture(model, CLEAN)

    for row in every_node(own, kind, 0):
        value = part(own[kind, 0], row[2])
        assert torch.equal(patched_logits(model, CLEAN, row[2], value), clean)


@every_family()
def test_hooks_leave_the_model_as_it_was(model):
    clean = run(model, CLEAN)
    for kind in ("heads.q", "attn", "resid.pre"):
        fully_patched(model, kind, 1)

    assert torch.equal(run(model, CLEAN), clean)
    for module in model.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks


@every_family()
@pytest.mark.parametrize("kind", ["embed", "resid.pre"])
def test_patching_all_that_enters_the_first_block_is_the_corrupted_run(model, kind):
    assert_same(fully_patched(model, kind, 0), run(model, CORRUPTED))


@every_family()
def test_patching_all_that_leaves_the_last_block_is_the_corrupted_run(model):
    last = model.config.num_hidden_layers - 1

    assert_same(fully_patched(model, "resid.post", last), run(model, CORRUPTED))


@every_family(*SEQUENTIAL)
def test_patching_all_of_the_middle_stream_is_the_corrupted_run_from_there_on(model):
    for layer in range(model.config.num_hidden_layers):
        assert_same(fully_patched(model, "resid.mid", layer), run(model, CORRUPTED))


@every_family()
@pytest.mark.parametrize("layer", [0, 2])
def test_queries_keys_and_values_patched_together_are_the_head_outputs_patched(model, layer):
    donor = capture(model, CORRUPTED)
    with ExitStack() as patches:
        for kind in ("heads.q", "heads.k", "heads.v"):
            patches.enter_context(
                edited(model, kind, layer, lambda a, kind=kind: a.copy_(donor[kind, layer]))
            )
        together = run(model, CLEAN)

    assert_same(together, fully_patched(model, "heads.z", layer))


@every_family()
def test_head_outputs_or_neurons_patched_in_full_are_their_module_patched(model):
    for layer in range(model.config.num_hidden_layers):
        z, attn = fully_patched(model, "heads.z", layer), fully_patched(model, "attn", layer)
        neurons, mlp = (
            fully_patched(model, "neurons", layer),
            fully_patched(model, "mlp", layer),
        )

        assert_same(z, attn)
        assert_same(neurons, mlp)


@every_family()
def test_attention_and_mlp_are_what_is_added_to_the_stream(model):
    found = capture(model, CLEAN)
    for layer in range(model.config.num_hidden_layers):
        added = found["attn", layer] + found["mlp", layer]
        assert_same(found["resid.pre", layer] + added, found["resid.post", layer], 1e-11)
        if ("resid.mid", layer) in found:
            middle = found["resid.pre", layer] + found["attn", layer]
            assert_same(middle, found["resid.mid", layer], 1e-11)


@every_family("neox", "neox-sequential", "llama", "qwen2", "qwen3", "gemma3")
def test_the_embedding_is_what_enters_the_first_block_where_positions_are_rotary(model):
    found = capture(model, CLEAN)

    assert torch.equal(found["embed", 0], found["resid.pre", 0])


@every_family("gpt2")
def test_the_embedding_of_gpt2_is_without_the_positions(model):
    found = capture(model, CLEAN)
    positions = model.transformer.wpe.weight[: CLEAN.shape[1]]

    assert torch.equal(found["embed", 0], model.transformer.wte.weight[CLEAN])
    assert_same(found["embed", 0] + positions, found["resid.pre", 0])


@every_family("gemma3")
def test_the_embedding_of_gemma_is_scaled(model):
    scaled = model.model.embed_tokens.weight[CLEAN] * model.config.hidden_size**0.5

    assert_same(capture(model, CLEAN)["embed", 0], scaled, 1e-6)  # sqrt(d) is kept in float32


@every_family()
def test_shapes_are_those_of_the_node_kinds(model):
    found = capture(model, CLEAN)
    config = model.config
    kv_heads = getattr(config, "num_key_value_heads", config.num_attention_heads)
    widths = {kind: found[kind, 0].shape[2:] for kind, layer in found if layer == 0}

    for kind in HEAD_KINDS:
        count = kv_heads if kind in ("heads.k", "heads.v") else config.num_attention_heads
        assert widths[kind][0] == count
        assert len(widths[kind]) == 2
    assert len({widths[kind][1] for kind in HEAD_KINDS}) == 1
    assert len(widths["neurons"]) == 1
    for kind in VECTOR_KINDS:
        assert kind not in widths or widths[kind] == (config.hidden_size,)


@every_family(*GROUPED)
@pytest.mark.parametrize("kind", ["heads.k", "heads.v"])
def test_a_key_or_value_head_reaches_its_own_group_of_query_heads_only(model, kind):
    donor, clean = capture(model, CORRUPTED), capture(model, CLEAN)["heads.z", 1]
    group = model.config.num_attention_heads // model.config.num_key_value_heads

    for kv_head in range(model.config.num_key_value_heads):
        node = Node(kind=kind, layer=1, index=kv_head, position=None)
        value = part(donor[kind, 1], node)

        def edit(activation: Tensor, node: Node = node, value: Tensor = value) -> None:
            part(activation, node)[:] = value

        with edited(model, kind, 1, edit):
            z = capture(model, CLEAN)["heads.z", 1]
        moved = (z - clean).abs().amax(dim=(0, 1, 3)) > 1e-9
        own = torch.arange(len(moved)) // group == kv_head
        assert torch.equal(moved, own)


@every_family()
def test_a_query_head_reaches_its_own_output_only(model):
    donor, clean = capture(model, CORRUPTED), capture(model, CLEAN)["heads.z", 1]
    for head in range(model.config.num_attention_heads):
        with edited(
            model,
            "heads.q",
            1,
            lambda a, h=head: a[:, :, h].copy_(donor["heads.q", 1][:, :, h]),
        ):
            z = capture(model, CLEAN)["heads.z", 1]
        moved = (z - clean).abs().amax(dim=(0, 1, 3)) > 1e-9

        assert moved.tolist() == [other == head for other in range(len(moved))]


@pytest.mark.parametrize(("model", "kind"), FAMILIES_AND_KINDS, indirect=["model"])
def test_a_patch_changes_nothing_before_its_position(model, kind):
    node = Node(kind=kind, layer=0, index=0, position=3)
    value = part(capture(model, CLEAN)[kind, 0], node).flip(0)  # the other pair's
    logits, clean = patched_logits(model, CLEAN, node, value), run(model, CLEAN)

    assert torch.equal(logits[:, :3], clean[:, :3])
    assert (logits[:, 3:] - clean[:, 3:]).abs().max() > 1e-3


@every_family("gemma3")
@pytest.mark.parametrize("kind", KINDS)
def test_tables_hold_the_effect_and_derivative_of_each_node(model, kind):
    effects = every_effect(model, CLEAN, CORRUPTED, kind, METRIC)
    derivatives = every_finite_difference(model, CLEAN, CORRUPTED, kind, METRIC)
    layer = effects.shape[1] - 1
    index = effects.shape[2] - 1

    for position in (1, 2):
        node = Node(kind=kind, layer=layer, index=index, position=position)
        effect = patching_effect(model, CLEAN, CORRUPTED, node, METRIC)
        derivative = finite_difference_estimate(model, CLEAN, CORRUPTED, node, METRIC)
        assert_same(effects[:, layer, index, position], effect)
        assert_same(derivatives[:, layer, index, position], derivative, 1e-9)


@every_family("gpt2", "neox-sequential", "gemma3")
@pytest.mark.parametrize("kind", KINDS)
def test_the_finite_difference_does_not_hang_on_its_step(model, kind):
    node = Node(kind=kind, layer=0, index=0, position=2)
    half = finite_difference_estimate(model, CLEAN, CORRUPTED, node, METRIC, epsilon=5e-4)
    whole = finite_difference_estimate(model, CLEAN, CORRUPTED, node, METRIC)

    torch.testing.assert_close(half, whole, rtol=1e-7, atol=1e-9)


@every_family()
@pytest.mark.parametrize("kind", ["mlp", "resid.post"])
def test_the_finite_difference_is_the_effect_where_the_metric_is_linear(model, kind):
    """Without the last norm, the last layer's output goes into the logits linearly."""
    model = without_last_norm(model)
    effects = every_effect(model, CLEAN, CORRUPTED, kind, METRIC)[:, -1]
    slopes = every_finite_difference(model, CLEAN, CORRUPTED, kind, METRIC)[:, -1]

    assert effects[:, :, -1].abs().min() > 1e-3
    assert_same(slopes, effects, 1e-9)  # rounding over twelve steps of 1e-3


def without_last_norm(model: torch.nn.Module) -> torch.nn.Module:
    """A copy with an identity in the place of the norm before the unembedding."""
    model = copy.deepcopy(model)
    inner = model.base_model
    for name in ("ln_f", "final_layer_norm", "norm"):
        if hasattr(inner, name):
            setattr(inner, name, torch.nn.Identity())
    return model


@every_family()
def test_denoising_is_noising_with_the_prompts_swapped(model):
    node = Node(kind="resid.pre", layer=0, position=None)
    noising = patching_effect(model, CLEAN, CORRUPTED, node, METRIC)
    denoising = patching_effect(model, CORRUPTED, CLEAN, node, METRIC)
    gap = METRIC(run(model, CORRUPTED)) - METRIC(run(model, CLEAN))

    assert gap.abs().min() > 1e-2
    assert_same(noising, gap)
    assert_same(denoising, -gap)
