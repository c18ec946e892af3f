"""The operations a plan is made of: frozen values that hold their operands.

Two equal operations are one operation, so that common sub-expressions merge by themselves.
Their hashes are kept (`values.Value`), so that an operation is found as fast as a number.
A batch is a number; which pairs are in it is known to the `Plan`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias, assert_never

from atpdsl.binding.nodeset import NodeSet
from atpdsl.planning.schemes import Scheme
from atpdsl.planning.values import Value
from atpdsl.semantics.experiment import MetricCall


class Side(StrEnum):
    """One of the two prompts of a pair."""

    CLEAN = "clean"
    CORRUPTED = "corrupted"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where activations are taken: the site of a node kind in a layer."""

    kind: str
    layer: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Forward(Value):
    """One run of the model on one side of a batch, unpatched.

    Attributes:
        captures: places whose activations are kept, sorted.
        tracked: whether gradients will be asked for.
        attention: layers whose attention is kept (queries and keys as the scores see them,
            values, and for tracked runs the scores), sorted; for the QK fix.
        segmented: the graph is cut at the input of every block, so that gradients are walked
            back layer by layer; only for tracked runs.
        resumable: the residual stream at every block, and every block's keys and values, are
            kept, so that patched runs can begin at a layer and a position of it.
        past: the run of the other side whose keys and values stand for the positions before
            `start`, which are the same on both sides and not run again.
        start: the first position that is run; 0 without a past.
        again: 0, or which repetition of a run this is. A repetition is run next to what
            needs it, so that the first run need not be kept until then.
    """

    batch: int
    side: Side
    captures: tuple[Place, ...] = ()
    tracked: bool = False
    attention: tuple[int, ...] = ()
    segmented: bool = False
    resumable: bool = False
    past: Forward | None = None
    start: int = 0
    again: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measure(Value):
    """The metric of an unpatched run, [pair].

    Attributes:
        reference: the run whose logits the metric measures a distance from, if it does.
    """

    forward: Forward
    metric: MetricCall
    reference: Forward | None = None


