"""Floating-point operations of a plan's operations, from the model's shape.

Products of matrices are counted, two operations for a multiplication and its addition, and
what is done number by number beside. Causal attention is counted whole: executors compute the
masked half too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from atpdsl.metrics import metric_of
from atpdsl.models.shape import ModelShape
from atpdsl.nodes import NODE_KINDS, Unit
from atpdsl.planning.cost import counts, walked
from atpdsl.planning.ops import (
    Backward,
    Contract,
    Drop,
    Forward,
    Measure,
    Op,
    PatchChosen,
    PatchOn,
    PatchSets,
    PatchSweep,
    Side,
)
from atpdsl.planning.outcome import Counts
from atpdsl.planning.plan import Plan
from atpdsl.planning.rows import width
from atpdsl.planning.target import target_of


class Kind(StrEnum):
    """Sorts of work, each with a speed of its own."""

    FORWARD = "forward"
    BACKWARD = "backward"
    PATCHED = "patched"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What an operation computes.

    Attributes:
        flops: floating-point operations.
        elements: numbers that are read, changed a little and written, beside what grows with
            the matrix products anyway: attention patterns, products with gradients, and
            vocabularies.
        calls: through one layer each; what a call takes at least is paid so many times.
    """

    kind: Kind
    flops: int = 0
    elements: int = 0
    calls: float = 0.0


PATCHED = PatchSweep | PatchChosen | PatchSets | PatchOn


@dataclass(slots=True)
class Works:
    """The work of one plan's operations; lengths of batches are looked up once."""

    plan: Plan
    _lengths: dict[tuple[int, Side], int] = field(default_factory=dict)

    def of(self, op: Op, cost: Counts | None = None) -> Work | None:
        """The work of an operation; None for those that only look at what there is.

        Exact where its counts are; `cost` is what `counts` says of it, where that is known.
        """
        if not isinstance(op, Forward | Backward | Contract | PATCHED):
            return None
        cost = counts(op, self.plan) if cost is None else cost
        match op:
            case Forward():
                return self._forward(op, cost)
            case Backward():
                return self._backward(op, cost)
            case Contract():
                return self._contract(op)
            case _:
                return self._patched(op, cost)

    def length(self, batch: int, side: Side) -> int:
        """Tokens of the longest prompt of a batch, on one side."""
        if (batch, side) not in self._lengths:
            self._lengths[batch, side] = width(self.plan, batch, side)
        return self._lengths[batch, side]

    def _forward(self, op: Forward, cost: Counts) -> Work:
        shape, length = self.plan.bound.shape, self.length(op.batch, op.side)
        token_layers, sequences = cost.forward_layers, cost.forward_sequences
        return Work(
            kind=Kind.FORWARD,
            flops=token_layers * per_token_layer(shape, length)
            + sequences * unembedding(shape),
            elements=token_layers * shape.n_heads * length + sequences * shape.d_vocab,
            calls=shape.n_layers,
        )

    def _backward(self, op: Backward, cost: Counts) -> Work:
        shape, forward = self.plan.bound.shape, op.measure.forward
        length = self.length(forward.batch, forward.side)
        token_layers = cost.backward_layers
        # Attention has two products forward and four back.
        per_layer = 2 * matrix_elements(shape) + 2 * attention(shape, length)
        flops = token_layers * per_layer + cost.backward_sequences * unembedding(shape)
        if Drop.FIRST_READER in op.drops:
            # Tokens of one gradient in one layer, for each part.
            tokens = token_layers / walked(op, shape.n_layers)
            flops += int(tokens * parts(shape.n_layers) * _per_part(op, shape, length))
        return Work(
            kind=Kind.BACKWARD,
            flops=flops,
            elements=2 * token_layers * shape.n_heads * length,
            calls=shape.n_layers,
        )

    def _contract(self, op: Contract) -> Work:
        shape = self.plan.bound.shape
        length = self.length(op.base.batch, op.base.side)
        tokens = len(self.plan.batches[op.base.batch].pairs) * min(
            length, len(op.nodes.positions) if not op.nodes.whole else length
        )
        numbers = (
            tokens * len(op.nodes.layers) * len(op.nodes.indices) * width_of_unit(op, shape)
        )
        fixed = op.qk_fix or op.saturation
        attended = tokens * len(op.nodes.layers) if fixed else 0
        return Work(
            kind=Kind.BACKWARD,
            # The new scores, and the gradient's product with the values.
            flops=2 * numbers + attended * attention(shape, length),
            elements=int(
                numbers * _gradients_each(op, shape.n_layers)
                + STATISTICS * tokens * len(op.nodes.layers) * len(op.nodes.indices)
                + FIXED_PATTERNS * attended * shape.n_heads * length
            ),
        )

    def _patched(self, op: PATCHED, cost: Counts) -> Work:
        shape = self.plan.bound.shape
        bases = (op.base,) if isinstance(op, PatchSweep | PatchChosen) else op.bases
        length = max(self._length_of(base) for base in bases)
        token_layers, rows = cost.forward_layers, cost.forward_sequences
        depth = _depth(op, shape.n_layers) if op.incremental else shape.n_layers
        flops, numbers = self._unembedded()
        share = _share(op, shape, length) if isinstance(op, PatchSweep) else 1.0
        return Work(
            kind=Kind.PATCHED,
            flops=int(share * token_layers * per_token_layer(shape, length)) + rows * flops,
            elements=token_layers * shape.n_heads * length + rows * numbers,
            calls=cost.forward_calls * depth,
        )

    def _unembedded(self) -> tuple[int, int]:
        """Operations and numbers of a patched run's logits.

        Where runs are resumed, metrics that read the logits of a few tokens get only these.
        """
        shape, metric = self.plan.bound.shape, metric_of(self.plan.bound.experiment.metric)
        if metric.of_logits and target_of(self.plan.bound).resumes:
            return 0, 0
        return unembedding(shape), shape.d_vocab

    def _length_of(self, measure: Measure) -> int:
        return self.length(measure.forward.batch, measure.forward.side)


