"""The QK fix by brute force: every node's softmax row by row, on the plain model.

As the paper writes it (Kramar et al. 2024, eqs. 6 to 10), in the space of attention weights:
the sum over queries and keys of (patched weight - weight) times the gradient of that weight.
Nothing of TransformerLens and nothing of the engine is used.
"""

from __future__ import annotations

from contextlib import ExitStack

import torch
from torch import Tensor, nn

from tests.oracle.families import places
from tests.oracle.metrics import Metric
from tests.oracle.plain import Activations, _watched, capture


def weights(
    query: Tensor,
    key: Tensor,
    mask: Tensor,
    scale: float,
    *,
    soft_cap: float | None = None,
    sinks: Tensor | None = None,
) -> Tensor:
    """Attention weights [pair, head, query, key], row by row; 0 in rows that see nothing.

    Args:
        query, key: as the scores see them, [pair, head, pos, d_head].
        mask: which keys are seen, broadcastable to the weights.
        sinks: [head], the score of a key whose weight is left out of the result.
    """
    rows = []
    for i in range(query.shape[2]):
        scores = (query[:, :, i : i + 1] * key).sum(-1) * scale
        if soft_cap is not None:
            scores = soft_cap * torch.tanh(scores / soft_cap)
        seen = mask.expand(*scores.shape[:2], query.shape[2], key.shape[2])[:, :, i]
        scores = torch.where(seen, scores, -torch.inf)
        if sinks is not None:
            sink = sinks[None, :, None].expand(*scores.shape[:2], 1)
            scores = torch.cat((scores, sink), dim=-1)
        exponentials = (scores - scores.amax(-1, keepdim=True)).exp()
        row = exponentials / exponentials.sum(-1, keepdim=True)
        rows.append(row.nan_to_num(0.0)[..., : key.shape[2]])
    return torch.stack(rows, dim=2)


def turned(tensor: Tensor, frequencies: Tensor) -> Tensor:
    """Rotary embedding by complex numbers, [pair, pos, head, d_head].

    Dimension i and i + n of the first 2n are one complex number; at position t it is
    multiplied by exp(1j t frequency_i).
    """
    n = len(frequencies)
    numbers = torch.complex(tensor[..., :n].contiguous(), tensor[..., n : 2 * n].contiguous())
    angles = torch.arange(tensor.shape[1])[:, None] * frequencies
    numbers = numbers * torch.polar(torch.ones_like(angles), angles)[:, None]
    return torch.cat((numbers.real, numbers.imag, tensor[..., 2 * n :]), dim=-1)


@torch.no_grad()
def as_scored(model: nn.Module, layer: int, kind: str, raw: Tensor) -> Tensor:
    """Queries or keys of a projection as the scores see them, for every query head.

    Args:
        raw: `heads.q` or `heads.k`, [pair, pos, head or kv head, d_head].

    Returns:
        [pair, head, pos, d_head].
    """
    config = model.config
    if config.model_type == "gpt_neox":
        raw = turned(raw, model.gpt_neox.rotary_emb.inv_freq.double())
    elif config.model_type != "gpt2":
        module = model.model.layers[layer].self_attn
        if config.model_type in ("qwen3", "gemma3_text"):
            raw = (module.q_norm if kind == "heads.q" else module.k_norm)(raw)
        raw = turned(raw, _frequencies(model, layer).double())
    return for_every_head(model, raw)


def _frequencies(model: nn.Module, layer: int) -> Tensor:
    rotary = model.model.rotary_emb
    if model.config.model_type == "gemma3_text":
        return getattr(rotary, f"{model.config.layer_types[layer]}_inv_freq")
    return rotary.inv_freq


