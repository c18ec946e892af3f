"""One run of the model per batch and side."""

from __future__ import annotations

from dataclasses import replace

from atpdsl.planning.ops import Forward, Op, Place, Side
from atpdsl.planning.plan import Plan, walk
from atpdsl.planning.rewrite import rewrite


def merge_forwards(plan: Plan) -> Plan:
    """Merge unpatched runs on the same batch and side into one that keeps what any kept.

    Law: every operation computes what it did; only what is captured beside it grows.
    """
    captures: dict[tuple[int, Side], set[Place]] = {}
    attention: dict[tuple[int, Side], set[int]] = {}
    tracked: set[tuple[int, Side]] = set()
    segmented: set[tuple[int, Side]] = set()
    for op in walk(plan):
        if isinstance(op, Forward):
            run = (op.batch, op.side)
            captures.setdefault(run, set()).update(op.captures)
            attention.setdefault(run, set()).update(op.attention)
            if op.tracked:
                tracked.add(run)
            if op.segmented:
                segmented.add(run)

    def widen(op: Op) -> Op:
        if not isinstance(op, Forward):
            return op
        run = (op.batch, op.side)
        return replace(
            op,
            captures=tuple(sorted(captures[run])),
            attention=tuple(sorted(attention[run])),
            tracked=run in tracked,
            segmented=run in segmented,
        )

    return rewrite(plan, widen)
