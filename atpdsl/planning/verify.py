"""The law of plans: what must hold of every plan, checked before and after the passes."""

from __future__ import annotations

from atpdsl.nodes import ATTENDING
from atpdsl.planning.ops import (
    Backward,
    Contract,
    Drop,
    Estimate,
    Forward,
    Measure,
    Op,
    PatchChosen,
    PatchOn,
    PatchSets,
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
        case Backward():
            return _wrong_backward(op)
        case Contract():
            return _wrong_contract(op)
        case PatchSweep(donor=donor, nodes=nodes):
            return _other_run(op) or _missing(places_of(nodes), donor)
        case PatchChosen(donor=donor, chosen=chosen):
            places = tuple(p for nodes in chosen.sets for p in places_of(nodes))
            return _other_run(op) or _missing(places, donor) or _wrong_frozen(op, plan)
        case _:
            return _wrong_over_batches(op, plan)


def _wrong_over_batches(op: Op, plan: Plan) -> str:
    match op:
        case PatchSets(sets=sets):
            return _wrong_batches(op, plan) or _uneven(
                (len(op.predicted), len(op.known)), len(sets)
            )
        case PatchOn(bound=bound, chosen=chosen):
            other = "" if bound.excluded == chosen else "the bound is of other nodes"
            return other or _wrong_batches(op, plan)
        case Estimate(source=PatchSets(sets=sets), number=number):
            return "" if number < len(sets) else f"there is no node set {number}"
        case Reduce(parts=()):
            return "nothing to reduce"
        case Select(rankings=rankings, sets=sets):
            uneven = any(len(r.estimates) != len(sets) for r in rankings)
            return "rankings do not cover the node sets" if uneven else ""
        case _:
            return ""


def _wrong_backward(op: Backward) -> str:
    forward = op.measure.forward
    if not forward.tracked:
        return "the forward does not track gradients"
    if op.drops and not forward.segmented:
        return "the forward is not cut into segments"
    return _missing(op.places, forward)


def _wrong_contract(op: Contract) -> str:
    if op.gradient.measure.forward != op.base:
        return "the gradient is not of the base run"
    places = places_of(op.nodes)
    if not set(places) <= set(op.gradient.places):
        return "the gradient lacks a place"
    wanted = {op.drop} - {Drop.OFF} | ({Drop.FIRST_READER} if op.cancellation else set())
    if not wanted <= set(op.gradient.drops):
        return "the gradient lacks a drop"
    if (op.qk_fix or op.saturation) and not _has_attention(op):
        return "a run does not keep its attention, or there is no gradient at its output"
    return _missing(places, op.base) or _missing(places, op.donor)


def _has_attention(op: Contract) -> bool:
    if op.nodes.kind not in ATTENDING:
        return True
    layers = set(op.nodes.layers)
    kept = layers <= set(op.base.attention) and layers <= set(op.donor.attention)
    outputs = {Place("heads.z", layer) for layer in layers}
    return kept and outputs <= set(op.gradient.places)


def _wrong_frozen(op: PatchChosen, plan: Plan) -> str:
    layers = range(plan.bound.shape.n_layers) if op.frozen else ()
    held = tuple(Place(kind, layer) for kind in ("attn", "mlp") for layer in layers)
    return _missing(held, op.base.forward)


def _wrong_batches(op: PatchSets | PatchOn, plan: Plan) -> str:
    batches = [base.forward.batch for base in op.bases]
    if batches != [donor.batch for donor in op.donors]:
        return "bases and donors are of different batches"
    if batches != [batch.number for batch in plan.batches]:
        return "not all batches are there"
    sets = op.sets if isinstance(op, PatchSets) else op.chosen.sets
    places = tuple(p for nodes in sets for p in places_of(nodes))
    return next((wrong for d in op.donors if (wrong := _missing(places, d))), "")


def _uneven(given: tuple[int, ...], sets: int) -> str:
    covered = all(count in {0, sets} for count in given)
    return "" if covered else "estimates or effects do not cover the node sets"


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
