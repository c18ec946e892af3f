"""The law of plans: what must hold of every plan, checked before and after the passes."""

from __future__ import annotations

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
from atpdsl.planning.positions import equal_prefix
from atpdsl.planning.reads import (
    Patching,
    attended_layers,
    bases_of,
    donors_of,
    held_places,
    latest_backward,
    latest_start,
    patched_places,
    skips_unreachable,
)
from atpdsl.planning.rows import pairs_of


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
        case Forward():
            return _wrong_forward(op, plan)
        case Measure(forward=forward, reference=reference):
            mixed = reference is not None and reference.batch != forward.batch
            late = _wrong_start(op, forward, plan)
            return "the reference is of another batch" if mixed else late
        case Backward():
            return _wrong_backward(op)
        case Contract():
            return _wrong_contract(op, plan)
        case PatchSweep() | PatchChosen():
            return _other_run(op) or _wrong_patching(op, plan)
        case _:
            return _wrong_over_batches(op, plan)


def _wrong_over_batches(op: Op, plan: Plan) -> str:
    match op:
        case PatchSets(sets=sets):
            given = _uneven((len(op.predicted), len(op.known)), len(sets))
            return given or _wrong_batches(op, plan) or _wrong_patching(op, plan)
        case PatchOn(bound=bound, chosen=chosen):
            other = "" if bound.excluded == chosen else "the bound is of other nodes"
            return other or _wrong_batches(op, plan) or _wrong_patching(op, plan)
        case Estimate(source=PatchSets(sets=sets), number=number):
            return "" if number < len(sets) else f"there is no node set {number}"
        case Reduce(parts=()):
            return "nothing to reduce"
        case Select(rankings=rankings, sets=sets):
            uneven = any(len(r.estimates) != len(sets) for r in rankings)
            return "rankings do not cover the node sets" if uneven else ""
        case _:
            return ""


def _wrong_forward(op: Forward, plan: Plan) -> str:
    if not 0 <= op.batch < len(plan.batches):
        return f"there is no batch {op.batch}"
    if op.segmented and not op.tracked:
        return "a run without gradients is cut into segments"
    return _unsorted(op.captures) or _wrong_past(op, plan)


def _wrong_past(op: Forward, plan: Plan) -> str:
    """Why a run cannot begin where it does."""
    past = op.past
    if past is None:
        return "a run begins late without a past" if op.start else ""
    if op.start < 1:
        return "a run has a past and nothing to take from it"
    if past.batch != op.batch or past.side == op.side:
        return "the past is not the other side of the batch"
    if past.past is not None:
        return "the past has a past"
    if not past.resumable:
        return "the past does not keep its keys and values"
    equal = min(equal_prefix(pair) for pair in pairs_of(plan, op.batch))
    return "the prompts differ before the start" if op.start > equal else ""


def _wrong_start(op: Op, run: Forward, plan: Plan) -> str:
    """Why `op` cannot use a run that begins late."""
    if not run.start:
        return ""
    latest = latest_start(op, run, plan)
    late = latest is not None and latest < run.start
    return "a run begins after what is read of it" if late else ""


def _wrong_backward(op: Backward) -> str:
    forward = op.measure.forward
    if not forward.tracked:
        return "the forward does not track gradients"
    if op.drops and not forward.segmented:
        return "the forward is not cut into segments"
    if op.start < forward.start:
        return "gradients begin before the run"
    return _missing(op.places, forward)


def _wrong_contract(op: Contract, plan: Plan) -> str:
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
    begin = latest_backward(op, plan) if op.gradient.start else None
    if begin is not None and begin < op.gradient.start:
        return "the gradient begins after what is read of it"
    late = _wrong_start(op, op.base, plan) or _wrong_start(op, op.donor, plan)
    return late or _missing(places, op.base) or _missing(places, op.donor)


def _has_attention(op: Contract) -> bool:
    layers = set(attended_layers(op))
    kept = layers <= set(op.base.attention) and layers <= set(op.donor.attention)
    outputs = {Place("heads.z", layer) for layer in layers}
    return kept and outputs <= set(op.gradient.places)


def _wrong_patching(op: Patching, plan: Plan) -> str:
    """What is wrong with the runs of a patch."""
    if op.incremental and not skips_unreachable(op):
        return "patches that the metric cannot see are resumed"
    held, places = held_places(op, plan.bound.shape.n_layers), patched_places(op)
    for base, donor in zip(bases_of(op), donors_of(op), strict=True):
        if op.incremental and not base.forward.resumable:
            return "the base run cannot be resumed"
        late = _wrong_start(op, base.forward, plan) or _wrong_start(op, donor, plan)
        wrong = late or _missing(held, base.forward) or _missing(places, donor)
        if wrong:
            return wrong
    return ""


def _wrong_batches(op: PatchSets | PatchOn, plan: Plan) -> str:
    batches = [base.forward.batch for base in op.bases]
    if batches != [donor.batch for donor in op.donors]:
        return "bases and donors are of different batches"
    if batches != [batch.number for batch in plan.batches]:
        return "not all batches are there"
    return ""


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
