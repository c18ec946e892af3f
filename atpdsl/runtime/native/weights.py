"""The weights and constants of a model, as its blocks use them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from atpdsl.runtime.native.activations import Activation


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Projection:
    """An affine map, y = x W^T + b.

    Attributes:
        weight: [out, in], maybe a transposed view.
        bias: [out].
    """

    weight: Tensor
    bias: Tensor | None = None

    def __call__(self, x: Tensor) -> Tensor:
        """[..., in] -> [..., out]."""
        return torch.nn.functional.linear(x, self.weight, self.bias)

    def pull(self, gradient: Tensor) -> Tensor:
        """Gradient at the input, [..., out] -> [..., in]."""
        return gradient @ self.weight


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Norm:
    """A normalisation of the last axis.

    Attributes:
        gain: what is multiplied afterwards, [d]; Gemma's 1 is in it.
        bias: [d], of a LayerNorm.
        centred: LayerNorm, which subtracts the mean; else RMS norm.
    """

    gain: Tensor
    bias: Tensor | None
    eps: float
    centred: bool


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Attention:
    """One layer's attention.

    Attributes:
        query, key, value: from the normalised input, flat over heads.
        output: from z, flat over heads, to what the attention writes.
        scale: scores are scale * query . key.
        query_norm, key_norm: of single heads, before the rotary embedding.
        window: how many keys up to and with its own a query sees; None is all.
        rotary: which of the model's rotary tables it uses.
    """

    query: Projection
    key: Projection
    value: Projection
    output: Projection
    n_heads: int
    n_kv_heads: int
    d_head: int
    scale: float
    query_norm: Norm | None = None
    key_norm: Norm | None = None
    window: int | None = None
    rotary: str = ""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Mlp:
    """One layer's MLP: output(activation(gate(x)) * up(x)), without up where it has none."""

    gate: Projection
    up: Projection | None
    output: Projection
    activation: Activation


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Block:
    """One layer.

    Attributes:
        attention_post, mlp_post: norms of what is written, before it is added to the stream.
        parallel: the MLP reads the block's input, not the sum of it and the attention's write.
    """

    attention_norm: Norm
    attention: Attention
    attention_post: Norm | None
    mlp_norm: Norm
    mlp: Mlp
    mlp_post: Norm | None
    parallel: bool


Rotary = Callable[[Tensor, Tensor, str], tuple[Tensor, Tensor]]
"""(a tensor of the dtype, positions [1, pos], table) -> cosines and sines, [1, pos, d]."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class NativeModel:
    """A whole model.

    Attributes:
        embed: token ids -> [..., d_model], what the node `embed` is.
        position: learned embeddings of positions, [n_context, d_model], added to it.
        rotary: cosines and sines of positions, for models that turn queries and keys.
        unembed: from the last norm to the logits.
        soft_cap: of the logits, c tanh(x / c).
    """

    embed: Callable[[Tensor], Tensor]
    position: Tensor | None
    rotary: Rotary | None
    blocks: tuple[Block, ...]
    final_norm: Norm
    unembed: Projection
    soft_cap: float | None
