"""The attention that queries or keys act through, head by head, and what is put into them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from atpdsl.binding.nodeset import NodeSet
from atpdsl.nodes.attention import ATTENDING
from atpdsl.runtime.attention import (
    AttentionRule,
    AttentionValues,
    capped,
    per_query_head,
    rotated,
    visible_keys,
    with_sinks,
)
from atpdsl.runtime.sites import at_least_float32
from atpdsl.runtime.spots import Spots, gather

QUERIES, KEYS = ATTENDING


class HeadAttention:
    """The base run's attention for some query heads, in at least float32.

    Attributes:
        query, key: rotated, [pair, head, pos, d_head], keys and values for each query head.
        value: likewise, with a 0 for the sink at the end if the layer has sinks.
        raw: scores before soft cap and mask, [pair, head, query, key].
        visible: of the same shape, which keys the mask leaves.
        scores: what the softmax sees, less each row's largest, which keeps them precise;
            masked ones are -inf, the sink's is the last.
    """

    def __init__(self, base: AttentionValues, rule: AttentionRule, heads: Tensor) -> None:
        if base.scores is None and base.visible is None:
            raise ValueError("the patched run must keep its scores")
        n_heads = base.query.shape[2]

        def ready(tensor: Tensor, *, turn: bool) -> Tensor:
            mine = at_least_float32(chosen_heads(per_query_head(tensor, n_heads), heads))
            if turn:
                mine = rotated(mine, base.cos, base.sin, rule.pairing)
            return mine.transpose(1, 2)

        self.rule = rule
        self.query, self.key = ready(base.query, turn=True), ready(base.key, turn=True)
        self.value = ready(base.value, turn=False)
        self.raw = self.query @ self.key.transpose(-1, -2) * rule.scale
        if base.visible is not None:
            self.visible = base.visible.expand_as(self.raw)
        elif base.scores is not None:
            self.visible = visible_keys(base.scores[:, heads])
        scores = capped(self.raw, rule.soft_cap).masked_fill(~self.visible, -torch.inf)
        if rule.sinks is None:
            # A query that sees nothing: any finite scores do, since none of them changes.
            blind = ~self.visible.any(-1, keepdim=True)
            scores = scores.masked_fill(blind, 0.0)
        else:
            scores = with_sinks(scores, rule.sinks[heads])
            self.value = torch.nn.functional.pad(self.value, (0, 0, 0, 1))
        self.scores = scores - scores.amax(-1, keepdim=True)

    @property
    def every_query(self) -> Tensor:
        """[pair, query], true."""
        pairs, _, length, _ = self.query.shape
        return torch.ones(pairs, length, dtype=torch.bool, device=self.query.device)

    def change(self, raw: Tensor, step: Tensor, used: Tensor) -> Tensor:
        """Changes of scores whose raw ones were `raw` and change by `step`; 0 if not `used`."""
        cap = self.rule.soft_cap
        moved = step if cap is None else capped(raw + step, cap) - capped(raw, cap)
        return moved.masked_fill(~used, 0.0)

    def padded(self, change: Tensor) -> Tensor:
        """Changes of scores, with that of the sink: it has none."""
        missing = self.scores.shape[-1] - change.shape[-1]
        return torch.nn.functional.pad(change, (0, missing))


class Steps:
    """What the patches put into queries or keys, as differences.

    Attributes:
        at: [pair, entry], base positions; an entry per label, or per position of a node over
            the whole sequence.
        there, used: [pair, entry], whether the pair has it, and whether it changes anything.
        step: rotated difference, [pair, head, entry, d_head]; the rotation is that of the
            base position, since that is where the donor's query or key gets.
        everywhere: the entries are all positions in order, the same in both runs.
    """

    def __init__(
        self,
        base: AttentionValues,
        donor: AttentionValues,
        rule: AttentionRule,
        nodes: NodeSet,
        spots: Spots,
    ) -> None:
        device = base.query.device
        flat = (len(spots.base), -1)

        def tensor(array: object) -> Tensor:
            return torch.as_tensor(array).to(device).reshape(flat)

        length = base.query.shape[1]
        self.everywhere = _everywhere(spots, length)
        self.at = tensor(spots.base)
        self.there = tensor(spots.covers)
        self.used = tensor(spots.covers & spots.live[..., None])
        mine, theirs = (
            (base.query, donor.query) if nodes.kind == QUERIES else (base.key, donor.key)
        )
        if not self.everywhere:
            theirs, mine = gather(theirs, tensor(spots.donor)), gather(mine, self.at)
        difference = at_least_float32(theirs) - at_least_float32(mine)
        cos, sin = (self._rows(t) for t in (base.cos, base.sin))
        step = per_query_head(rotated(difference, cos, sin, rule.pairing), base.query.shape[2])
        self.step = chosen_heads(step, query_heads(base, nodes)).transpose(1, 2)

    def rows(self, tensor: Tensor) -> Tensor:
        """The entries' rows of [pair, head, pos, ...]."""
        if self.everywhere:
            return tensor
        return torch.take_along_dim(tensor, self.at[:, None, :, None], dim=2)

    def _rows(self, table: Tensor | None) -> Tensor | None:
        if table is None or self.everywhere:
            return table
        return gather(table.expand(len(self.at), -1, -1), self.at)


def chosen_heads(tensor: Tensor, heads: Tensor) -> Tensor:
    """Some heads of [pair, pos, head, d_head]; the tensor itself where it is all of them."""
    return tensor if len(heads) == tensor.shape[2] else tensor[:, :, heads]


def _everywhere(spots: Spots, length: int) -> bool:
    """Whether the labels are all positions of every pair, the same in both runs."""
    flat = (len(spots.base), -1)
    base, donor = spots.base.reshape(flat), spots.donor.reshape(flat)
    if base.shape[1] != length:
        return False
    every = np.arange(length)[None]
    return bool((base == every).all() and (donor == every).all())


def query_heads(base: AttentionValues, nodes: NodeSet) -> Tensor:
    """The query heads that the nodes have a part in, node by node."""
    indices = torch.tensor(nodes.indices, device=base.query.device)
    if nodes.kind == QUERIES:
        return indices
    if nodes.kind != KEYS:
        raise ValueError(f"{nodes.kind} does not act through the softmax")
    group = base.query.shape[2] // base.key.shape[2]
    return (indices[:, None] * group + torch.arange(group, device=indices.device)).flatten()
