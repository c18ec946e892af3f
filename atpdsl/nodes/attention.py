"""The hooks of an attention layer, to compute its pattern anew, and of the residual stream."""

from __future__ import annotations

from dataclasses import dataclass

ATTENDING = ("heads.q", "heads.k")
"""Node kinds that act through the softmax, and so have a QK fix."""


@dataclass(frozen=True, slots=True)
class AttentionHooks:
    """Hooks of one attention layer; which of them fire depends on the architecture.

    Attributes:
        query, key, value: projections, [pair, pos, head, d_head]; keys and values with one
            entry per kv head.
        query_normed, key_normed: after the norm of queries and keys, [pair, head, pos,
            d_head], where the model has one.
        cos, sin: of the rotary embedding, [pair or 1, pos, d_rotary], where it has one.
        scores: what the softmax sees, masked, [pair, head, query, key]; TransformerLens' own
            models show the pattern there.
        pattern: what the softmax gives, of the same shape.
        output: z, [pair, pos, head, d_head].
    """

    query: str
    key: str
    value: str
    query_normed: str
    key_normed: str
    cos: str
    sin: str
    scores: str
    pattern: str
    output: str


def attention_hooks(layer: int) -> AttentionHooks:
    """The hooks of the attention in a layer."""
    at = f"blocks.{layer}.attn"
    return AttentionHooks(
        query=f"{at}.hook_q",
        key=f"{at}.hook_k",
        value=f"{at}.hook_v",
        query_normed=f"{at}.hook_q_normed",
        key_normed=f"{at}.hook_k_normed",
        cos=f"{at}.hook_cos",
        sin=f"{at}.hook_sin",
        scores=f"{at}.hook_attn_scores",
        pattern=f"{at}.hook_pattern",
        output=f"{at}.hook_z",
    )


def block_input(layer: int) -> str:
    """The residual stream where it enters a block, [pair, pos, d_model]."""
    return f"blocks.{layer}.hook_resid_pre"


def block_output(layer: int) -> str:
    """The residual stream where it leaves a block."""
    return f"blocks.{layer}.hook_resid_post"


def attention_write(layer: int) -> str:
    """What the attention adds to the stream, after its norm where it has one."""
    return f"blocks.{layer}.hook_attn_out"


def mlp_write(layer: int) -> str:
    """What the MLP adds to the stream, after its norm where it has one."""
    return f"blocks.{layer}.hook_mlp_out"
