"""One run of the model per batch and side."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TypeAlias

from atpdsl.planning.ops import Forward, Op, Place, Side
from atpdsl.planning.plan import Plan, walk
from atpdsl.planning.rewrite import rewrite

Run: TypeAlias = tuple[int, Side, int]


def merge_forwards(plan: Plan) -> Plan:
    """Merge unpatched runs on the same batch and side into one that keeps what any kept.

    Law: every operation computes what it did; only what is captured beside it grows, and the
    positions that are run.
    """
    merged: dict[Run, _Wanted] = {}
    for op in walk(plan):
        if isinstance(op, Forward):
            merged.setdefault(_run(op), _Wanted(start=op.start)).add(op)

    def widen(op: Op) -> Op:
        return merged[_run(op)].of(op) if isinstance(op, Forward) else op

    return rewrite(plan, widen)


def _run(op: Forward) -> Run:
    return op.batch, op.side, op.again


@dataclass(slots=True)
class _Wanted:
    """What several runs keep, together."""

    start: int
    captures: set[Place] = field(default_factory=set)
    attention: set[int] = field(default_factory=set)
    tracked: bool = False
    segmented: bool = False
    resumable: bool = False

    def add(self, op: Forward) -> None:
        self.captures.update(op.captures)
        self.attention.update(op.attention)
        self.tracked |= op.tracked
        self.segmented |= op.segmented
        self.resumable |= op.resumable
        self.start = min(self.start, op.start)

    def of(self, op: Forward) -> Forward:
        return replace(
            op,
            captures=tuple(sorted(self.captures)),
            attention=tuple(sorted(self.attention)),
            tracked=self.tracked,
            segmented=self.segmented,
            resumable=self.resumable,
            past=op.past if self.start else None,
            start=self.start,
        )
