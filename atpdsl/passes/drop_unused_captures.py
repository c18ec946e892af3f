"""Runs keep only what some operation reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from atpdsl.planning.ops import (
    Backward,
    Contract,
    Forward,
    Op,
    PatchChosen,
    PatchOn,
    PatchSets,
    PatchSweep,
    Place,
    places_of,
)
from atpdsl.planning.plan import Plan, walk
from atpdsl.planning.reads import (
    attended_layers,
    bases_of,
    donors_of,
    held_places,
    patched_places,
)
from atpdsl.planning.rewrite import rewrite_known


def drop_unused_captures(plan: Plan) -> Plan:
    """Drop activations, attention and graphs that nothing in the plan reads.

    They are there because runs were merged, or because what read them is done otherwise now.

    Law: every operation computes what it did, from what it read before.
    """
    needed: dict[Forward, _Needed] = {}
    for op in walk(plan):
        for forward, wanted in _reads(op, plan.bound.shape.n_layers):
            needed.setdefault(forward, _Needed()).add(wanted)

    def drop(old: Op, op: Op) -> Op:
        if not isinstance(old, Forward) or not isinstance(op, Forward):
            return op
        return needed.get(old, _Needed()).of(op)

    return rewrite_known(plan, drop)


@dataclass(slots=True)
class _Needed:
    """What is read of a run."""

    captures: set[Place] = field(default_factory=set)
    attention: set[int] = field(default_factory=set)
    tracked: bool = False
    segmented: bool = False
    resumable: bool = False

    def add(self, other: _Needed) -> None:
        self.captures |= other.captures
        self.attention |= other.attention
        self.tracked |= other.tracked
        self.segmented |= other.segmented
        self.resumable |= other.resumable

    def of(self, op: Forward) -> Forward:
        """The run, without what it keeps for nobody."""
        return replace(
            op,
            captures=tuple(place for place in op.captures if place in self.captures),
            attention=tuple(layer for layer in op.attention if layer in self.attention),
            tracked=op.tracked and self.tracked,
            segmented=op.segmented and self.segmented,
            resumable=op.resumable and self.resumable,
        )


def _reads(op: Op, n_layers: int) -> Iterator[tuple[Forward, _Needed]]:
    """Each run that an operation reads, and what of it."""
    match op:
        case Forward(past=Forward() as past):
            yield past, _Needed(resumable=True)
        case Backward(measure=measure, places=places, drops=drops):
            wanted = _Needed(captures=set(places), tracked=True, segmented=bool(drops))
            yield measure.forward, wanted
        case Contract(base=base, donor=donor, nodes=nodes):
            for run in (base, donor):
                yield run, _Needed(set(places_of(nodes)), set(attended_layers(op)))
        case PatchSweep() | PatchChosen() | PatchSets() | PatchOn():
            for donor in donors_of(op):
                yield donor, _Needed(set(patched_places(op)))
            for measure in bases_of(op):
                held = set(held_places(op, n_layers))
                yield measure.forward, _Needed(held, resumable=op.incremental)
        case _:
            return
