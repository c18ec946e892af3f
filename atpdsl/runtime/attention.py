"""How a layer attends: what a run keeps of it, and its scores computed anew from that.

Whatever a model does differently (rotary embedding, norms of queries and keys, soft caps,
sinks, masks) is read off its bridge here. It is then held against the run itself: scores and
outputs that are computed from the kept values must be those that the model had.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import torch
from torch import Tensor
from transformer_lens.model_bridge.generalized_components.attention import AttentionBridge
from transformer_lens.model_bridge.generalized_components.joint_qkv_attention import (
    JointQKVAttentionBridge,
)
from transformer_lens.model_bridge.generalized_components.position_embeddings_attention import (
    PositionEmbeddingsAttentionBridge,
)
from transformer_lens.utilities.hf_utils import get_rotary_pct_from_config

from atpdsl.nodes.attention import AttentionHooks, attention_hooks
from atpdsl.problems import Problem, RunError
from atpdsl.runtime.hooked import hook_point
from atpdsl.runtime.sites import at_least_float32

__all__ = [
    "AttentionRule",
    "AttentionValues",
    "Pairing",
    "attention_names",
    "attention_rule",
    "attention_values",
    "capped",
    "per_query_head",
    "rotated",
    "visible_keys",
    "with_sinks",
]

TOLERANCE: Mapping[torch.dtype, float] = {
    # The Hugging Face code takes softmaxes in float32 within float64 models.
    torch.float64: 1e-5,
    torch.float32: 1e-3,
    torch.float16: 1e-2,
    torch.bfloat16: 5e-2,
}
"""How far scores (of the largest one) and outputs (of the largest value) may be off."""
_TF32_TOLERANCE = 1e-2


class Pairing(StrEnum):
    """Which dimensions a rotary embedding turns into each other.

    HALVES: dimension i and i + d_rotary / 2. ADJACENT: dimensions 2i and 2i + 1.
    """

    HALVES = "halves"
    ADJACENT = "adjacent"


@dataclass(slots=True)
class AttentionValues:
    """What a run keeps of one layer's attention, without a graph.

    Attributes:
        query: as the scores see it but before rotary embedding, so after the norm of queries
            where there is one: [pair, pos, head, d_head].
        key: likewise, [pair, pos, kv head, d_head].
        value: [pair, pos, kv head, d_head].
        output: z, [pair, pos, head, d_head].
        scores: what the softmax sees, soft cap and mask in it, [pair, head, query, key];
            only of the run that is patched.
        visible: which keys the mask leaves, of the shape of the scores or broadcast to it;
            instead of them, where no run shows them.
        cos, sin: of the rotary embedding, one entry per dimension that turns, [pair or 1, pos,
            d_rotary]; None without one.
    """

    query: Tensor
    key: Tensor
    value: Tensor
    output: Tensor
    scores: Tensor | None = None
    visible: Tensor | None = None
    cos: Tensor | None = None
    sin: Tensor | None = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class AttentionRule:
    """The constants of a layer's attention.

    Scores are cap(scale * query . key), with cap(s) = c tanh(s / c) for a soft cap c.

    Attributes:
        sinks: [head], the score of one more key whose value is 0.
        causal: for a model whose scores cannot be seen: whether later keys are masked. None
            where the mask is read off the scores.
    """

    scale: float
    soft_cap: float | None = None
    sinks: Tensor | None = None
    pairing: Pairing = Pairing.HALVES
    causal: bool | None = None


def attention_rule(bridge: Any, layer: int) -> AttentionRule:
    """The constants of a layer, read off its bridge.

    Raises:
        RunError: ATP406 for an attention that is known to be computed in another way.
    """
    attention = bridge.blocks[layer].attn
    config, module = attention.config, attention.original_component
    if getattr(config, "qk_norm_after_rope", False):
        raise _unexpected(layer, "queries and keys are normed after the rotary embedding")
    if _is_native(attention):
        return AttentionRule(
            scale=1.0 / module.scale,
            soft_cap=_positive(module.attn_scores_soft_cap),
            pairing=Pairing.ADJACENT,
            causal=module.causal,
        )
    if isinstance(attention, JointQKVAttentionBridge):
        by_layer = getattr(config, "scale_attn_by_inverse_layer_idx", False)
        return AttentionRule(scale=config.d_head**-0.5 / (layer + 1 if by_layer else 1))
    if isinstance(attention, PositionEmbeddingsAttentionBridge):
        sinks = getattr(module, "sinks", None)
        return AttentionRule(
            scale=float(getattr(module, "scaling", module.head_dim**-0.5)),
            soft_cap=_positive(getattr(module, "attn_logit_softcapping", None)),
            sinks=None if sinks is None else sinks.detach(),
            pairing=Pairing.ADJACENT if _adjacent(config) else Pairing.HALVES,
        )
    raise _unexpected(layer, f"`{type(attention).__name__}` is not known")


def attention_names(bridge: Any, layer: int, *, scores: bool) -> tuple[str, ...]:
    """The hooks whose tensors `attention_values` needs; with `scores` for the patched run."""
    hooks = attention_hooks(layer)
    attention = bridge.blocks[layer].attn
    query = hooks.query_normed if "q_norm" in attention.submodules else hooks.query
    key = hooks.key_normed if "k_norm" in attention.submodules else hooks.key
    names = [query, key, hooks.value, hooks.output]
    names += [name for name in (hooks.cos, hooks.sin) if _has(bridge, name)]
    if scores:
        names.append(hooks.pattern if _is_native(attention) else hooks.scores)
    return tuple(names)


def attention_values(bridge: Any, layer: int, seen: Mapping[str, Tensor]) -> AttentionValues:
    """What a run's tensors say of one layer's attention.

    Args:
        seen: the tensors at `attention_names`, as their hooks saw them.

    Raises:
        RunError: ATP406 when the scores or outputs of the patched run are not those that
            follow from its queries, keys and values.
    """
    rule, hooks = attention_rule(bridge, layer), attention_hooks(layer)
    attention = bridge.blocks[layer].attn
    query = _projection(seen, hooks.query, hooks.query_normed, layer)
    cos, sin = _rotation(attention, seen, hooks, query)
    values = AttentionValues(
        query=query,
        key=_projection(seen, hooks.key, hooks.key_normed, layer),
        value=seen[hooks.value].detach(),
        output=seen[hooks.output].detach(),
        cos=cos,
        sin=sin,
    )
    if hooks.pattern in seen:
        # A native model shows its pattern, and under the name of the scores the pattern too.
        scores, pattern = _own_scores(values, rule), seen[hooks.pattern].detach()
        _compare(scores.softmax(-1), pattern, pattern, (layer, "weights"))
    elif hooks.scores in seen:
        scores = seen[hooks.scores].detach()
        _check_scores(values, scores, rule, layer)
    else:
        return values
    _check_output(values, scores, rule, layer)
    values.scores = scores
    return values


def rotated(tensor: Tensor, cos: Tensor | None, sin: Tensor | None, pairing: Pairing) -> Tensor:
    """Queries or keys with their rotary embedding; linear in them.

    Args:
        tensor: [pair, pos, head, d_head].
        cos, sin: [pair or 1, pos, d_rotary]; the first d_rotary dimensions turn. None leaves
            all as they are.
    """
    if cos is None or sin is None:
        return tensor
    width = cos.shape[-1]
    turning, rest = tensor[..., :width], tensor[..., width:]
    if pairing is Pairing.ADJACENT:
        turned = torch.stack((-turning[..., 1::2], turning[..., 0::2]), dim=-1).flatten(-2)
    else:
        turned = torch.cat((-turning[..., width // 2 :], turning[..., : width // 2]), dim=-1)
    cos, sin = (t[:, :, None].to(tensor.dtype) for t in (cos, sin))
    return torch.cat((turning * cos + turned * sin, rest), dim=-1)


def capped(scores: Tensor, soft_cap: float | None) -> Tensor:
    """Scores after the soft cap, if there is one."""
    return scores if soft_cap is None else soft_cap * torch.tanh(scores / soft_cap)


def visible_keys(scores: Tensor) -> Tensor:
    """Which keys the mask leaves: masked scores are -inf or hugely negative."""
    return scores > max(torch.finfo(scores.dtype).min, -1e30) / 2


def with_sinks(scores: Tensor, sinks: Tensor | None) -> Tensor:
    """Scores [pair, head, query, key] with the sinks as one more key, if there are any."""
    if sinks is None:
        return scores
    column = sinks.to(scores.dtype)[None, :, None, None].expand(*scores.shape[:3], 1)
    return torch.cat((scores, column), dim=-1)


def per_query_head(tensor: Tensor, n_heads: int) -> Tensor:
    """Keys or values [pair, pos, kv head, d_head] for every query head that reads them."""
    return tensor.repeat_interleave(n_heads // tensor.shape[2], dim=2)


def _is_native(attention: Any) -> bool:
    """Whether TransformerLens' own attention is inside, which shows no scores."""
    native = getattr(attention.original_component, "accepts_pattern_fn", False)
    return type(attention) is AttentionBridge and bool(native)


