"""What operations cost, in passes through the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from atpdsl.binding.nodeset import NodeSet
from atpdsl.planning.ops import (
    Backward,
    Contract,
    Forward,
    Measure,
    Op,
    PatchChosen,
    PatchSweep,
    Reduce,
    Select,
    Take,
)
from atpdsl.planning.outcome import Counts
from atpdsl.planning.plan import Plan, schedule
from atpdsl.planning.positions import patches

STAGES = ("activations", "gradients", "patching", "verification")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """One stage of a plan, for people.

    Attributes:
        at_most: the counts are an upper bound (which nodes are verified is not known yet).
    """

    stage: str
    what: str
    counts: Counts
    at_most: bool = False


def counts(op: Op, plan: Plan) -> Counts:
    """Passes of one operation; an upper bound for `PatchChosen`, exact for the others."""
    match op:
        case Forward(batch=batch):
            size = len(plan.batches[batch].pairs)
            return Counts(forward_calls=1, forward_sequences=size)
        case Backward(measure=measure):
            size = len(plan.batches[measure.forward.batch].pairs)
            return Counts(backward_calls=1, backward_sequences=size)
        case PatchSweep(nodes=nodes):
            return _patched(_sweep_rows(op, nodes, plan), plan)
        case PatchChosen(base=base, chosen=chosen):
            size = len(plan.batches[base.forward.batch].pairs)
            return _patched(size * most_chosen(chosen), plan)
        case Measure() | Contract() | Reduce() | Select() | Take():
            return Counts()
        case _:
            assert_never(op)


def most_chosen(chosen: Select) -> int:
    """The most nodes that a choice can have."""
    everything = sum(len(nodes) for nodes in chosen.sets)
    return min(everything, len(chosen.rankings) * chosen.top + chosen.random)


def _sweep_rows(op: PatchSweep, nodes: NodeSet, plan: Plan) -> int:
    batch = plan.batches[op.base.forward.batch]
    pairs = tuple(plan.bound.pairs.pairs[i] for i in batch.pairs)
    side = op.base.forward.side
    spots = patches(pairs, nodes, side, skip_equal_prefix=op.skip_equal_prefix)
    return len(nodes.layers) * len(nodes.indices) * sum(1 for _ in spots)


def _patched(rows: int, plan: Plan) -> Counts:
    return Counts(forward_calls=-(-rows // plan.rows_per_call), forward_sequences=rows)


def stage_of(op: Op) -> str:
    """The stage that an operation's work belongs to."""
    match op:
        case Forward() | Measure():
            return "activations"
        case Backward() | Contract():
            return "gradients"
        case PatchSweep() | Reduce():
            return "patching"
        case PatchChosen() | Select() | Take():
            return "verification"
        case _:
            assert_never(op)


_WHAT = {
    "activations": "clean and corrupted runs",
    "gradients": "attribution patching (atp)",
    "patching": "exact patching of every node (ap)",
    "verification": "exact patching of the chosen nodes",
}


def plan_rows(plan: Plan) -> tuple[PlanRow, ...]:
    """The plan's stages that cost passes, in order."""
    totals: dict[str, Counts] = {}
    bounded: set[str] = set()
    for op in schedule(plan):
        cost = counts(op, plan)
        if cost == Counts():
            continue
        stage = stage_of(op)
        totals[stage] = totals.get(stage, Counts()) + cost
        if isinstance(op, PatchChosen):
            bounded.add(stage)
    return tuple(
        PlanRow(stage=s, what=_WHAT[s], counts=totals[s], at_most=s in bounded)
        for s in STAGES
        if s in totals
    )
