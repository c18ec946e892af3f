"""How much memory a plan takes: its activations, step by step, and the model's weights.

The schedule is gone through as an executor would: what an operation leaves behind is there
until its last use, and what it needs while it works comes on top.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from atpdsl.models.shape import ModelShape
from atpdsl.nodes import NODE_KINDS, Unit
from atpdsl.planning.cost import most_chosen, stage_of
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
    Place,
    Reduce,
    Side,
    operands,
)
from atpdsl.planning.plan import Plan, schedule
from atpdsl.planning.rows import width
from atpdsl.planning.target import target_of

ITEM_BYTES = {"float64": 8, "float32": 4, "bfloat16": 2, "float16": 2}
FLOAT64 = 8


Times = tuple[float, float, float]
"""Numbers for each token: times d_model, times d_mlp, times heads x tokens of the prompt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """What an executor keeps for each token.

    Attributes:
        graph: in every layer of a tracked run, until its gradients are there.
        block: in the one block that an untracked run is in.
        patched: the same in a run with a node per row.
        stream: for each gradient that goes through a block in one batched backward.
        layerwise: gradients are contracted layer by layer in any case, not only where the
            graph is cut, and from what is kept for them: captures of tracked runs cost nothing.
    """

    graph: Times
    block: Times
    patched: Times
    stream: Times
    layerwise: bool = False


# Fitted to the high-water mark of the process (`runtime/peak.py`) in runs of models with random
# weights that differ in one size at a time: d_model 256 and 512, d_mlp 2.6 to 8 times that, 16
# to 512 tokens, GPT-2 and Llama; the native one also to d_model 768 with all nodes and neurons.
# What allocators take beside is in the numbers.
FOOTPRINTS: Mapping[tuple[str, bool], Footprint] = MappingProxyType(
    {
        # GPT-2's GELU is spelled out in Hugging Face's code: autograd keeps six steps of it.
        ("bridge", False): Footprint(
            graph=(10, 6.5, 3.7), block=(8, 3, 4), patched=(22, 9, 11), stream=(4, 6.5, 2)
        ),
        ("bridge", True): Footprint(
            graph=(11.5, 4.4, 3), block=(8, 3, 4), patched=(22, 9, 11), stream=(4, 4.4, 2)
        ),
        ("native", False): Footprint(
            graph=(9.5, 1, 0.3),
            block=(8, 3, 1),
            patched=(12, 4.5, 1),
            stream=(4, 2, 1),
            layerwise=True,
        ),
        ("native", True): Footprint(
            graph=(9.5, 2, 0.3),
            block=(8, 4, 1),
            patched=(12, 5.5, 1),
            stream=(4, 2, 1),
            layerwise=True,
        ),
    }
)
# Attention patterns alive while the QK fix of a layer is computed: 58 and 84 were measured with
# 8 pairs of 128 tokens.
PATTERNS = 70
# Numbers for every node of a layer and pair while it is contracted.
TABLES = 8
# Sums over pairs kept of each node: signed, size, square, and the counts of both signs; with a
# correction its parts and the square of the size; with `cancellation` both of its numbers.
SUMS, CORRECTED, CANCELLED = 4, 3, 2
# Sums lie among what is taken and freed again, which then leaves gaps: as much again was
# measured for a batch's, and twice as much for those over all batches.
GAPS, SCATTERED = 2, 3
# Copies of the logits at the position that is read, twice of them in float64 for the metric.
LOGITS = 5
STREAM_NUMBERS = 1 << 20
"""Numbers of gradients in one batched backward, where the plan leaves it to the executor."""
_STREAMED = frozenset({Drop.EVERY_LAYER, Drop.EVERY_SUBLAYER})


def activation_bytes(plan: Plan) -> int:
    """The most bytes of activations alive at once."""
    return max(stage_bytes(plan).values(), default=0)


def plan_bytes(plan: Plan) -> int:
    """The most bytes that a run of the plan adds to a process: weights and activations."""
    return weight_bytes(plan) + activation_bytes(plan)