def _adjacent(config: Any) -> bool:
    names = ("rotary_interleaved_cos_sin", "rotary_adjacent_pairs")
    return any(getattr(config, name, False) for name in names)


def _positive(cap: float | None) -> float | None:
    return float(cap) if cap is not None and cap > 0 else None


def _has(bridge: Any, name: str) -> bool:
    try:
        hook_point(bridge, name)
    except KeyError:
        return False
    return True


def _projection(seen: Mapping[str, Tensor], raw: str, normed: str, layer: int) -> Tensor:
    """Queries or keys as the rotary embedding gets them, [pair, pos, head, d_head]."""
    if normed not in seen:
        return seen[raw].detach()
    if seen[normed].ndim != 4:
        # Then a head's query depends on the other heads', and is no node by itself.
        raise _unexpected(layer, "queries and keys are normed over all heads together")
    return seen[normed].detach().transpose(1, 2)


def _rotation(
    attention: Any, seen: Mapping[str, Tensor], hooks: AttentionHooks, query: Tensor
) -> tuple[Tensor | None, Tensor | None]:
    """Cosines and sines with one entry per dimension that turns."""
    length, d_head = query.shape[1], query.shape[3]
    if _is_native(attention):
        rotary = attention.original_component.rotary
        if rotary is None:
            return None, None
        return rotary.cos_cached[None, :length], rotary.sin_cached[None, :length]
    if hooks.cos not in seen or hooks.sin not in seen:
        return None, None
    cos, sin = seen[hooks.cos].detach(), seen[hooks.sin].detach()
    config, width = attention.config, cos.shape[-1]
    if isinstance(attention, JointQKVAttentionBridge):
        return cos, sin
    if getattr(config, "rotary_adjacent_pairs", False):
        cos, sin = (t[..., : width // 2].repeat_interleave(2, dim=-1) for t in (cos, sin))
    elif width * 2 == d_head and get_rotary_pct_from_config(config) == 1.0:
        cos, sin = (torch.cat((t, t), dim=-1) for t in (cos, sin))
    return cos, sin


def _scores_anew(values: AttentionValues, rule: AttentionRule) -> Tensor:
    """Scores from queries and keys, soft cap in it but no mask: [pair, head, query, key]."""
    query, key = (
        rotated(at_least_float32(t), values.cos, values.sin, rule.pairing)
        for t in (values.query, values.key)
    )
    key = per_query_head(key, query.shape[2])
    product = query.transpose(1, 2) @ key.permute(0, 2, 3, 1)
    return capped(product * rule.scale, rule.soft_cap)


def _own_scores(values: AttentionValues, rule: AttentionRule) -> Tensor:
    """The scores of a model that does not show them."""
    scores = _scores_anew(values, rule)
    if not rule.causal:
        return scores
    later = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).triu(1)
    return scores.masked_fill(later, -torch.inf)


def _check_scores(
    values: AttentionValues, scores: Tensor, rule: AttentionRule, layer: int
) -> None:
    hidden = ~visible_keys(scores)
    anew, seen = (t.masked_fill(hidden, 0.0) for t in (_scores_anew(values, rule), scores))
    _compare(anew, seen, seen, (layer, "scores"))


def _check_output(
    values: AttentionValues, scores: Tensor, rule: AttentionRule, layer: int
) -> None:
    pattern = with_sinks(at_least_float32(scores), rule.sinks).softmax(-1)[
        ..., : scores.shape[-1]
    ]
    value = per_query_head(at_least_float32(values.value), values.output.shape[2])
    anew = (pattern @ value.transpose(1, 2)).transpose(1, 2)
    # A query that sees no key has an output by accident.
    blind = ~visible_keys(scores).any(-1).transpose(1, 2)[..., None]
    anew, seen = (t.masked_fill(blind, 0.0) for t in (anew, values.output))
    _compare(anew, seen, values.value, (layer, "outputs"))


def _compare(anew: Tensor, seen: Tensor, scale: Tensor, what: tuple[int, str]) -> None:
    """Refuse a difference beyond the rounding of `scale`, of its dtype and largest entry.

    What is not finite passes: the run itself says so, and better.
    """
    layer, name = what
    tolerance = TOLERANCE[scale.dtype]
    if scale.device.type == "cuda" and torch.backends.cuda.matmul.allow_tf32:
        tolerance = max(tolerance, _TF32_TOLERANCE)
    off = (anew - at_least_float32(seen)).abs().amax()
    largest = at_least_float32(scale).abs().amax()
    if bool(off > tolerance * largest):
        detail = f"its {name} are off by {float(off):.2g}, the largest is {float(largest):.2g}"
        raise _unexpected(layer, detail)


def _unexpected(layer: int, detail: str) -> RunError:
    return RunError(
        [
            Problem(
                code="ATP406",
                message=f"the attention of layer {layer} is not computed as expected: {detail}",
                help="write `qk_fix = off`, or measure queries and keys with `ap`",
            )
        ]
    )
