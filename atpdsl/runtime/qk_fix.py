"""The QK fix: what patching a query or a key does to the attention's output, exactly.

A gradient through a saturated softmax is next to nothing, however far the patch moves the
softmax. So the softmax is computed anew with the patched query or key, and only what comes
after the attention is linear (Kramar et al. 2024, section 3.1).

Everything here is in value space. The paper's estimate is sum_j dp_ij g_ij, with dp the change
of the attention weights of query i and g_ij = v_j . dL/dz_i the gradient of those weights; that
is (z_i patched - z_i) . dL/dz_i. It needs no gradient of the pattern and is linear in dL/dz:
all the work with softmaxes is done once, however many gradients there are.

For a key t (the paper's eqs. 8 to 10, in closed form) let a = log(p_t / (1 - p_t)) be the
log-odds of its weight and d the change of its score. Its weight changes by

    D = sigmoid(a + d) - sigmoid(a)

and the others share -D in proportion, so the output changes by D (v_t - mean of v without t),
where the mean is (z - p_t v_t) / (1 - p_t). That division and the log-odds break where p_t
comes near 1, which is where the fix is needed. But at most one key of a query has a weight
above 1/2: for the largest one, the softmax without it is computed by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from atpdsl.binding.nodeset import NodeSet
from atpdsl.runtime.attention import AttentionRule, AttentionValues
from atpdsl.runtime.head_attention import (
    QUERIES,
    HeadAttention,
    Steps,
    chosen_heads,
    query_heads,
)
from atpdsl.runtime.sites import at_least_float32
from atpdsl.runtime.softmax import sigmoid_change, softmax_change
from atpdsl.runtime.spots import Spots


class QueryKeyFix:
    """Estimates of all queries, or all keys, of one layer in one batch.

    Args:
        base: the run that is patched, with its scores.
        donor: the run that queries and keys are taken from.
        nodes: of kind `heads.q` or `heads.k`; its layers are not looked at.
        attention: of `base` and the heads of the nodes, where it is there already.
    """

    def __init__(
        self,
        base: AttentionValues,
        donor: AttentionValues,
        rule: AttentionRule,
        nodes: NodeSet,
        spots: Spots,
        attention: HeadAttention | None = None,
    ) -> None:
        self._labels, self._length = len(nodes.positions), base.query.shape[1]
        self._indices = len(nodes.indices)
        self._heads = query_heads(base, nodes)
        if attention is None:
            attention = HeadAttention(base, rule, self._heads)
        steps = Steps(base, donor, rule, nodes, spots)
        self._every_query = attention.every_query
        self._effect: _Effect
        if nodes.kind == QUERIES:
            self._effect = _of_queries(attention, steps)
        elif nodes.whole:
            self._effect = _of_all_keys(attention, steps)
        else:
            self._effect = _of_keys(attention, steps)

    def estimates(self, gradient: Tensor) -> Tensor:
        """Signed estimates, [stream, pair, index, label], for gradients of several kinds.

        Linear in `gradient`; 0 where a pair lacks the position or a patch changes nothing.

        Args:
            gradient: dL/dz at the base run, [stream, pair, pos, head, d_head]; it may begin at
                a later position, before which no node changes anything.
        """
        return torch.stack([self._one_stream(one) for one in gradient])

    def absolute_sum(self, gradient: Tensor) -> Tensor:
        """The sum over streams of |estimate|, [pair, index, label]; at least one stream."""
        total = self._one_stream(gradient[0]).abs()
        for one in gradient[1:]:
            total += self._one_stream(one).abs()
        return total

    def _one_stream(self, gradient: Tensor) -> Tensor:
        if missing := self._length - gradient.shape[1]:
            # Gradients that begin later: in a causal model a node acts on later rows only.
            gradient = torch.nn.functional.pad(gradient, (0, 0, 0, 0, missing, 0))
        mine = at_least_float32(chosen_heads(gradient, self._heads)).transpose(1, 2)
        return self._fold(self._effect.of(mine)).sum((2, 4))

    def saturation(self, rows: Tensor | None = None) -> dict[str, Tensor]:
        """How far the patches move attention weights: each [pair, index, label].

        `attention`: the largest weight of the base run that the node has a part in: any of a
        query's, or those of a key. `change`: the largest change of one of those, as an
        absolute value. `exact`: the sum of |changes| of all weights, a sink's too; `linear`:
        the same to first order in the scores, p_j (d_j - sum_k p_k d_k). Their ratio for a
        single key and query is expm1(d) / (d (1 + p expm1(d))). The heads that read a kv head
        are one node: largest of all, sum of all. All are 0 where a pair lacks the position.

        Args:
            rows: [pair, pos], which queries count for keys; None is all. Those of padding, or
                after the position that the metric reads, cannot matter.
        """
        found = self._effect.saturation(self._every_query if rows is None else rows)
        return {
            "attention": self._fold(found.attention).amax((2, 4)),
            "change": self._fold(found.change).amax((2, 4)),
            "exact": self._fold(found.exact).sum((2, 4)),
            "linear": self._fold(found.linear).sum((2, 4)),
        }

    def _fold(self, tensor: Tensor) -> Tensor:
        """[pair, query head, entry] -> [pair, index, query head of it, label, entry of it]."""
        pairs = len(tensor)
        return tensor.reshape(
            pairs, self._indices, len(self._heads) // self._indices, self._labels, -1
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Saturation:
    """As in `QueryKeyFix.saturation`, each [pair, query head, entry]."""

    attention: Tensor
    change: Tensor
    exact: Tensor
    linear: Tensor


class _Effect(Protocol):
    """What the patches of one node set do."""

    def saturation(self, counted: Tensor) -> _Saturation:
        """How far they move the attention weights of the queries that count, [pair, pos]."""
        ...

    def of(self, gradient: Tensor) -> Tensor:
        """[pair, head, pos, d_head] -> [pair, head, entry]."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfRows:
    """Patches that change some rows of the attention.

    Attributes:
        at: [pair, entry], positions of the rows; None where they are all, in order.
        output: change of z there, [pair, head, entry, d_head].
        changes: the pattern, its change and that to first order, [pair, head, entry, key].
        seen: which of these keys are visible, and patched where keys are, of that shape.
        of_keys: whether keys are patched: then only queries that count are looked at.
    """

    at: Tensor | None
    output: Tensor
    changes: tuple[Tensor, Tensor, Tensor]
    seen: Tensor
    of_keys: bool

    def of(self, gradient: Tensor) -> Tensor:
        """As `_Effect.of`: the change of z times the gradient, row by row."""
        if self.at is not None:
            gradient = torch.take_along_dim(gradient, self.at[:, None, :, None], dim=2)
        return (gradient * self.output).sum(-1)

    def saturation(self, counted: Tensor) -> _Saturation:
        """As in `_Effect`; the softmax may have one more entry than keys, the sink."""
        pattern, change, linear = self.changes
        seen, weights = self.seen, torch.ones((), dtype=change.dtype, device=change.device)
        moved = change[..., : seen.shape[-1]].abs()
        if self.of_keys:
            rows = counted[:, None, :, None]
            seen, weights = seen & rows, rows.to(change.dtype)
            moved = moved.masked_fill(~seen, 0.0)
        return _Saturation(
            attention=pattern[..., : seen.shape[-1]].masked_fill(~seen, 0.0).amax(-1),
            change=moved.amax(-1),
            exact=(weights * change.abs()).sum(-1),
            linear=(weights * linear.abs()).sum(-1),
        )


