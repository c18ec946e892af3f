"""The operations a plan is made of: frozen values that hold their operands.

Two equal operations are one operation, so that common sub-expressions merge by themselves.
A batch is a number; which pairs are in it is known to the `Plan`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias, assert_never

from atpdsl.binding.nodeset import NodeSet
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """One run of the model on one side of a batch, unpatched.

    Attributes:
        captures: places whose activations are kept, sorted.
        tracked: whether gradients will be asked for.
    """

    batch: int
    side: Side
    captures: tuple[Place, ...] = ()
    tracked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """The metric of an unpatched run, [pair].

    Attributes:
        reference: the run whose logits the metric measures a distance from, if it does.
    """

    forward: Forward
    metric: MetricCall
    reference: Forward | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backward:
    """Gradient of each pair's metric with respect to the activations at some places."""

    measure: Measure
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """First-order estimates of one node set: (donor - base) . gradient, [pair, *nodes].

    AtP, Kramar et al. 2024, eq. 4; the product runs over the node's own dimensions, and
    over positions for a node that spans the sequence.
    """

    base: Forward
    donor: Forward
    gradient: Backward
    nodes: NodeSet
    skip_equal_prefix: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchSweep:
    """Exact effects of every node of a set, one at a time, [pair, *nodes].

    Each is metric(base run with the node set to the donor's value) - metric(base run).
    """

    base: Measure
    donor: Forward
    nodes: NodeSet
    skip_equal_prefix: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchChosen:
    """Exact effects of the nodes that `chosen` picks, [pair, chosen]."""

    base: Measure
    donor: Forward
    chosen: Select
    skip_equal_prefix: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduce:
    """Statistics over pairs, folded in the order of the parts (batch by batch)."""

    parts: tuple[Contract | PatchSweep | PatchChosen, ...]
    keep_pairs: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """The estimates of one method over all node sets, to choose the best nodes from."""

    label: str
    estimates: tuple[Reduce, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Select:
    """The `top` nodes of each ranking and `random` others, drawn with `seed`."""

    rankings: tuple[Ranking, ...]
    sets: tuple[NodeSet, ...]
    top: int
    random: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """The chosen nodes' statistics out of an exhaustive result that exists already."""

    chosen: Select
    source: tuple[Reduce, ...]


Op: TypeAlias = (
    Forward | Measure | Backward | Contract | PatchSweep | PatchChosen | Reduce | Select | Take
)


def operands(op: Op) -> tuple[Op, ...]:
    """The operations that `op` uses, in a fixed order."""
    match op:
        case Forward():
            return ()
        case Measure(forward=forward, reference=reference):
            return (forward,) if reference is None else (forward, reference)
        case Backward(measure=measure):
            return (measure, measure.forward)
        case Contract(base=base, donor=donor, gradient=gradient):
            return (base, donor, gradient)
        case PatchSweep(base=base, donor=donor):
            return _with_reference(base, donor)
        case PatchChosen(base=base, donor=donor, chosen=chosen):
            return (*_with_reference(base, donor), chosen)
        case Reduce(parts=parts):
            return parts
        case Select(rankings=rankings):
            return tuple(r for ranking in rankings for r in ranking.estimates)
        case Take(chosen=chosen, source=source):
            return (chosen, *source)
        case _:
            assert_never(op)


def _with_reference(base: Measure, donor: Forward) -> tuple[Op, ...]:
    return (base, donor) if base.reference is None else (base, donor, base.reference)


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
        case Reduce() | Select() | Take():
            return None
        case _:
            assert_never(op)


def places_of(nodes: NodeSet) -> tuple[Place, ...]:
    """The places where a node set lives, one per layer."""
    return tuple(Place(nodes.kind, layer) for layer in nodes.layers)