class Drop(StrEnum):
    """What GradDrop drops, one at a time.

    EVERY_LAYER: a layer's whole contribution to the residual stream, attention and MLP (Kramar
    et al. 2024, eq. 11). EVERY_SUBLAYER: the attention's and the MLP's contribution apart.
    FIRST_READER: the paths whose first reader is a layer; needs no backward of its own.
    """

    OFF = "off"
    EVERY_LAYER = "every_layer"
    EVERY_SUBLAYER = "every_sublayer"
    FIRST_READER = "first_reader"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Backward(Value):
    """Gradient of each pair's metric with respect to the activations at some places.

    Attributes:
        drops: gradients with contributions dropped that are wanted beside the plain one,
            sorted; needs a segmented run. `Drop.FIRST_READER` stands for the plain
            gradient's parts by first reader, for GradDrop and for the cancellation index.
        start: the first position whose gradient is wanted; in a causal model nothing before
            it has to be walked through.
    """

    measure: Measure
    places: tuple[Place, ...]
    drops: tuple[Drop, ...] = ()
    start: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contract(Value):
    """First-order estimates of one node set: (donor - base) . gradient, [pair, *nodes].

    AtP, Kramar et al. 2024, eq. 4; the product runs over the node's own dimensions, and
    over positions for a node that spans the sequence.

    Attributes:
        qk_fix: for queries and keys the change of the attention's output is computed exactly,
            and only what comes after it is linear (AtP*, section 3.1).
        drop: GradDrop (AtP*, section 3.2): the magnitude is a mean over dropped layers.
        cancellation, saturation: these diagnostics are computed beside.
    """

    base: Forward
    donor: Forward
    gradient: Backward
    nodes: NodeSet
    skip_equal_prefix: bool = False
    skip_unreachable: bool = False
    qk_fix: bool = False
    drop: Drop = Drop.OFF
    cancellation: bool = False
    saturation: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PatchSweep(Value):
    """Exact effects of every node of a set, one at a time, [pair, *nodes].

    Each is metric(base run with the node set to the donor's value) - metric(base run).

    Attributes:
        incremental: patched runs begin at the node's layer and position, from a base run that
            is resumable, instead of at the beginning.
    """

    base: Measure
    donor: Forward
    nodes: NodeSet
    skip_equal_prefix: bool = False
    skip_unreachable: bool = False
    incremental: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PatchChosen(Value):
    """Exact effects of the nodes that `chosen` picks, [pair, chosen].

    Attributes:
        frozen: the contributions of everything after the node are held at their values in
            the base run, which leaves the direct effect; the base run then captures the
            outputs of all attentions and MLPs.
        incremental: as in `PatchSweep`.
    """

    base: Measure
    donor: Forward
    chosen: Select
    skip_equal_prefix: bool = False
    skip_unreachable: bool = False
    frozen: bool = False
    incremental: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PatchSets(Value):
    """Effects of sets of nodes patched together, by a scheme, over all batches.

    Attributes:
        bases, donors: one per batch, in the order of the batches.
        sets: the nodes that the sets are drawn from; those that are zero by construction in
            every pair are never drawn.
        excluded: nodes that are left out of all sets, because their effects are known.
        predicted: signed estimates, one per node set, that keep pairs: how well their sums
            agree with the effects of sets says how additive effects are. May be empty.
        known: exact effects of all nodes, one per node set, that keep pairs: they are taken
            where a scheme would patch a node alone. May be empty.
        incremental: as in `PatchSweep`.
    """

    bases: tuple[Measure, ...]
    donors: tuple[Forward, ...]
    sets: tuple[NodeSet, ...]
    scheme: Scheme
    excluded: Select | None = None
    predicted: tuple[Reduce, ...] = ()
    known: tuple[Reduce, ...] = ()
    incremental: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Estimate(Value):
    """The statistics of one node set out of a `PatchSets`."""

    source: PatchSets
    number: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PatchOn(Value):
    """Exact effects of more nodes, in the order of their bounds, until none can be missed.

    Attributes:
        bound: what bounds the effects of nodes that were not measured.
        chosen, effects: what was measured before.
        top, alpha: stops once the upper bound (at level 1 - alpha) of every unmeasured node
            is below the `top`-th largest measured |mean effect|.
        most: stops after so many nodes in any case; None is all of them.
        incremental: as in `PatchSweep`.
    """

    bases: tuple[Measure, ...]
    donors: tuple[Forward, ...]
    bound: PatchSets
    chosen: Select
    effects: Reduce
    top: int
    alpha: float
    most: int | None = None
    incremental: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reduce(Value):
    """Statistics over pairs, folded in the order of the parts (batch by batch)."""

    parts: tuple[Contract | PatchSweep | PatchChosen, ...]
    keep_pairs: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ranking(Value):
    """The estimates of one method over all node sets, to choose the best nodes from."""

    label: str
    estimates: tuple[Reduce | Estimate, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Select(Value):
    """The `top` nodes of each ranking and `random` others, drawn with `seed`."""

    rankings: tuple[Ranking, ...]
    sets: tuple[NodeSet, ...]
    top: int
    random: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Take(Value):
    """The chosen nodes' statistics out of an exhaustive result that exists already."""

    chosen: Select
    source: tuple[Reduce | Estimate, ...]


Op: TypeAlias = (
    Forward
    | Measure
    | Backward
    | Contract
    | PatchSweep
    | PatchChosen
    | PatchSets
    | Estimate
    | PatchOn
    | Reduce
    | Select
    | Take
)


def operands(op: Op) -> tuple[Op, ...]:
    """The operations that `op` uses, in a fixed order."""
    match op:
        case Forward(past=past):
            return () if past is None else (past,)
        case Measure(forward=forward, reference=reference):
            return (forward,) if reference is None else (forward, reference)
        case Backward(measure=measure):
            return (measure, measure.forward)
        case Contract(base=base, donor=donor, gradient=gradient):
            return (base, donor, gradient)
        case PatchSweep(base=base, donor=donor):
            return _with_reference(base, donor, resumed=op.incremental)
        case PatchChosen(base=base, donor=donor, chosen=chosen):
            resumed = op.frozen or op.incremental
            return (*_with_reference(base, donor, resumed=resumed), chosen)
        case _:
            return _operands_over_batches(op)


def _operands_over_batches(
    op: PatchSets | Estimate | PatchOn | Reduce | Select | Take,
) -> tuple[Op, ...]:
    match op:
        case PatchSets(bases=bases, donors=donors, excluded=excluded):
            others = () if excluded is None else (excluded,)
            both = _all_batches(bases, donors, resumed=op.incremental)
            return (*both, *others, *op.predicted, *op.known)
        case Estimate(source=patched):
            return (patched,)
        case PatchOn(bases=bases, donors=donors, bound=bound, chosen=chosen, effects=effects):
            both = _all_batches(bases, donors, resumed=op.incremental)
            return (*both, bound, chosen, effects)
        case Reduce(parts=parts):
            return parts
        case Select(rankings=rankings):
            return tuple(r for ranking in rankings for r in ranking.estimates)
        case Take(chosen=chosen, source=source):
            return (chosen, *source)
        case _:
            assert_never(op)


def _all_batches(
    bases: tuple[Measure, ...], donors: tuple[Forward, ...], *, resumed: bool
) -> tuple[Op, ...]:
    both = zip(bases, donors, strict=True)
    return tuple(op for b, d in both for op in _with_reference(b, d, resumed=resumed))


def _with_reference(base: Measure, donor: Forward, *, resumed: bool) -> tuple[Op, ...]:
    """What a patched run needs; with `resumed`, the run that is patched too."""
    found: tuple[Op, ...] = (base, donor, base.forward) if resumed else (base, donor)
    return found if base.reference is None else (*found, base.reference)


def batch_of(op: Op) -> int | None:
    """The batch that an operation belongs to, None for one over all batches."""
    match op:
        case Forward(batch=batch):
            return batch
        case Measure(forward=forward):
            return forward.batch
        case Backward(measure=measure):
            return measure.forward.batch
        case Contract(base=forward):
            return forward.batch
        case PatchSweep(base=measure) | PatchChosen(base=measure):
            return measure.forward.batch
        case Reduce() | Select() | Take() | PatchSets() | Estimate() | PatchOn():
            return None
        case _:
            assert_never(op)


def places_of(nodes: NodeSet) -> tuple[Place, ...]:
    """The places where a node set lives, one per layer."""
    return tuple(Place(nodes.kind, layer) for layer in nodes.layers)
