"""Smaller batches and calls, where the memory that a run may take is given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from atpdsl.passes.drop_unused_captures import drop_unused_captures
from atpdsl.passes.run_again import run_again
from atpdsl.planning.memory import plan_bytes
from atpdsl.planning.plan import Plan
from atpdsl.planning.rewrite import split_batches

STREAMS = 1 << 20
"""Numbers in the batched backwards of GradDrop's gradients before they are cut."""
FEWEST_STREAMS = 1 << 14
"""They are not cut further: a backward of so few is slow, and saves next to nothing."""


def chunk_to_memory(plan: Plan) -> Plan:
    """Halve what is done at once until the plan fits into `run { memory = ... }`.

    First the rows of a patched call, then GradDrop's gradients in one batched backward, then
    the pairs of the largest batches: in the order of what smaller pieces cost. A plan that
    does not fit at one pair a batch stays as it is.

    Law: no number depends on which rows or pairs are computed together; sums over pairs are
    folded in the same order.
    """
    memory = plan.bound.experiment.run.memory
    if memory is None:
        return plan
    smaller, size = plan, plan_bytes(plan)
    while size > memory:
        found = next(
            ((one, new) for one in _smaller(smaller) if (new := plan_bytes(one)) < size), None
        )
        if found is None:
            return plan
        smaller, size = found
    return smaller


def _smaller(plan: Plan) -> Iterator[Plan]:
    """The plan with one thing done in smaller pieces; halved again where that changes nothing.

    A call may have room for more rows, or gradients, than there are.
    """
    rows = plan.rows_per_call
    while rows > 1:
        rows //= 2
        yield replace(plan, rows_per_call=rows)
    streams = STREAMS if plan.streams_per_call is None else plan.streams_per_call
    while streams > FEWEST_STREAMS:
        streams //= 2
        yield replace(plan, streams_per_call=streams)
    most = max(len(batch.pairs) for batch in plan.batches)
    if most > 1:
        # All batches that are larger than half of the largest.
        parts = {b.number: 2 for b in plan.batches if len(b.pairs) > (most + 1) // 2}
        # What one batch may keep for its verification, many may not.
        yield drop_unused_captures(run_again(split_batches(plan, parts)))
