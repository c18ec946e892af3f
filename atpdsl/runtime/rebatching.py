"""Batches that are cut while a plan is run, because memory ran out; what was done is kept.

What a batch has been folded into sums for is done for its parts too. Its runs are not kept:
those that its parts still need are made again, of half as many pairs.
"""

from __future__ import annotations

from collections.abc import Collection

from atpdsl.planning.ops import (
    Contract,
    Op,
    PatchChosen,
    PatchSweep,
    Reduce,
    batch_of,
    operands,
)
from atpdsl.planning.plan import Batch, Plan, schedule
from atpdsl.planning.rewrite import split_batches_known
from atpdsl.runtime.forward import Run
from atpdsl.runtime.inputs import Done
from atpdsl.runtime.statistics import Accumulator


def to_run(plan: Plan, finished: Collection[Op]) -> tuple[Op, ...]:
    """The operations that are left, in order: what outputs need that is not finished."""
    order = schedule(plan)
    wanted = set(plan.outputs())
    for op in reversed(order):
        if op in wanted and op not in finished:
            wanted.update(operands(op))
    return tuple(op for op in order if op in wanted and op not in finished)


def with_smaller_batches(plan: Plan, failed: Collection[int], done: Done) -> tuple[Plan, Done]:
    """The plan with batches cut in half, and what there is of it.

    Args:
        failed: the batches that did not fit. Later ones that are as large, of which nothing
            is kept that would be lost, are cut too.
    """
    parts = _to_cut(plan, failed, done)
    smaller, become = split_batches_known(plan, dict.fromkeys(parts, 2))
    finished: set[Op] = set()
    for op in done.finished:
        folded = isinstance(op, Contract | PatchSweep | PatchChosen)
        if folded or batch_of(op) not in parts:
            finished.update(become(op))
    values = {
        new: value
        for op, value in done.values.items()
        if batch_of(op) not in parts
        for new in become(op)
    }
    sums: dict[Reduce, Accumulator] = {}
    for reduce, accumulator in done.sums.items():
        (new,) = become(reduce)
        if isinstance(new, Reduce):
            sums[new] = accumulator
    return smaller, Done(values=values, sums=sums, finished=finished)


def _to_cut(plan: Plan, failed: Collection[int], done: Done) -> set[int]:
    fewest = min(_tokens(plan, plan.batches[number]) for number in failed)
    held = {batch_of(op) for op, value in done.values.items() if isinstance(value, Run)}
    later = {
        batch.number
        for batch in plan.batches[min(failed) :]
        if batch.number not in held and len(batch.pairs) > 1 and _tokens(plan, batch) >= fewest
    }
    return set(failed) | later


def _tokens(plan: Plan, batch: Batch) -> int:
    """Tokens of the longer side of a batch, padding included."""
    pairs = [plan.bound.pairs.pairs[number] for number in batch.pairs]
    return len(pairs) * max(max(len(pair.clean), len(pair.corrupted)) for pair in pairs)
