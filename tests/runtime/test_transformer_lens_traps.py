"""What TransformerLens 4.3 does that would silently give wrong effects.

Each test pins down one such fact, and, where we have one, the way around it. One that fails
after an update means: look again at how nodes are read, patched and differentiated.
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from transformer_lens.hook_points import HookPoint

from atpdsl.nodes import NODE_KINDS, Unit
from atpdsl.nodes.kind import NodeKind
from atpdsl.runtime.hooked import SILENCED, _ends, check_bridge, hooked
from tests.families import GROUPED, PARALLEL
from tests.small_models import (
    D_MLP,
    D_MODEL,
    N_HEADS,
    N_KV_HEADS,
    N_LAYERS,
    bridge,
    no_downcast,
    random_tokens,
    small_model,
)

SEQUENTIAL = ("gpt2", "neox-sequential", "llama", "qwen2", "qwen3", "gemma3")
ATTENTION = ("hook_q", "hook_k", "hook_v", "hook_z")
Hook = Callable[[Tensor, Any], Tensor | None]


def logits(model: Any, tokens: Tensor, *hooks: tuple[str, Hook], **more: Any) -> Tensor:
    """Logits with hooks set the way TransformerLens sets them."""
    with torch.no_grad(), no_downcast(), model.hooks(fwd_hooks=list(hooks)):
        return model(tokens, **more)


def values(model: Any, tokens: Tensor, *names: str) -> dict[str, Tensor]:
    """Activations by the name that was asked for."""
    seen: dict[str, Tensor] = {}

    def keep(name: str) -> Hook:
        return lambda tensor, hook: seen.__setitem__(name, tensor)

    logits(model, tokens, *((name, keep(name)) for name in names))
    return seen


def become(value: Tensor) -> Hook:
    return lambda tensor, hook: value


def noisy(tensor: Tensor, hook: object) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return tensor + torch.randn(tensor.shape, generator=generator, dtype=tensor.dtype)


def pairs() -> tuple[Tensor, Tensor]:
    """Clean and corrupted tokens."""
    return random_tokens(seed=1), random_tokens(seed=2)


# The residual stream in the middle of a block.


@pytest.mark.parametrize("family", SEQUENTIAL)
def test_resid_mid_is_only_the_input_of_the_mlp_branch(family: str) -> None:
    model, (clean, corrupted) = bridge(family), pairs()
    mid = "blocks.1.hook_resid_mid"
    wanted = logits(model, corrupted)
    patched = logits(model, clean, (mid, become(values(model, corrupted, mid)[mid])))

    assert (patched - wanted).abs().max() > 0.1


@pytest.mark.parametrize("family", SEQUENTIAL)
def test_stream_is_set_through_the_attention_output(family: str) -> None:
    model, (clean, corrupted) = bridge(family), pairs()
    site = NODE_KINDS["resid.mid"].site(1)
    stream: list[Tensor] = []
    assert site.stream is not None
    value = values(model, corrupted, site.read)[site.read]
    patched = logits(
        model,
        clean,
        (site.stream, lambda tensor, hook: stream.append(tensor)),
        (site.write, lambda tensor, hook: value - stream[0]),
    )

    # Setting v - r and adding r again rounds once more.
    torch.testing.assert_close(patched, logits(model, corrupted), rtol=0, atol=1e-12)


@pytest.mark.parametrize("family", SEQUENTIAL)
def test_resid_mid_reads_the_sum_of_stream_and_attention_output(family: str) -> None:
    site = NODE_KINDS["resid.mid"].site(1)
    assert site.stream is not None
    seen = values(bridge(family), random_tokens(), site.read, site.stream, site.write)

    assert torch.equal(seen[site.stream] + seen[site.write], seen[site.read])


@pytest.mark.parametrize("point", ["hook_resid_pre", "hook_resid_post"])
def test_stream_between_blocks_is_the_stream(family: str, point: str) -> None:
    model, (clean, corrupted) = bridge(family), pairs()
    name = f"blocks.1.{point}"
    patched = logits(model, clean, (name, become(values(model, corrupted, name)[name])))

    assert torch.equal(patched, logits(model, corrupted))


@pytest.mark.parametrize("family", PARALLEL)
def test_parallel_block_has_no_resid_mid(family: str) -> None:
    assert "blocks.1.hook_resid_mid" not in bridge(family).hook_dict
    assert NODE_KINDS["resid.mid"].sequential_only


# Hooks on which nodes stand.


@pytest.mark.parametrize("kind", NODE_KINDS, ids=lambda kind: kind.name)
def test_site_of_a_node_fires_once_is_live_and_has_its_shape(
    family: str, kind: NodeKind
) -> None:
    if kind.sequential_only and family in PARALLEL:
        pytest.skip("parallel blocks have no such node")
    model, tokens = bridge(family), random_tokens()
    site = kind.site(1)
    fired: list[tuple[int, ...]] = []

    logits(model, tokens, (site.write, lambda tensor, hook: fired.append(tuple(tensor.shape))))

    heads = N_KV_HEADS if family in GROUPED else N_HEADS
    size = model.cfg.d_head
    units = {
        Unit.HEAD: (N_HEADS, size),
        Unit.KV_HEAD: (heads, size),
        Unit.NEURON: (D_MLP,),
        Unit.VECTOR: (D_MODEL,),
    }
    assert fired == [(*tokens.shape, *units[kind.unit])]
    changed = logits(model, tokens, (site.write, noisy))
    assert (changed - logits(model, tokens)).abs().max() > 1e-3


def test_neither_flag_nor_its_absence_silences_a_node(family: str) -> None:
    tokens = random_tokens()
    names = [
        kind.site(1).write
        for kind in NODE_KINDS
        if not (kind.sequential_only and family in PARALLEL)
    ]
    for flag in SILENCED:
        model = bridge(family)
        getattr(model, f"set_{flag}")(True)
        before = logits(model, tokens)

        assert all((logits(model, tokens, (n, noisy)) - before).abs().max() > 0 for n in names)


@pytest.mark.filterwarnings("ignore:A forward hook edited hook_scale")
@pytest.mark.parametrize("flag", SILENCED)
def test_flag_silences_exactly_the_hooks_that_we_refuse(family: str, flag: str) -> None:
    tokens = random_tokens()
    plain, flagged = bridge(family), bridge(family)
    getattr(flagged, f"set_{flag}")(True)
    names = {point.name for point in plain.blocks[1].modules() if isinstance(point, HookPoint)}
    live = _live(plain, names, tokens)

    silenced = live - _live(flagged, live, tokens)

    assert silenced == {n for n in live if any(_ends(n, end) for end in SILENCED[flag])}
    assert silenced


def _live(model: Any, names: set[str], tokens: Tensor) -> set[str]:
    """The hooks at which an edit reaches the logits."""
    before = logits(model, tokens)
    open_names = {name for name in names if model._gated_hook_reason(name) is None}
    return {n for n in open_names if not torch.equal(logits(model, tokens, (n, noisy)), before)}


@pytest.mark.parametrize("family", ["neox", "neox-sequential"])
@pytest.mark.parametrize("name", ["hook_rot_q", "hook_rot_k"])
def test_rotated_queries_and_keys_of_neox_never_fire(family: str, name: str) -> None:
    assert values(bridge(family), random_tokens(), f"blocks.1.attn.{name}") == {}


def test_gated_hook_raises_and_unknown_hook_raises() -> None:
    model = bridge("gpt2")

    with pytest.raises(ValueError, match="use_attn_result"):
        logits(model, random_tokens(), ("blocks.1.attn.hook_result", noisy))
    with pytest.raises(KeyError):
        hooked(model, [("blocks.1.hook_nothing", noisy)]).__enter__()


def test_name_inside_a_hook_is_not_the_one_asked_for() -> None:
    names: list[str] = []
    asked = "blocks.1.hook_resid_post"
    logits(bridge("gpt2"), random_tokens(), (asked, lambda t, hook: names.append(hook.name)))

    assert names == ["blocks.1.hook_out"]


# The graph.


@pytest.mark.parametrize("part", ATTENTION)
@pytest.mark.parametrize("returned", [False, True])
def test_queries_keys_values_and_outputs_are_in_the_graph_only_if_returned(
    family: str, part: str, returned: bool
) -> None:
    model = bridge(family)
    seen: list[Tensor] = []

    def look(tensor: Tensor, hook: object) -> Tensor | None:
        seen.append(tensor)
        return tensor if returned else None

    leaf = ("hook_embed", lambda tensor, hook: tensor.detach().requires_grad_(True))
    with model.hooks(fwd_hooks=[leaf, (f"blocks.1.attn.{part}", look)]):
        total = model(random_tokens())[0, -1, 3]
    (gradient,) = torch.autograd.grad(total, seen, allow_unused=True)

    assert (gradient is not None) is returned


def test_running_and_differentiating_leaves_no_gradient_in_the_parameters(family: str) -> None:
    model, tokens = bridge(family), random_tokens()
    before = model(tokens)
    seen: list[Tensor] = []

    def leaf(tensor: Tensor, hook: object) -> Tensor:
        seen.append(tensor.detach().requires_grad_(True))
        return seen[0]

    with hooked(model, [("hook_embed", leaf)]):
        model(tokens)[0, -1, 3].backward()

    assert seen[0].grad is not None
    parameters = [*model.parameters(), *model.original_model.parameters()]
    assert all(p.grad is None and not p.requires_grad for p in parameters)
    assert torch.equal(model(tokens), before)


def test_wrapping_changes_the_hugging_face_model_in_place() -> None:
    from atpdsl.runtime.load import bridge_from_hf

    plain = small_model("gpt2")
    attention = type(plain.transformer.h[0].attn)
    model = bridge_from_hf(plain)

    assert model.original_model is plain
    assert type(plain.transformer.h[0].attn) is not attention


# Modes.


def test_training_mode_makes_every_run_another(family: str) -> None:
    model, tokens = bridge(family), random_tokens()
    model.train()

    assert not torch.equal(model(tokens), model(tokens))
    assert [problem.code for problem in check_bridge(model)] == ["ATP326"]


def test_bridge_without_weights_comes_in_training_mode_and_ours_does_not() -> None:
    from transformer_lens.model_bridge import TransformerBridge

    theirs = TransformerBridge.boot_transformers(
        "any", hf_model=small_model("gpt2").train(), tokenizer=_tokenizer(), device="cpu"
    )

    assert theirs.original_model.training
    assert not bridge("gpt2").original_model.training


def _tokenizer() -> Any:
    from transformers import AutoTokenizer

    from atpdsl.models.catalogue import EMBEDDED

    return AutoTokenizer.from_pretrained(EMBEDDED["tiny"].folder, local_files_only=True)


def test_compatibility_mode_changes_values_and_names_of_hooks() -> None:
    model, tokens, name = bridge("gpt2"), random_tokens(), "blocks.1.attn.hook_z"
    before = values(model, tokens, name)[name]
    canonical = model.hook_dict[name].name
    model.enable_compatibility_mode()

    assert (values(model, tokens, name)[name] - before).abs().max() > 0.1
    assert (canonical, model.hook_dict[name].name) == ("blocks.1.attn.o.hook_in", name)


# Batches.


def test_padding_on_the_right_changes_nothing(family: str) -> None:
    model, tokens = bridge(family), random_tokens(1, 7)
    padded = torch.cat((tokens, torch.zeros(1, 3, dtype=tokens.dtype)), dim=1)

    found = logits(model, padded)[:, :7]

    # Exact but for sums over longer rows.
    torch.testing.assert_close(found, logits(model, tokens), rtol=0, atol=1e-12)


def test_padding_on_the_left_without_a_mask_is_wrong(family: str) -> None:
    model, tokens = bridge(family), random_tokens(1, 7)
    padded = torch.cat((torch.zeros(1, 3, dtype=tokens.dtype), tokens), dim=1)

    wrong = logits(model, padded)[:, -1]

    assert (wrong - logits(model, tokens)[:, -1]).abs().max() > 0.01


def test_padding_on_the_left_with_a_mask_is_right(family: str) -> None:
    model, tokens = bridge(family), random_tokens(1, 7)
    padded = torch.cat((torch.zeros(1, 3, dtype=tokens.dtype), tokens), dim=1)
    mask = torch.tensor([[0] * 3 + [1] * 7])

    found = logits(model, padded, attention_mask=mask)[:, -1]

    torch.testing.assert_close(found, logits(model, tokens)[:, -1], rtol=0, atol=1e-12)


def test_rows_of_a_batch_do_not_touch(family: str) -> None:
    model, tokens = bridge(family), random_tokens(4, 9)

    alone = torch.cat([logits(model, row[None]) for row in tokens])

    torch.testing.assert_close(logits(model, tokens), alone, rtol=0, atol=1e-12)


# Speed.


def test_starting_at_a_layer_runs_the_layers_before_it_all_the_same(family: str) -> None:
    model, tokens = bridge(family), random_tokens()
    last = N_LAYERS - 1
    name = f"blocks.{last}.hook_resid_pre"
    residual = values(model, tokens, name)[name]
    calls: list[int] = []
    for number, block in enumerate(model.blocks):
        block.register_forward_pre_hook(lambda *_, number=number: calls.append(number))

    resumed = logits(model, residual, start_at_layer=last)

    torch.testing.assert_close(resumed, logits(model, tokens), rtol=0, atol=1e-12)
    assert calls[:N_LAYERS] == list(range(N_LAYERS))


# Attention.


def test_pattern_is_the_softmax_of_the_scores_whose_masked_entries_are_finite(
    family: str,
) -> None:
    scores, pattern = "blocks.1.attn.hook_attn_scores", "blocks.1.attn.hook_pattern"
    seen = values(bridge(family), random_tokens(), scores, pattern)

    torch.testing.assert_close(seen[scores].softmax(-1), seen[pattern], rtol=0, atol=1e-15)
    assert seen[scores].isfinite().all()
    assert seen[scores][0, 0, 0, 1] < -1e37


def test_heads_sum_to_the_attention_output_unless_a_norm_follows(family: str) -> None:
    model = bridge(family)
    model.set_use_attn_result(True)
    result, output = "blocks.1.attn.hook_result", "blocks.1.hook_attn_out"
    seen = values(model, random_tokens(), result, output)
    bias = model.blocks[1].attn.b_O if family in {"gpt2", "neox", "neox-sequential"} else 0.0

    difference = (seen[result].sum(2) + bias - seen[output]).abs().max()

    assert (difference.item() < 1e-12) is (family != "gemma3")
