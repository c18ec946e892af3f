"""Changing a plan without changing what it holds: a new plan from a rule for operations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, TypeVar, cast

from atpdsl.planning.ops import (
    Backward,
    Contract,
    Estimate,
    Forward,
    Measure,
    Op,
    PatchChosen,
    PatchOn,
    PatchSets,
    PatchSweep,
    Ranking,
    Reduce,
    Select,
    Take,
)
from atpdsl.planning.plan import Plan

AnyOp = TypeVar("AnyOp", bound=Op)


class _Renew(Protocol):
    def __call__(self, op: AnyOp) -> AnyOp:
        """The new form of an operation, of the same type."""
        ...


def rewrite(plan: Plan, change: Callable[[Op], Op]) -> Plan:
    """The plan with `change` applied to every operation, operands first.

    `change` must give back an operation of the same type.
    """
    done: dict[Op, Op] = {}

    def new(op: AnyOp) -> AnyOp:
        if op not in done:
            done[op] = change(_rebuild(op, new))
        return cast(AnyOp, done[op])

    return replace(
        plan,
        clean=tuple(new(op) for op in plan.clean),
        corrupted=tuple(new(op) for op in plan.corrupted),
        methods=tuple(
            replace(m, reductions=tuple(new(r) for r in m.reductions)) for m in plan.methods
        ),
        verifications=tuple(
            replace(
                v,
                chosen=new(v.chosen),
                effects=new(v.effects),
                direct=None if v.direct is None else new(v.direct),
                bound=None if v.bound is None else new(v.bound),
                more=None if v.more is None else new(v.more),
            )
            for v in plan.verifications
        ),
    )


def _rebuild(op: Op, new: _Renew) -> Op:
    """`op` with its operands replaced by `new` ones."""
    match op:
        case Forward(past=past):
            return op if past is None else replace(op, past=new(past))
        case Measure(forward=forward, reference=reference):
            changed = None if reference is None else new(reference)
            return replace(op, forward=new(forward), reference=changed)
        case Backward(measure=measure):
            return replace(op, measure=new(measure))
        case Contract(base=base, donor=donor, gradient=gradient):
            return replace(op, base=new(base), donor=new(donor), gradient=new(gradient))
        case PatchSweep(base=measure, donor=donor):
            return replace(op, base=new(measure), donor=new(donor))
        case PatchChosen(base=measure, donor=donor, chosen=chosen):
            return replace(op, base=new(measure), donor=new(donor), chosen=new(chosen))
        case _:
            return _rebuild_over_batches(op, new)


def _rebuild_over_batches(
    op: PatchSets | Estimate | PatchOn | Reduce | Select | Take, new: _Renew
) -> Op:
    match op:
        case PatchSets():
            return _rebuild_sets(op, new)
        case Estimate(source=patched):
            return replace(op, source=new(patched))
        case PatchOn(bound=bound, chosen=chosen, effects=effects):
            return replace(
                op,
                bases=tuple(new(base) for base in op.bases),
                donors=tuple(new(donor) for donor in op.donors),
                bound=new(bound),
                chosen=new(chosen),
                effects=new(effects),
            )
        case Reduce(parts=parts):
            return replace(op, parts=tuple(new(part) for part in parts))
        case Select(rankings=rankings):
            return replace(op, rankings=tuple(_rebuild_ranking(r, new) for r in rankings))
        case Take(chosen=chosen, source=source):
            return replace(op, chosen=new(chosen), source=tuple(new(s) for s in source))


def _rebuild_sets(op: PatchSets, new: _Renew) -> PatchSets:
    return replace(
        op,
        bases=tuple(new(base) for base in op.bases),
        donors=tuple(new(donor) for donor in op.donors),
        excluded=None if op.excluded is None else new(op.excluded),
        predicted=tuple(new(one) for one in op.predicted),
        known=tuple(new(one) for one in op.known),
    )


def _rebuild_ranking(ranking: Ranking, new: _Renew) -> Ranking:
    return replace(ranking, estimates=tuple(new(e) for e in ranking.estimates))
