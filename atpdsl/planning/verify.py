"""The law of plans: what must hold of every plan, checked before and after the passes."""

from __future__ import annotations

from atpdsl.planning.ops import (
    Backward,
    Contract,
    Forward,
    Measure,
    Op,
    PatchChosen,
    PatchSweep,
    Place,
    Reduce,
    Select,
    places_of,
)
from atpdsl.planning.plan import Plan, walk


class BrokenPlanError(AssertionError):
    """A plan breaks the law: an error of ours, never of the user's."""


def verify_plan(plan: Plan) -> None:
    """Check every operation of `plan`.

    Raises:
        BrokenPlanError: naming the first operation that is wrong.
    """
    for op in walk(plan):
        wrong = _wrong(op, plan)
        if wrong:
            raise BrokenPlanError(f"{type(op).__name__}: {wrong} in {op}")


def _wrong(op: Op, plan: Plan) -> str:
    match op:
        case Forward(batch=batch, captures=captures):
            unknown = "" if batch < len(plan.batches) else f"there is no batch {batch}"
            return unknown or _unsorted(captures)
        case Measure(forward=forward, reference=reference):
            mixed = reference is not None and reference.batch != forward.batch
            return "the reference is of another batch" if mixed else ""
        case Backward(measure=Measure(forward=forward), places=places):
            untracked = "" if forward.tracked else "the forward does not track gradients"
            return untracked or _missing(places, forward)
        case Contract():
            return _wrong_contract(op)
        case PatchSweep(donor=donor, nodes=nodes):
            return _other_run(op) or _missing(places_of(nodes), donor)
        case PatchChosen(donor=donor, chosen=chosen):
            places = tuple(p for nodes in chosen.sets for p in places_of(nodes))
            return _other_run(op) or _missing(places, donor)
        case Reduce(parts=()):
            return "nothing to reduce"
        case Select(rankings=rankings, sets=sets):
            uneven = any(len(r.estimates) != len(sets) for r in rankings)
            return "rankings do not cover the node sets" if uneven else ""
        case _:
            return ""


def _wrong_contract(op: Contract) -> str:
    if op.gradient.measure.forward != op.base:
        return "the gradient is not of the base run"
    places = places_of(op.nodes)
    if not set(places) <= set(op.gradient.places):
        return "the gradient lacks a place"
    return _missing(places, op.base) or _missing(places, op.donor)


def _other_run(op: PatchSweep | PatchChosen) -> str:
    base = op.base.forward
    if base.batch != op.donor.batch:
        return "base and donor are of different batches"
    return "base and donor are the same run" if base.side == op.donor.side else ""


def _unsorted(captures: tuple[Place, ...]) -> str:
    return "" if list(captures) == sorted(set(captures)) else "captures out of order"


def _missing(places: tuple[Place, ...], forward: Forward) -> str:
    lacking = set(places) - set(forward.captures)
    return f"the run does not capture {sorted(lacking)[0]}" if lacking else ""
