"""One block forward, with a callback at every place where nodes live."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from atpdsl.runtime.attention import Pairing, per_query_head, rotated
from atpdsl.runtime.native.frame import Frame
from atpdsl.runtime.native.norms import normed
from atpdsl.runtime.native.weights import Attention, Block, Mlp, Norm

At = Callable[[str, Tensor], Tensor]
"""(node kind, activation) -> the activation that the block goes on with."""


@dataclass(frozen=True, slots=True)
class Past:
    """Keys, as the scores see them, and values of earlier positions, [row, pos, kv head, d]."""

    keys: Tensor
    values: Tensor


@dataclass(frozen=True, slots=True)
class Narrow:
    """What is computed for the positions that are read alone, as in a last layer.

    The queries may be wanted everywhere where the rest is not.
    """

    queries: bool = False
    rest: bool = False


WIDE = Narrow()
LAST = Narrow(queries=True, rest=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attended:
    """What is kept of an attention; positions are those of the frame.

    Attributes:
        query: as the scores see it, [row, query, head, d_head].
        keys, values: from position 0 on, [row, key, kv head, d_head].
        output: z, [row, query, head, d_head].
        raw_query, raw_key: before the norms of queries and keys, where there are any.
    """

    query: Tensor
    keys: Tensor
    values: Tensor
    output: Tensor
    raw_query: Tensor | None
    raw_key: Tensor | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What is kept of how a block writes to the stream.

    Attributes:
        read: what the MLP reads before its norm, [row, pos, d_model].
        gate, up: what the MLP's activation sees, and what its value is multiplied by.
        raw_attention, raw_mlp: before the norms of what is written, where there are any.
    """

    read: Tensor
    gate: Tensor
    up: Tensor | None
    raw_attention: Tensor | None
    raw_mlp: Tensor | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What a block's run leaves for its backward.

    Attributes:
        input: the residual stream, [row, pos, d_model].
        narrow: what was computed for the positions that are read alone.
    """

    input: Tensor
    attended: Attended
    written: Written
    narrow: Narrow


def run_block(
    block: Block, x: Tensor, frame: Frame, at: At, *, past: Past | None, narrow: Narrow = WIDE
) -> tuple[Tensor, Trace]:
    """The residual stream after a block, at the positions of the frame or those read.

    Args:
        x: the stream before it, [row, pos, d_model].
        at: called with every activation in order; q, k, v and z by head.
    """
    x = at("resid.pre", x)
    attended = attend(block, x, frame, at, past=past, narrow=narrow)
    z = attended.output
    if narrow.rest:
        if not narrow.queries:
            z = frame.read(z)
        stream = frame.read(x)
    else:
        stream = x
    out, written = write(block, stream, z, at)
    return out, Trace(input=x, attended=attended, written=written, narrow=narrow)


def attend(
    block: Block, x: Tensor, frame: Frame, at: At, *, past: Past | None, narrow: Narrow
) -> Attended:
    """The attention up to z, before what it writes."""
    attention = block.attention
    source = normed(block.attention_norm, x)
    asking = frame.read(source) if narrow.queries else source
    raw_query = at("heads.q", _heads(attention, attention.query(asking)))
    raw_key = at("heads.k", _heads(attention, attention.key(source)))
    values = at("heads.v", _heads(attention, attention.value(source)))
    rotation = frame.rotation(attention)
    query = placed(attention.query_norm, raw_query, of_queries(rotation, frame, narrow))
    keys = placed(attention.key_norm, raw_key, rotation)
    if past is not None:
        keys, values = torch.cat((past.keys, keys), 1), torch.cat((past.values, values), 1)
    z = at(
        "heads.z",
        mixed_values(attention, query, keys, values, mask_of(attention, frame, narrow)),
    )
    return Attended(
        query=query,
        keys=keys,
        values=values,
        output=z,
        raw_query=raw_query if attention.query_norm is not None else None,
        raw_key=raw_key if attention.key_norm is not None else None,
    )


def raw_queries(block: Block, x: Tensor) -> Tensor:
    """Queries before norm and rotary embedding, [row, pos, head, d_head]."""
    return _heads(block.attention, block.attention.query(normed(block.attention_norm, x)))


def write(block: Block, stream: Tensor, z: Tensor, at: At) -> tuple[Tensor, Written]:
    """The stream with what attention and MLP add to it, position by position.

    Args:
        stream: before the block, [row, pos, d_model].
        z: [row, pos, head, d_head].
    """
    raw_attention = block.attention.output(z.flatten(2))
    added = at("attn", _after(block.attention_post, raw_attention))
    middle = at("resid.mid", stream + added)
    read = stream if block.parallel else middle
    gate, up, hidden = _hidden(block.mlp, normed(block.mlp_norm, read))
    raw_mlp = block.mlp.output(at("neurons", hidden))
    out = at("resid.post", middle + at("mlp", _after(block.mlp_post, raw_mlp)))
    return out, Written(
        read=read,
        gate=gate,
        up=up,
        raw_attention=raw_attention if block.attention_post is not None else None,
        raw_mlp=raw_mlp if block.mlp_post is not None else None,
    )


def placed(norm: Norm | None, raw: Tensor, rotation: tuple[Tensor, Tensor] | None) -> Tensor:
    """Queries or keys with their norm and rotary embedding."""
    tensor = raw if norm is None else normed(norm, raw)
    if rotation is None:
        return tensor
    cos, sin = (table[:, :, 0] for table in rotation)
    return rotated(tensor, cos, sin, Pairing.HALVES)


def mask_of(attention: Attention, frame: Frame, narrow: Narrow) -> Tensor | None:
    """Which keys each query sees, [1 or row, 1, query, key]; None: all up to its own."""
    if narrow.queries:
        rows = frame.mask(attention.window)[frame.reads - frame.start]
        return rows[:, None, None]
    seen = frame.visible(attention)
    return None if seen is None else seen[None, None]


def mixed_values(
    attention: Attention, query: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None
) -> Tensor:
    """z, [row, query, head, d_head]: the values weighted by the attention."""
    keys, values = (
        per_query_head(t, attention.n_heads).transpose(1, 2) for t in (keys, values)
    )
    mixed = torch.nn.functional.scaled_dot_product_attention(
        query.transpose(1, 2),
        keys,
        values,
        attn_mask=mask,
        is_causal=mask is None,
        scale=attention.scale,
    )
    return mixed.transpose(1, 2)


def of_queries(
    rotation: tuple[Tensor, Tensor] | None, frame: Frame, narrow: Narrow
) -> tuple[Tensor, Tensor] | None:
    """The rotation of the queries, [1 or row, query, 1, d_rotary]."""
    if rotation is None or not narrow.queries:
        return rotation
    cos, sin = (table[0][frame.reads - frame.start][:, None] for table in rotation)
    return cos, sin


def _heads(attention: Attention, flat: Tensor) -> Tensor:
    return flat.view(*flat.shape[:-1], -1, attention.d_head)


def _after(norm: Norm | None, raw: Tensor) -> Tensor:
    return raw if norm is None else normed(norm, raw)


def _hidden(mlp: Mlp, source: Tensor) -> tuple[Tensor, Tensor | None, Tensor]:
    """What the activation sees, what multiplies it, and the neurons: [row, pos, d_mlp]."""
    gate = mlp.gate(source)
    hidden = mlp.activation.value(gate)
    if mlp.up is None:
        return gate, None, hidden
    up = mlp.up(source)
    return gate, up, hidden * up
