"""The backward of one block by hand, for many cotangents at once.

Written by hand, a backward can be restricted to some positions, carries all streams in the
same matrix products, and keeps nothing that the forward has not kept anyway. Gradients are
[stream, row, pos, ...] with the positions from `start` on.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property

import torch
from torch import Tensor

from atpdsl.runtime.attention import per_query_head
from atpdsl.runtime.native.block import Trace, mask_of, of_queries
from atpdsl.runtime.native.frame import Frame
from atpdsl.runtime.native.norms import pull_norm
from atpdsl.runtime.native.weights import Block
from atpdsl.runtime.sites import at_least_float32


class BlockBackward:
    """Vector-Jacobian products of one block's run.

    Args:
        start: the first position whose gradient is wanted; not before the frame's.
    """

    def __init__(self, block: Block, trace: Trace, frame: Frame, start: int) -> None:
        self.block, self.frame, self.start = block, frame, start
        self._trace, self._attended, self._written = trace, trace.attended, trace.written
        self._skip = start - frame.start
        self.narrow = trace.narrow

    # ---- the MLP

    def neurons(self, gradient: Tensor) -> Tensor:
        """From what the MLP writes to its neurons, [stream, row, pos or 1, d_mlp]."""
        block, written = self.block, self._written
        if block.mlp_post is not None and written.raw_mlp is not None:
            gradient = pull_norm(block.mlp_post, self._mine(written.raw_mlp), gradient)
        return block.mlp.output.pull(gradient)

    def mlp(
        self, gradient: Tensor, wanted: Collection[str]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """From what the MLP writes to what it reads, and the neurons' if wanted.

        Args:
            gradient: [stream, row, pos or 1, d_model].
        """
        block, written = self.block, self._written
        hidden = self.neurons(gradient)
        found = {"neurons": hidden} if "neurons" in wanted else {}
        activation, gate = block.mlp.activation, self._mine(written.gate)
        if written.up is None or block.mlp.up is None:
            read = block.mlp.gate.pull(self._through_activation(hidden, gate))
        else:
            up = self._mine(written.up)
            read = block.mlp.up.pull(hidden * activation.value(gate))
            read += block.mlp.gate.pull(self._through_activation(hidden * up, gate))
        return pull_norm(block.mlp_norm, self._mine(self._written.read), read), found

    def _through_activation(self, hidden: Tensor, gate: Tensor) -> Tensor:
        activation = self.block.mlp.activation
        if len(hidden) == 1:
            return activation.pull(hidden[0], gate)[None]
        return hidden * activation.slope(gate)

    # ---- the attention

    def attention(
        self, gradient: Tensor, wanted: Collection[str], *, to_input: bool
    ) -> tuple[Tensor | None, dict[str, Tensor]]:
        """From what the attention writes to its input, and its nodes' gradients if wanted.

        Args:
            gradient: [stream, row, pos or 1, d_model].
        """
        block, written = self.block, self._written
        if block.attention_post is not None and written.raw_attention is not None:
            gradient = pull_norm(
                block.attention_post, self._mine(written.raw_attention), gradient
            )
        output = block.attention.output.pull(gradient)
        output = output.reshape(*output.shape[:-1], -1, block.attention.d_head)
        if self.narrow.rest and not self.narrow.queries:
            output = self.frame.spread_gradient(output, self.start)
        found = {"heads.z": output} if "heads.z" in wanted else {}
        asked = {"heads.q", "heads.k", "heads.v"} & set(wanted)
        if not to_input and not asked:
            return None, found
        if to_input:
            asked = {"heads.q", "heads.k", "heads.v"}
        parts = self._queries_keys_values(output, asked)
        found |= {name: parts[name] for name in parts if name in wanted}
        return (self._to_input(parts) if to_input else None), found

    @cached_property
    def _scores(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Pattern, queries, keys, values: [row, head, query, key] and [row, head, pos, d]."""
        attended, attention = self._attended, self.block.attention
        query = attended.query if self.narrow.queries else attended.query[:, self._skip :]
        query = query.transpose(1, 2)
        keys, values = (
            per_query_head(t, attention.n_heads).transpose(1, 2)
            for t in (attended.keys, attended.values)
        )
        scores = at_least_float32(query @ keys.transpose(-1, -2)) * attention.scale
        mask = mask_of(attention, self.frame, self.narrow)
        if mask is None:
            mask = self.frame.mask(attention.window)[None, None]
        if not self.narrow.queries:
            mask = mask[:, :, self._skip :]
        pattern = scores.masked_fill(~mask, -torch.inf).softmax(-1).to(query.dtype)
        return pattern, query, keys, values

    def _queries_keys_values(self, output: Tensor, asked: set[str]) -> dict[str, Tensor]:
        """Gradients at the hooks of queries, keys and values, [stream, row, pos, head, d]."""
        pattern, query, keys, values = self._scores
        # [row, head, stream, query, d]: the streams are more rows of the same products.
        stacked = output.permute(1, 3, 0, 2, 4)
        streams = len(output)
        found: dict[str, Tensor] = {}
        if "heads.v" in asked:
            wide = output.permute(1, 3, 2, 0, 4).flatten(3)
            mine = pattern[..., self.start :].transpose(-1, -2) @ wide
            apart = mine.view(*mine.shape[:-1], streams, -1)
            found["heads.v"] = self._to_hook(apart.permute(0, 1, 3, 2, 4), None)
        if not asked & {"heads.q", "heads.k"}:
            return found
        weights = _apart(stacked.flatten(2, 3) @ values.transpose(-1, -2), streams)
        weights *= pattern[:, :, None]
        scores = weights - pattern[:, :, None] * weights.sum(-1, keepdim=True)
        scores *= self.block.attention.scale
        if "heads.q" in asked:
            mine = _apart(scores.flatten(2, 3) @ keys, streams)
            found["heads.q"] = self._to_hook(mine, "heads.q")
        if "heads.k" in asked:
            columns = scores[..., self.start :].transpose(-1, -2)
            mine = _apart(columns.flatten(2, 3) @ query, streams)
            found["heads.k"] = self._to_hook(mine, "heads.k")
        return found

    def _to_hook(self, gradient: Tensor, kind: str | None) -> Tensor:
        """To a hook: [row, head, stream, pos, d] -> [stream, row, pos, (kv) head, d]."""
        attention, attended = self.block.attention, self._attended
        gradient = gradient.permute(2, 0, 3, 1, 4)
        if kind != "heads.q" and attention.n_kv_heads != attention.n_heads:
            *where, _, size = gradient.shape
            gradient = gradient.reshape(*where, attention.n_kv_heads, -1, size).sum(4)
        if kind is None:
            return gradient
        rotation = self.frame.rotation(attention)
        narrow = self.narrow.queries and kind == "heads.q"
        if kind == "heads.q":
            rotation = of_queries(rotation, self.frame, self.narrow)
        if rotation is not None:
            skip = 0 if narrow else self._skip
            gradient = turned_back(gradient, *(table[:, skip:] for table in rotation))
        norm = attention.query_norm if kind == "heads.q" else attention.key_norm
        raw = attended.raw_query if kind == "heads.q" else attended.raw_key
        if norm is not None and raw is not None:
            gradient = pull_norm(norm, raw if narrow else raw[:, self._skip :], gradient)
        return gradient

    def _to_input(self, parts: dict[str, Tensor]) -> Tensor:
        """Through the projections and the norm, to the stream: [stream, row, pos, d_model]."""
        attention = self.block.attention
        read = _pulled(attention.key.weight, parts["heads.k"], None)
        read = _pulled(attention.value.weight, parts["heads.v"], read)
        if self.narrow.queries:
            asked = _pulled(attention.query.weight, parts["heads.q"], None)
            self.frame.add_read(read, asked, self.start)
        else:
            read = _pulled(attention.query.weight, parts["heads.q"], read)
        x = self._trace.input[:, self._skip :]
        return pull_norm(self.block.attention_norm, x, read)

    # ---- positions

    def _mine(self, tensor: Tensor) -> Tensor:
        """The positions of the gradient, of what is there for all."""
        return tensor if self.narrow.rest else tensor[:, self._skip :]


def turned_back(gradient: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """The transpose of the rotary embedding: gradients of queries or keys before it.

    Args:
        gradient: [stream, row, pos, head, d].
        cos, sin: [1 or row, pos, 1, d_rotary].
    """
    width = cos.shape[-1]
    turning, rest = gradient[..., :width], gradient[..., width:]
    across = turning * sin
    half = width // 2
    turned = torch.cat((across[..., half:], -across[..., :half]), dim=-1)
    turned += turning * cos
    return turned if not rest.shape[-1] else torch.cat((turned, rest), dim=-1)


def _apart(tensor: Tensor, streams: int) -> Tensor:
    """[row, head, stream * pos, d] -> [row, head, stream, pos, d]."""
    rows, heads, _, size = tensor.shape
    return tensor.view(rows, heads, streams, -1, size)


def _pulled(weight: Tensor, gradient: Tensor, onto: Tensor | None) -> Tensor:
    """Through a weight, added to `onto` in place: [stream, row, pos, ...] -> [..., d]."""
    flat = gradient.flatten(3)
    if onto is None:
        return flat @ weight
    onto.view(-1, onto.shape[-1]).addmm_(flat.reshape(-1, flat.shape[-1]), weight)
    return onto