def stage_bytes(plan: Plan) -> dict[str, int]:
    """The most bytes of activations alive while each stage works, by its name."""
    sizes = _Sizes(plan, FOOTPRINTS[target_of(plan.bound).name, plan.bound.shape.gated])
    order = schedule(plan)
    uses = Counter(operand for op in order for operand in operands(op))
    backwards = Counter(op.measure.forward for op in order if isinstance(op, Backward))
    # Sums over the pairs of all batches are there once a second one is folded in.
    alive = sum(sizes.sums(op) for op in order if isinstance(op, Reduce))
    held: dict[Op, int] = {}
    found: dict[str, int] = {}
    for op in order:
        kept = sizes.kept(op)
        stage = stage_of(op)
        found[stage] = max(found.get(stage, 0), alive + kept + sizes.working(op))
        held[op] = kept
        alive += kept
        if isinstance(op, Backward):
            forward = op.measure.forward
            backwards[forward] -= 1
            if not backwards[forward]:
                graph = sizes.graph(forward)
                held[forward] -= graph
                alive -= graph
        for operand in operands(op):
            uses[operand] -= 1
            if not uses[operand]:
                alive -= held.pop(operand, 0)
    return found


def weight_bytes(plan: Plan) -> int:
    """Bytes of the model's weights, from its shape."""
    return parameters(plan.bound.shape) * _item(plan)


def parameters(shape: ModelShape) -> int:
    """How many weights a model of this shape has, within a few hundredths.

    Vectors (biases, norms) are counted as in GPT-2, which has the most of them.
    """
    heads = shape.d_head * (2 * shape.n_heads + 2 * shape.n_kv_heads)
    matrices = shape.d_model * (heads + (3 if shape.gated else 2) * shape.d_mlp)
    vectors = heads + shape.d_mlp + 6 * shape.d_model
    embeddings = (1 if shape.tied else 2) * shape.d_vocab
    positions = shape.n_context if shape.family == "gpt2" else 0
    per_layer = matrices + vectors
    return shape.n_layers * per_layer + (embeddings + positions) * shape.d_model