def for_every_head(model: nn.Module, tensor: Tensor) -> Tensor:
    """[pair, pos, kv head, d_head] -> [pair, head, pos, d_head]: head h reads h // group."""
    n_heads = model.config.num_attention_heads
    group = n_heads // tensor.shape[2]
    return torch.stack([tensor[:, :, head // group] for head in range(n_heads)], dim=1)


def seen_keys(model: nn.Module, layer: int, length: int) -> Tensor:
    """[query, key], which keys a query sees: itself and those before, or the last few."""
    age = torch.arange(length)[:, None] - torch.arange(length)
    types = getattr(model.config, "layer_types", None) or ["full_attention"] * (layer + 1)
    sliding = types[layer] == "sliding_attention"
    return (age >= 0) & (age < (model.config.sliding_window if sliding else length))


def scale_of(model: nn.Module, d_head: int) -> float:
    """What products of queries and keys are multiplied by."""
    if model.config.model_type == "gemma3_text":
        return model.config.query_pre_attn_scalar**-0.5
    return d_head**-0.5


def pattern(model: nn.Module, layer: int, query: Tensor, key: Tensor) -> Tensor:
    """Attention weights [pair, head, query, key] out of the projections' outputs."""
    return weights(
        as_scored(model, layer, "heads.q", query),
        as_scored(model, layer, "heads.k", key),
        seen_keys(model, layer, query.shape[1]),
        scale_of(model, query.shape[-1]),
    )


def output_gradients(model: nn.Module, tokens: Tensor, metric: Metric) -> list[Tensor]:
    """dL/dz of each layer, [pair, pos, head, d_head]."""
    outputs: list[Tensor] = []
    views = []
    with ExitStack() as hooks:
        for layer in range(model.config.num_hidden_layers):
            place = places(model, layer)["heads.z"]

            def keep(raw: Tensor) -> None:
                outputs.append(raw)

            views.append(place.view)
            hooks.enter_context(_watched(place.module, place.side, keep))
        with torch.enable_grad():
            logits = model(tokens, use_cache=False).logits
    found = torch.autograd.grad(metric(logits).sum(), outputs)
    return [view(gradient) for view, gradient in zip(views, found, strict=True)]


class Fix:
    """The QK fix of single patches in one layer.

    Args:
        base: activations of the run that is patched.
        gradient: dL/dz of the layer, [pair, pos, head, d_head].
    """

    def __init__(
        self, model: nn.Module, layer: int, base: Activations, gradient: Tensor
    ) -> None:
        self.model, self.layer = model, layer
        self.query, self.key = base["heads.q", layer], base["heads.k", layer]
        value = for_every_head(model, base["heads.v", layer])
        self.weights = pattern(model, layer, self.query, self.key)
        self.of_weights = gradient.transpose(1, 2) @ value.transpose(-1, -2)

    def estimate(self, kind: str, projection: Tensor) -> Tensor:
        """[pair], of `heads.q` or `heads.k` set to a whole projection."""
        if kind == "heads.q":
            after = pattern(self.model, self.layer, projection, self.key)
        else:
            after = pattern(self.model, self.layer, self.query, projection)
        return ((after - self.weights) * self.of_weights).sum((1, 2, 3))


def every_fixed_estimate(
    model: nn.Module, base: Tensor, donor: Tensor, kind: str, metric: Metric, *, whole: bool
) -> Tensor:
    """The QK fix of every query or key: [pair, layer, index, position]."""
    clean, other = capture(model, base), capture(model, donor)
    gradients = output_gradients(model, base, metric)
    layers = []
    for layer, gradient in enumerate(gradients):
        mine, theirs = clean[kind, layer], other[kind, layer]
        fix = Fix(model, layer, clean, gradient)
        rows = []
        for index in range(mine.shape[2]):
            row = []
            for position in [slice(None)] if whole else range(mine.shape[1]):
                new = mine.clone()
                new[:, position, index] = theirs[:, position, index]
                row.append(fix.estimate(kind, new))
            rows.append(torch.stack(row, dim=1))
        layers.append(torch.stack(rows, dim=1))
    return torch.stack(layers, dim=1)
