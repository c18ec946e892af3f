"""One backward pass per measured run."""

from __future__ import annotations

from dataclasses import replace

from atpdsl.planning.ops import Backward, Drop, Measure, Op, Place
from atpdsl.planning.plan import Plan, walk
from atpdsl.planning.rewrite import rewrite


def merge_backwards(plan: Plan) -> Plan:
    """Merge gradients of the same measurement into one pass that reaches all their places.

    Law: every operation computes what it did; only the places reached, the positions, and the
    drops, beside it grow.
    """
    places: dict[Measure, set[Place]] = {}
    drops: dict[Measure, set[Drop]] = {}
    starts: dict[Measure, int] = {}
    for op in walk(plan):
        if isinstance(op, Backward):
            places.setdefault(op.measure, set()).update(op.places)
            drops.setdefault(op.measure, set()).update(op.drops)
            starts[op.measure] = min(op.start, starts.get(op.measure, op.start))

    def widen(op: Op) -> Op:
        if not isinstance(op, Backward):
            return op
        return replace(
            op,
            places=tuple(sorted(places[op.measure])),
            drops=tuple(sorted(drops[op.measure])),
            start=starts[op.measure],
        )

    return rewrite(plan, widen)