def _of_queries(attention: HeadAttention, steps: Steps) -> _OfRows:
    """Kramar et al. 2024, eqs. 6 and 7: one row of scores for each patched query."""
    scores, raw, visible = (
        steps.rows(t) for t in (attention.scores, attention.raw, attention.visible)
    )
    step = steps.step @ attention.key.transpose(-1, -2) * attention.rule.scale
    used = steps.used[:, None, :, None]
    delta = attention.padded(attention.change(raw, step, visible & used))
    changes = softmax_change(scores, delta)
    return _OfRows(
        at=None if steps.everywhere else steps.at,
        output=changes[1] @ attention.value,
        changes=changes,
        seen=visible & steps.there[:, None, :, None],
        of_keys=False,
    )


def _of_all_keys(attention: HeadAttention, steps: Steps) -> _OfRows:
    """All keys of a sequence at once, each row anew; not the sum of the single keys."""
    pairs, heads, length, _ = attention.query.shape
    at = steps.at.masked_fill(~steps.there, length)  # one place too far: dropped
    index = at[:, None, :, None].expand_as(steps.step)
    blank = steps.step.new_zeros(pairs, heads, length + 1, steps.step.shape[-1])
    step_of_key = blank.scatter(2, index, steps.step)[:, :, :length]
    patched, there = (
        torch.zeros(pairs, length + 1, dtype=torch.bool, device=at.device).scatter(1, at, which)
        for which in (steps.used, steps.there)
    )
    columns = patched[:, None, None, :length] & attention.visible
    step = attention.query @ step_of_key.transpose(-1, -2) * attention.rule.scale
    delta = attention.padded(attention.change(attention.raw, step, columns))
    changes = softmax_change(attention.scores, delta)
    return _OfRows(
        at=None,
        output=changes[1] @ attention.value,
        changes=changes,
        seen=there[:, None, None, :length] & attention.visible,
        of_keys=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfKeys:
    """Patches of one key each, which change one weight of every row, and the rest with it.

    Attributes:
        ordinary: change of the key's weight divided by 1 - weight, [pair, head, entry,
            query]; 0 where the key is the query's largest.
        largest: change of its weight where it is.
        value: the key's value, [pair, head, entry, d_head].
        output: z, [pair, head, query, d_head].
        lead: value of each query's largest key minus the mean without it, like `output`.
        odds, delta, change: log-odds of the key's weight, change of its score, and of its
            weight, like `ordinary`.
        seen: where the query sees the key, likewise.
    """

    ordinary: Tensor
    largest: Tensor
    value: Tensor
    output: Tensor
    lead: Tensor
    odds: Tensor
    delta: Tensor
    change: Tensor
    seen: Tensor

    def of(self, gradient: Tensor) -> Tensor:
        """As `_Effect.of`."""
        along_output = (self.output * gradient).sum(-1, keepdim=True)
        along_lead = (self.lead * gradient).sum(-1, keepdim=True)
        pulled = ((self.ordinary @ gradient) * self.value).sum(-1)
        pushed = (self.ordinary @ along_output)[..., 0]
        return pulled - pushed + (self.largest @ along_lead)[..., 0]

    def saturation(self, counted: Tensor) -> _Saturation:
        """As in `_Effect`: what a key gains the others lose, and all change by twice that."""
        seen = self.seen & counted[:, None, None]
        weight = torch.sigmoid(self.odds).masked_fill(~seen, 0.0)
        moved = self.change.abs().masked_fill(~seen, 0.0)
        linear = (weight * torch.sigmoid(-self.odds) * self.delta).abs()
        return _Saturation(
            attention=weight.amax(-1),
            change=moved.amax(-1),
            exact=2 * moved.sum(-1),
            linear=2 * linear.sum(-1),
        )


def _of_keys(attention: HeadAttention, steps: Steps) -> _OfKeys:
    """Kramar et al. 2024, eqs. 8 to 10, in closed form; see the head of this module."""
    scores, raw, visible = (
        steps.rows(t.transpose(-1, -2)[:, :, : attention.raw.shape[-1]])
        for t in (attention.scores, attention.raw, attention.visible)
    )
    step = steps.step @ attention.query.transpose(-1, -2) * attention.rule.scale
    delta = attention.change(raw, step, visible & steps.used[:, None, :, None])

    top = attention.scores.argmax(-1, keepdim=True)
    others = attention.scores.scatter(-1, top, -torch.inf)
    alone = others.isneginf().all(-1, keepdim=True)
    total = attention.scores.logsumexp(-1)[:, :, None]
    rest = others.logsumexp(-1)[:, :, None]
    is_top = steps.at[:, None, :, None] == top.transpose(-1, -2)
    share = (scores - total).exp()
    odds = scores - torch.where(is_top, rest, total + torch.log1p(-share))
    change = sigmoid_change(odds, delta)

    pattern = attention.scores.softmax(-1)
    mean_of_others = others.masked_fill(alone, 0.0).softmax(-1) @ attention.value
    largest = torch.zeros_like(pattern).scatter(-1, top, 1.0) @ attention.value
    return _OfKeys(
        ordinary=(change / torch.sigmoid(-odds)).masked_fill(is_top, 0.0),
        largest=change.masked_fill(~is_top, 0.0),
        value=steps.rows(attention.value[:, :, : attention.raw.shape[-1]]),
        output=pattern @ attention.value,
        lead=largest - mean_of_others,
        odds=odds,
        delta=delta,
        change=change,
        seen=visible & steps.there[:, None, :, None],
    )
