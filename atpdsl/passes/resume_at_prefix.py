"""No positions before the first difference, in corrupted runs and in gradients."""

from __future__ import annotations

from dataclasses import replace

from atpdsl.planning.ops import Backward, Contract, Forward, Op, Side, operands
from atpdsl.planning.plan import Plan, walk
from atpdsl.planning.positions import equal_prefix
from atpdsl.planning.reads import first_read, latest_backward, latest_start
from atpdsl.planning.rewrite import rewrite_known
from atpdsl.planning.rows import pairs_of


def resume_at_prefix(plan: Plan) -> Plan:
    """Begin corrupted runs, and gradients, where the pairs of a batch begin to differ.

    A corrupted run takes keys and values of the positions before from the clean run of its
    batch; needs a target that resumes. Gradients are not walked back through positions where
    no node can have an effect.

    Law: in a causal model both sides have the same activations there; what begins later is
    read from there on only (`reads.latest_start`).
    """
    return _begin_backwards(_begin_forwards(plan))


def _begin_forwards(plan: Plan) -> Plan:
    """Corrupted runs with a past."""
    runs = [op for op in walk(plan) if isinstance(op, Forward)]
    clean: dict[tuple[int, int], list[Forward]] = {}
    for run in runs:
        if run.side is Side.CLEAN:
            clean.setdefault((run.batch, run.again), []).append(run)
    users = _users(plan)
    pasts: dict[Forward, tuple[Forward, int]] = {}
    for run in runs:
        candidates = clean.get((run.batch, run.again), [])
        # Where runs are not merged it is not clear which one to keep for it.
        if run.side is Side.CORRUPTED and run.past is None and len(candidates) == 1:
            start = _start(run, users.get(run, []), plan)
            if start:
                pasts[run] = candidates[0], start
    resumed = {past for past, _ in pasts.values()}

    def begin(old: Op, op: Op) -> Op:
        if not isinstance(old, Forward) or not isinstance(op, Forward):
            return op
        if old in resumed:
            return replace(op, resumable=True)
        if old not in pasts:
            return op
        past, start = pasts[old]
        return replace(op, past=replace(past, resumable=True), start=start)

    return rewrite_known(plan, begin)


def _users(plan: Plan) -> dict[Op, list[Op]]:
    users: dict[Op, list[Op]] = {}
    for op in walk(plan):
        for operand in {*operands(op)}:
            users.setdefault(operand, []).append(op)
    return users


def _start(run: Forward, users: list[Op], plan: Plan) -> int:
    """Where a run can begin: the pairs agree up to there, and nobody reads before."""
    equal = min(equal_prefix(pair) for pair in pairs_of(plan, run.batch))
    latest = (latest_start(op, run, plan) for op in users)
    return min(equal, first_read(run, plan), *(at for at in latest if at is not None))


def _begin_backwards(plan: Plan) -> Plan:
    """Gradients that begin where a node that reads them can matter."""
    starts: dict[Op, int] = {}
    for op in walk(plan):
        if isinstance(op, Contract):
            at = latest_backward(op, plan)
            limit = _most(op.base, plan) if at is None else at
            starts[op.gradient] = min(limit, starts.get(op.gradient, limit))

    def begin(old: Op, op: Op) -> Op:
        if not isinstance(old, Backward) or not isinstance(op, Backward):
            return op
        start = min(starts.get(old, old.start), _most(old.measure.forward, plan))
        return replace(op, start=max(start, old.start))

    return rewrite_known(plan, begin)


def _most(base: Forward, plan: Plan) -> int:
    """Where gradients end: at the first position that the metric reads."""
    return first_read(base, plan)
