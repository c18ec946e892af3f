"""What operations cost, in passes through the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

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
    Reduce,
    Select,
    Take,
)
from atpdsl.planning.outcome import Counts
from atpdsl.planning.plan import Plan, schedule
from atpdsl.planning.rows import (
    calls_of,
    most_token_layers,
    pairs_of,
    row_runs,
    skips_of,
    token_layers,
    width,
)
from atpdsl.planning.schemes import Blocks, Inclusions, OnePair, Partitions, Shuffle, Tree

STAGES = ("activations", "gradients", "patching", "searching", "verification", "bounds")


# Which nodes these patch is known when the run has come to them.
BOUNDED = (PatchChosen, PatchSets, PatchOn)


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
    """Passes of one operation; an upper bound for those `BOUNDED`, exact for the others."""
    match op:
        case Forward():
            return forward_counts(op, plan)
        case Backward():
            return backward_counts(op, plan)
        case PatchSweep():
            return _swept(op, plan)
        case PatchChosen() | PatchSets() | PatchOn():
            rows = _most_rows(op, plan)
            return Counts(
                forward_calls=-(-rows // plan.rows_per_call),
                forward_sequences=rows,
                forward_layers=rows * most_token_layers(op, plan),
            )
        case Measure() | Contract() | Reduce() | Select() | Take() | Estimate():
            return Counts()
        case _:
            assert_never(op)


def forward_counts(op: Forward, plan: Plan) -> Counts:
    """The passes of one unpatched run."""
    size = len(plan.batches[op.batch].pairs)
    tokens = width(plan, op.batch, op.side) - op.start
    return Counts(
        forward_calls=1,
        forward_sequences=size,
        forward_layers=size * tokens * plan.bound.shape.n_layers,
    )


def backward_counts(op: Backward, plan: Plan) -> Counts:
    """The passes of one walk back, all streams together."""
    forward = op.measure.forward
    layers = len(plan.batches[forward.batch].pairs) * walked(op, plan.bound.shape.n_layers)
    return Counts(
        backward_calls=1,
        backward_sequences=len(plan.batches[forward.batch].pairs),
        layer_backwards=layers,
        backward_layers=layers * (width(plan, forward.batch, forward.side) - op.start),
    )


def walked(op: Backward, n_layers: int) -> int:
    """Layers that gradients are carried back through, all streams together.

    A plain backward goes once through every layer, down to the lowest that has a place. The
    stream that drops a layer is born below it and goes through the layers before it, which is
    n (n - 1) / 2 more for all streams in n layers. Dropping attention and MLP apart are twice
    as many streams, and each layer has one that begins inside it: what drops its MLP goes
    through the attention. It is less than a layer, and counted as one.
    """
    n = n_layers - min(place.layer for place in op.places)
    streams = n * (n - 1) // 2
    extra = {
        Drop.OFF: 0,
        Drop.EVERY_LAYER: streams,
        Drop.EVERY_SUBLAYER: 2 * streams + n,
        Drop.FIRST_READER: 0,
    }
    return n + sum(extra[drop] for drop in op.drops)


def most_sets(op: PatchSets, plan: Plan) -> int:
    """The most sequences that are patched by a scheme; fewer where fewer nodes can matter."""
    nodes, pairs = sum(len(s) for s in op.sets), len(plan.bound.pairs)
    match op.scheme:
        case Partitions() | Inclusions():
            return op.scheme.samples
        case Blocks(size=size):
            return -(-nodes // size) * pairs
        case Tree(levels=levels, branching=branching, most=most):
            if op.known:
                # Then the lowest blocks are the last that are patched.
                nodes, levels = -(-nodes // branching), levels - 1
            return tree_sets(nodes, levels, branching, most) * pairs
        case OnePair():
            return 0 if op.known else nodes
        case Shuffle():
            return 0
        case _:
            assert_never(op.scheme)


def tree_sets(nodes: int, levels: int, branching: int, most: int | None) -> int:
    """The most blocks and nodes of a tree that are patched.

    The lowest blocks have `branching` nodes each, every other block `branching` blocks. All
    blocks of the highest level are patched; opening a block patches all that is in it.
    """
    widths = [nodes]
    for _ in range(levels):
        widths.append(-(-widths[-1] // branching))
    if most is None:
        return sum(widths)
    opened = [min(width, most) * branching for width in widths[1:]]
    return widths[-1] + sum(map(min, opened, widths))


def most_chosen(chosen: Select) -> int:
    """The most nodes that a choice can have."""
    everything = sum(len(nodes) for nodes in chosen.sets)
    return min(everything, len(chosen.rankings) * chosen.top + chosen.random)


def _swept(op: PatchSweep, plan: Plan) -> Counts:
    forward, n_layers = op.base.forward, plan.bound.shape.n_layers
    pairs = pairs_of(plan, forward.batch)
    runs = row_runs(pairs, op.nodes, forward.side, skips_of(op, plan))
    rows = sum(run.count for run in runs)
    tokens = width(plan, forward.batch, forward.side)
    if op.incremental:
        at_once = plan.rows_per_call * tokens
        calls = sum(1 for _ in calls_of(runs, at_once))
        passed = token_layers(runs, at_once, n_layers)
    else:
        calls = -(-rows // plan.rows_per_call)
        passed = rows * tokens * n_layers
    return Counts(forward_calls=calls, forward_sequences=rows, forward_layers=passed)


def _most_rows(op: PatchChosen | PatchSets | PatchOn, plan: Plan) -> int:
    """The most patched sequences, where the nodes are not known yet."""
    match op:
        case PatchChosen(base=base, chosen=chosen):
            return len(plan.batches[base.forward.batch].pairs) * most_chosen(chosen)
        case PatchSets():
            return most_sets(op, plan)
        case PatchOn(chosen=chosen, most=most):
            left = sum(len(nodes) for nodes in chosen.sets)
            nodes_left = left if most is None else min(left, most)
            return nodes_left * len(plan.bound.pairs)
        case _:
            assert_never(op)


def stage_of(op: Op) -> str:
    """The stage that an operation's work belongs to."""
    match op:
        case Forward() | Measure():
            return "activations"
        case Backward() | Contract():
            return "gradients"
        case PatchSweep() | Reduce():
            return "patching"
        case PatchSets(excluded=None) | Estimate():
            return "searching"
        case PatchChosen() | Select() | Take() | PatchOn():
            return "verification"
        case PatchSets():
            return "bounds"
        case _:
            assert_never(op)


WHAT = {
    "activations": "clean and corrupted runs",
    "gradients": "attribution patching",
    "patching": "exact patching of every node (ap)",
    "searching": "sets of nodes patched together",
    "verification": "exact patching of the chosen nodes",
    "bounds": "random sets of the other nodes",
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
        if isinstance(op, BOUNDED):
            bounded.add(stage)
    return tuple(
        PlanRow(stage=s, what=WHAT[s], counts=totals[s], at_most=s in bounded)
        for s in STAGES
        if s in totals
    )
