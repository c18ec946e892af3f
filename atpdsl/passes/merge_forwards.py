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
    tracked: dict[tuple[int, Side], bool] = {}
    for op in walk(plan):
        if isinstance(op, Forward):
            run = (op.batch, op.side)
            captures.setdefault(run, set()).update(op.captures)
            tracked[run] = tracked.get(run, False) or op.tracked

    def widen(op: Op) -> Op:
        if not isinstance(op, Forward):
            return op
        run = (op.batch, op.side)
        return replace(op, captures=tuple(sorted(captures[run])), tracked=tracked[run])

    return rewrite(plan, widen)
