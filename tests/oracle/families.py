"""Where the values of each node kind pass through a plain Hugging Face model.

Read off the modelling code of transformers 5, family by family, and on purpose not off any
hook table: this is what the engine is checked against. Facts that are easy to get wrong:

- GPT-2's `c_attn` gives [all queries | all keys | all values], each cut into heads; GPT-NeoX's
  `query_key_value` gives [query | key | value] for head 0, then for head 1, and so on.
- Llama, Qwen2, Qwen3 and Gemma 3 have fewer key-value heads; query head h reads kv head
  h // (n_heads / n_kv_heads). Qwen3 and Gemma 3 norm queries and keys AFTER the projection,
  so heads.q and heads.k are before that norm, and before rotary embedding everywhere.
- Their heads need not have the size d_model / n_heads: `head_dim` is a setting of its own.
- What attention and MLP add to the stream is the output of the module itself, except in
  Gemma 3, where `post_attention_layernorm` and `post_feedforward_layernorm` come in between.
  (In Llama and Qwen `post_attention_layernorm` is the norm BEFORE the MLP.)
- Gemma's embedding module multiplies by sqrt(d_model) itself: `embed` is after that, as it
  enters the stream. GPT-2's `embed` is the token embedding alone, without the position's.
- GPT-NeoX blocks are parallel or sequential by `use_parallel_residual`; a parallel block has
  no stream between attention and MLP.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from torch import Tensor, nn

HEAD_KINDS = ("heads.q", "heads.k", "heads.v", "heads.z")
VECTOR_KINDS = ("attn", "mlp", "resid.pre", "resid.mid", "resid.post", "embed")
KINDS = (*HEAD_KINDS, "neurons", *VECTOR_KINDS)

View = Callable[[Tensor], Tensor]


def unchanged(raw: Tensor) -> Tensor:
    """The activation as the module has it: [pair, pos, width]."""
    return raw


def heads(raw: Tensor, *, count: int) -> Tensor:
    """[pair, pos, head * d_head] -> [pair, pos, head, d_head]."""
    return raw.unflatten(-1, (count, -1))


def gpt2_third(raw: Tensor, *, count: int, third: int) -> Tensor:
    """Queries, keys or values out of [pair, pos, 3 * head * d_head]."""
    return heads(raw.chunk(3, dim=-1)[third], count=count)


def neox_third(raw: Tensor, *, count: int, third: int) -> Tensor:
    """Queries, keys or values out of [pair, pos, head * 3 * d_head]."""
    return heads(raw, count=count).chunk(3, dim=-1)[third]


@dataclass(frozen=True, slots=True)
class Place:
    """The input or output of a module that carries the values of one kind in one layer.

    Attributes:
        side: "input" (first argument) or "output" (first item if it is a tuple).
        view: that tensor as [pair, pos, head, d_head], [pair, pos, neuron] or
            [pair, pos, d_model]; always a view, so that writing to it writes to the tensor.
    """

    module: nn.Module
    side: str
    view: View = unchanged


Places = dict[str, Place]


def gpt2(model: nn.Module, layer: int) -> Places:
    """GPT-2: joint projection, LayerNorm, learned positions, sequential blocks."""
    block = model.transformer.h[layer]
    third = partial(partial, gpt2_third, count=model.config.n_head)
    return {
        "heads.q": Place(block.attn.c_attn, "output", third(third=0)),
        "heads.k": Place(block.attn.c_attn, "output", third(third=1)),
        "heads.v": Place(block.attn.c_attn, "output", third(third=2)),
        "heads.z": Place(block.attn.c_proj, "input", partial(heads, count=model.config.n_head)),
        "attn": Place(block.attn, "output"),
        "mlp": Place(block.mlp, "output"),
        "neurons": Place(block.mlp.c_proj, "input"),
        "resid.pre": Place(block, "input"),
        "resid.mid": Place(block.ln_2, "input"),
        "resid.post": Place(block, "output"),
        "embed": Place(model.transformer.wte, "output"),
    }


def neox(model: nn.Module, layer: int) -> Places:
    """GPT-NeoX: joint projection by head, LayerNorm, partial rotary, parallel or not."""
    block = model.gpt_neox.layers[layer]
    count = model.config.num_attention_heads
    third = partial(partial, neox_third, count=count)
    places = {
        "heads.q": Place(block.attention.query_key_value, "output", third(third=0)),
        "heads.k": Place(block.attention.query_key_value, "output", third(third=1)),
        "heads.v": Place(block.attention.query_key_value, "output", third(third=2)),
        "heads.z": Place(block.attention.dense, "input", partial(heads, count=count)),
        "attn": Place(block.attention, "output"),
        "mlp": Place(block.mlp, "output"),
        "neurons": Place(block.mlp.dense_4h_to_h, "input"),
        "resid.pre": Place(block, "input"),
        "resid.mid": Place(block.post_attention_layernorm, "input"),
        "resid.post": Place(block, "output"),
        "embed": Place(model.gpt_neox.embed_in, "output"),
    }
    if model.config.use_parallel_residual:
        del places["resid.mid"]
    return places


def llama(model: nn.Module, layer: int) -> Places:
    """Llama, Qwen2, Qwen3: separate projections, grouped heads, gated MLP, RMSNorm."""
    block = model.model.layers[layer]
    attention = block.self_attn
    query_heads = partial(heads, count=model.config.num_attention_heads)
    kv_heads = partial(heads, count=model.config.num_key_value_heads)
    return {
        "heads.q": Place(attention.q_proj, "output", query_heads),
        "heads.k": Place(attention.k_proj, "output", kv_heads),
        "heads.v": Place(attention.v_proj, "output", kv_heads),
        "heads.z": Place(attention.o_proj, "input", query_heads),
        "attn": Place(attention, "output"),
        "mlp": Place(block.mlp, "output"),
        "neurons": Place(block.mlp.down_proj, "input"),
        "resid.pre": Place(block, "input"),
        "resid.mid": Place(block.post_attention_layernorm, "input"),
        "resid.post": Place(block, "output"),
        "embed": Place(model.model.embed_tokens, "output"),
    }


def gemma3(model: nn.Module, layer: int) -> Places:
    """Gemma 3: as Llama, with a norm after attention and after the MLP as well."""
    block = model.model.layers[layer]
    return llama(model, layer) | {
        "attn": Place(block.post_attention_layernorm, "output"),
        "mlp": Place(block.post_feedforward_layernorm, "output"),
        "resid.mid": Place(block.pre_feedforward_layernorm, "input"),
    }


BY_MODEL_TYPE: dict[str, Callable[[nn.Module, int], Places]] = {
    "gpt2": gpt2,
    "gpt_neox": neox,
    "llama": llama,
    "qwen2": llama,
    "qwen3": llama,
    "gemma3_text": gemma3,
}


def places(model: nn.Module, layer: int) -> Places:
    """Node kind -> place, for every kind that the model has in this layer.

    `embed` exists once; it is given for every layer and stands before layer 0.
    """
    return BY_MODEL_TYPE[model.config.model_type](model, layer)
