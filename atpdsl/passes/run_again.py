"""Runs that a verification needs are repeated for it, not kept for all batches."""

from __future__ import annotations

from dataclasses import replace

from atpdsl.planning.ops import Forward, Measure, Op, PatchChosen, PatchOn, PatchSets, operands
from atpdsl.planning.plan import Plan, walk
from atpdsl.planning.rewrite import rewrite

AGAIN = 1


def run_again(plan: Plan) -> Plan:
    """Give patches of chosen nodes runs of their own, where there is more than one batch.

    Which nodes are chosen is known after the last batch. Without this pass the donor of every
    batch is kept until then, and memory grows with the number of pairs; with it the runs are
    repeated and freed batch by batch (`plan.schedule`), which costs one or two forwards per
    pair, far fewer than the patches themselves.

    `PatchSets` and `PatchOn` draw pairs from all batches at once and keep all their runs. A
    run that they keep is not repeated.

    Law: the same prompts give the same activations, so every number stays what it was.
    """
    if len(plan.batches) == 1:
        return plan
    kept = {
        operand
        for op in walk(plan)
        if isinstance(op, PatchSets | PatchOn)
        for operand in operands(op)
        if isinstance(operand, Forward)
    }

    def repeat(op: Op) -> Op:
        if not isinstance(op, PatchChosen) or op.donor in kept:
            return op
        return replace(op, donor=_repeated(op.donor), base=_base(op))

    return rewrite(plan, repeat)


def _base(op: PatchChosen) -> Measure:
    """The base's metric; measured anew only where the base's run is needed itself."""
    measure = op.base
    if not (op.frozen or op.incremental or measure.reference is not None):
        return measure
    reference = measure.reference
    return replace(
        measure,
        forward=_repeated(measure.forward),
        reference=None if reference is None else _repeated(reference),
    )


def _repeated(op: Forward) -> Forward:
    """The same run, without what only gradients need."""
    return replace(
        op,
        tracked=False,
        segmented=False,
        attention=(),
        past=None if op.past is None else _repeated(op.past),
        again=AGAIN,
    )