@dataclass(slots=True)
class _Sizes:
    """Bytes of one plan's operations; lengths of batches are looked up once."""

    plan: Plan
    footprint: Footprint
    _lengths: dict[tuple[int, Side], int] = field(default_factory=dict)

    def kept(self, op: Op) -> int:
        """Bytes that an operation leaves behind, until its last use."""
        return self._run(op) + self.graph(op) if isinstance(op, Forward) else 0

    def working(self, op: Op) -> int:
        """Bytes that it needs while it works, beyond what it keeps."""
        match op:
            case Forward():
                shape = self.plan.bound.shape
                tokens = self._tokens(op)
                logits = LOGITS * shape.d_vocab * self._pairs(op.batch)
                block = self._per_token(self.footprint.block, self._length(op))
                return int(tokens * block + logits) * self._item()
            case Backward():
                return self._gradients(op)
            case Contract():
                # It is done while gradients are walked back, when the graph is still there.
                return self.graph(op.base) + self._contracting(op)
            case PatchSweep(base=base, nodes=nodes):
                pairs = self._pairs(base.forward.batch)
                effects = pairs * len(nodes) * FLOAT64
                return effects + self._patched(base, pairs * len(nodes))
            case PatchChosen(base=base, chosen=chosen):
                pairs = self._pairs(base.forward.batch)
                return self._patched(base, pairs * most_chosen(chosen))
            case PatchSets(bases=bases) | PatchOn(bases=bases):
                return max(self._patched(base, self.plan.rows_per_call) for base in bases)
            case _:
                return 0

    def graph(self, op: Forward) -> int:
        """Bytes that a tracked run keeps for its gradients."""
        if not op.tracked:
            return 0
        per_layer = self._per_token(self.footprint.graph, self._length(op))
        layers = self.plan.bound.shape.n_layers
        return int(per_layer * layers * self._tokens(op)) * self._item()

    def _run(self, op: Forward) -> int:
        """Bytes of what a run keeps for others: captures, attention, and where to resume."""
        shape = self.plan.bound.shape
        per_token = 0
        # What gradients are taken at is in what is kept for them, or made of it again.
        if not (op.tracked and self.footprint.layerwise):
            attended = 2 * (shape.n_heads + shape.n_kv_heads) * shape.d_head
            # The scores of tracked runs are among what their graphs keep.
            per_token += sum(self._width(place) for place in op.captures)
            per_token += len(op.attention) * attended
        if op.resumable:
            keys_and_values = 2 * shape.n_kv_heads * shape.d_head
            per_token += shape.n_layers * (shape.d_model + keys_and_values)
        logits = self._pairs(op.batch) * shape.d_vocab
        return (per_token * self._tokens(op) + logits) * self._item()

    def _gradients(self, op: Backward) -> int:
        """Bytes of the gradients at places that are contracted later, and of the streams."""
        forward, shape = op.measure.forward, self.plan.bound.shape
        tokens = self._tokens(forward)
        # Layer by layer where the graph is cut there, and otherwise all at once.
        layerwise = forward.segmented or self.footprint.layerwise
        places = op.places if not layerwise else _of_one_layer(op.places)
        captured = sum(self._width(place) for place in places)
        streams = 1 + shape.n_layers * len(set(op.drops) & _STREAMED)
        most = self.plan.streams_per_call or STREAM_NUMBERS
        together = min(streams, max(1, most // (tokens * shape.d_model)))
        per_stream = self._per_token(self.footprint.stream, self._length(forward))
        # All of them are there at the block's output, and then at its input; those of a layer
        # are contracted together, and copied where there are several.
        each = streams + (parts(shape.n_layers) if Drop.FIRST_READER in op.drops else 0)
        several = 2 * each if each > 1 else 1
        carried = several * captured + 2 * each * shape.d_model + together * per_stream
        return int(carried * tokens) * self._item()

    def _contracting(self, op: Contract) -> int:
        """Bytes of one layer's estimates in every pair, and of patterns for its fix."""
        shape, nodes = self.plan.bound.shape, op.nodes
        pairs = self._pairs(op.base.batch)
        estimates = TABLES * pairs * (len(nodes) // len(nodes.layers))
        fixes = op.qk_fix or op.saturation
        patterns = PATTERNS * shape.n_heads * self._length(op.base) if fixes else 0
        sums = GAPS * sums_of(op) * len(nodes) * FLOAT64
        return sums + (estimates + patterns * self._tokens(op.base)) * self._item()

    def _patched(self, base: Measure, rows: int) -> int:
        """Bytes of one run with a node per row: one block at a time, and the logits."""
        length = self._length(base.forward)
        block = self._per_token(self.footprint.patched, length) * length
        logits = LOGITS * self.plan.bound.shape.d_vocab
        return int(min(self.plan.rows_per_call, rows) * (block + logits)) * self._item()

    def sums(self, op: Reduce) -> int:
        """Bytes of sums over pairs, and of every pair's values where they are kept."""
        first = op.parts[0]
        if isinstance(first, PatchChosen):
            return 0
        pairs = len(self.plan.bound.pairs) if op.keep_pairs else 0
        several = len(op.parts) > 1 or isinstance(first, PatchSweep)
        sums = (sums_of(first) if isinstance(first, Contract) else SUMS) if several else 0
        return (SCATTERED * sums + pairs) * len(first.nodes) * FLOAT64

    def _per_token(self, times: tuple[float, float, float], length: int) -> float:
        shape = self.plan.bound.shape
        wide, hidden, patterns = times
        return wide * shape.d_model + hidden * shape.d_mlp + patterns * shape.n_heads * length

    def _width(self, place: Place) -> int:
        shape = self.plan.bound.shape
        return {
            Unit.HEAD: shape.n_heads * shape.d_head,
            Unit.KV_HEAD: shape.n_kv_heads * shape.d_head,
            Unit.NEURON: shape.d_mlp,
            Unit.VECTOR: shape.d_model,
        }[NODE_KINDS[place.kind].unit]

    def _length(self, op: Forward) -> int:
        if (op.batch, op.side) not in self._lengths:
            self._lengths[op.batch, op.side] = width(self.plan, op.batch, op.side)
        return self._lengths[op.batch, op.side]

    def _pairs(self, batch: int) -> int:
        return len(self.plan.batches[batch].pairs)

    def _tokens(self, op: Forward) -> int:
        return self._pairs(op.batch) * (self._length(op) - op.start)

    def _item(self) -> int:
        return _item(self.plan)


def sums_of(op: Contract) -> int:
    """Sums over pairs that are kept of each node."""
    corrected = op.drop is not Drop.OFF or op.qk_fix or op.saturation
    return SUMS + CORRECTED * corrected + CANCELLED * op.cancellation


def parts(n_layers: int) -> int:
    """Parts of a gradient by first reader, at most: each layer, the logits, the own MLP."""
    return n_layers + 2


def _of_one_layer(places: tuple[Place, ...]) -> Iterator[Place]:
    """The places of the layer that has most of them."""
    layers = Counter(place.layer for place in places)
    (most, _), *_ = layers.most_common(1)
    return (place for place in places if place.layer == most)


def _item(plan: Plan) -> int:
    return ITEM_BYTES[plan.bound.experiment.model.dtype]