# What the sums over pairs cost of every estimate, in numbers read and written: its size, square
# and signs, in float64. 32 ns were measured for a neuron.
STATISTICS = 64
# Tokens in whose time a patched row joins in: one is run through its layer, and it is found.
JOINING = 4
# Attention patterns that the QK fix of a layer computes, reads or writes for each query.
FIXED_PATTERNS = 6


def matrix_elements(shape: ModelShape) -> int:
    """Elements of a layer's matrices: queries, keys, values, outputs, and the MLP's."""
    heads = shape.d_head * (2 * shape.n_heads + 2 * shape.n_kv_heads)
    return shape.d_model * (heads + (3 if shape.gated else 2) * shape.d_mlp)


def attention(shape: ModelShape, length: int) -> int:
    """Operations of a token's scores, and of its mean of values, in one layer."""
    return 4 * length * shape.n_heads * shape.d_head


def per_token_layer(shape: ModelShape, length: int) -> int:
    """Operations that a token needs in one layer, forward."""
    return 2 * matrix_elements(shape) + attention(shape, length)


def unembedding(shape: ModelShape) -> int:
    """Operations of the logits at one position."""
    return 2 * shape.d_model * shape.d_vocab


def width_of_unit(op: Contract, shape: ModelShape) -> int:
    """Numbers that a node is at one position."""
    return {
        Unit.HEAD: shape.d_head,
        Unit.KV_HEAD: shape.d_head,
        Unit.NEURON: 1,
        Unit.VECTOR: shape.d_model,
    }[NODE_KINDS[op.nodes.kind].unit]


def parts(n_layers: int) -> int:
    """Parts by first reader in all layers together: one for each later layer, and two more.

    One goes straight to the logits, one comes back through the layer's own MLP.
    """
    return n_layers * (n_layers + 3) // 2


def _per_part(op: Backward, shape: ModelShape, length: int) -> int:
    """Operations that carry a part from the stream to the places inside a layer."""
    kinds = {NODE_KINDS[place.kind].unit for place in op.places}
    heads, neurons = {Unit.HEAD, Unit.KV_HEAD} & kinds, Unit.NEURON in kinds
    into_heads = 2 * shape.d_model * shape.n_heads * shape.d_head + attention(shape, length)
    return (into_heads if heads else 0) + (2 * shape.d_model * shape.d_mlp if neurons else 0)


def _gradients_each(op: Contract, n_layers: int) -> float:
    """Gradients that a node is multiplied with, on average over the layers."""
    streams = {
        Drop.OFF: 0.0,
        Drop.EVERY_LAYER: (n_layers - 1) / 2,
        Drop.EVERY_SUBLAYER: n_layers,
        Drop.FIRST_READER: parts(n_layers) / n_layers,
    }[op.drop]
    return 1 + streams + (parts(n_layers) / n_layers if op.cancellation else 0.0)


def _share(op: PatchSweep, shape: ModelShape, length: int) -> float:
    """Of the tokens times layers that a row is counted for, the share that is computed.

    In its own layer a row that is resumed is one token, and in the last layer keys and values
    are all that is computed of every token.
    """
    if not op.incremental:
        return 1.0
    last = 2 * shape.d_model * shape.n_kv_heads * shape.d_head / matrix_elements(shape)
    joining = min(1.0, JOINING / length)
    later = [shape.n_layers - 1 - layer for layer in op.nodes.layers]
    done = sum(joining + (after - 1 + last if after else 0.0) for after in later)
    return done / sum(after + 1 for after in later)


def _depth(op: PATCHED, n_layers: int) -> float:
    """Layers that a patched run goes through on average, when it begins at its node's."""
    match op:
        case PatchSweep(nodes=nodes):
            layers = list(nodes.layers)
        case PatchSets(sets=sets):
            # A set's nodes are all over the model, and the lowest one counts.
            layers = [min(min(nodes.layers) for nodes in sets)]
        case PatchChosen(chosen=chosen) | PatchOn(chosen=chosen):
            layers = [layer for nodes in chosen.sets for layer in nodes.layers]
    return n_layers - sum(layers) / len(layers)
