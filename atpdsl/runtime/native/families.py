"""From a bridge to the weights inside it: TransformerLens names the parts alike everywhere."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from atpdsl.runtime.native.activations import activation
from atpdsl.runtime.native.weights import (
    Attention,
    Block,
    Mlp,
    NativeModel,
    Norm,
    Projection,
    Rotary,
)
from atpdsl.runtime.sites import at_least_float32

ARCHITECTURES = frozenset(
    {
        "GPT2LMHeadModel",
        "GPTNeoXForCausalLM",
        "LlamaForCausalLM",
        "MistralForCausalLM",
        "Qwen2ForCausalLM",
        "Qwen3ForCausalLM",
        "Gemma3ForCausalLM",
    }
)


class UnknownModelError(ValueError):
    """There is no native code for something in this model."""


def native_model(bridge: Any) -> NativeModel:
    """The weights of the model in a bridge; none is copied, but Gemma's gains of norms.

    Raises:
        UnknownModelError: for an architecture, or a setting of one, that there is no code for.
    """
    model = bridge.original_model
    name = type(model).__name__
    if name not in ARCHITECTURES:
        raise UnknownModelError(f"`{name}` has no native code")
    devices = sorted({str(parameter.device) for parameter in model.parameters()})
    if len(devices) > 1:
        raise UnknownModelError(f"its weights are on several devices ({', '.join(devices)})")
    rotary = _inner(getattr(model.base_model, "rotary_emb", None))
    position = _inner(getattr(bridge, "pos_embed", None)) if rotary is None else None
    return NativeModel(
        embed=_inner(bridge.embed),
        position=None if position is None else position.weight,
        rotary=None if rotary is None else _tables(rotary, by_layer=name.startswith("Gemma")),
        blocks=tuple(_block(model.config, block) for block in bridge.blocks),
        final_norm=_norm(bridge.ln_final),
        unembed=_projection(bridge.unembed),
        soft_cap=getattr(model.config, "final_logit_softcapping", None),
    )


def _block(config: Any, block: Any) -> Block:
    parts, mlp = block.submodules, block.mlp
    gated = "gate" in mlp.submodules
    act = getattr(config, "activation_function", None) or getattr(
        config, "hidden_activation", getattr(config, "hidden_act", None)
    )
    inner = _inner(mlp)
    function = getattr(inner, "act", None) or inner.act_fn
    return Block(
        attention_norm=_norm(block.ln1),
        attention=_attention(config, block.attn),
        attention_post=_norm(block.ln1_post) if "ln1_post" in parts else None,
        mlp_norm=_norm(block.ln2),
        mlp=Mlp(
            gate=_projection(mlp.gate if gated else getattr(mlp, "in")),
            up=_projection(getattr(mlp, "in")) if gated else None,
            output=_projection(mlp.out),
            activation=activation(str(act), function),
        ),
        mlp_post=_norm(block.ln2_post) if "ln2_post" in parts else None,
        parallel=bool(getattr(_inner(block), "use_parallel_residual", False)),
    )


def _attention(config: Any, attention: Any) -> Attention:
    module = _inner(attention)
    if getattr(module, "reorder_and_upcast_attn", False):
        raise UnknownModelError("its attention scores are computed in another precision")
    if getattr(module, "attn_logit_softcapping", None) is not None:
        raise UnknownModelError("its attention scores are capped")
    query = _projection(attention.q)
    heads = int(config.num_attention_heads)
    d_head = len(query.weight) // heads
    key = _projection(attention.k)
    by_layer = hasattr(config, "layer_types")
    window = module.sliding_window if by_layer else getattr(config, "sliding_window", None)
    return Attention(
        query=query,
        key=key,
        value=_projection(attention.v),
        output=_projection(attention.o),
        n_heads=heads,
        n_kv_heads=len(key.weight) // d_head,
        d_head=d_head,
        scale=float(module.scaling),
        query_norm=_norm(attention.q_norm) if "q_norm" in attention.submodules else None,
        key_norm=_norm(attention.k_norm) if "k_norm" in attention.submodules else None,
        window=window,
        rotary=(getattr(module, "layer_type", None) or "") if by_layer else "",
    )


def _tables(rotary: Any, *, by_layer: bool) -> Rotary:
    def tables(like: Tensor, positions: Tensor, name: str) -> tuple[Tensor, Tensor]:
        cos, sin = rotary(like, positions, name) if by_layer else rotary(like, positions)
        return cos, sin

    return tables


def _projection(part: Any) -> Projection:
    module = _inner(part)
    transposed = type(module).__name__ == "Conv1D"
    weight = module.weight.detach()
    bias = getattr(module, "bias", None)
    return Projection(
        weight=weight.T if transposed else weight,
        bias=None if bias is None else bias.detach(),
    )


def _norm(part: Any) -> Norm:
    module = _inner(part)
    gain = module.weight.detach()
    if type(module).__name__.startswith("Gemma"):
        gain = 1.0 + at_least_float32(gain)
    bias = getattr(module, "bias", None)
    centred = type(module).__name__ == "LayerNorm"
    eps = module.eps if hasattr(module, "eps") else module.variance_epsilon
    return Norm(
        gain=gain,
        bias=None if bias is None else bias.detach(),
        eps=float(eps),
        centred=centred,
    )


def _inner(part: Any) -> Any:
    """The Hugging Face module inside a part of the bridge."""
    return getattr(part, "original_component", part)
