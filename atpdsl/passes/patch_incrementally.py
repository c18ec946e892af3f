"""Patched runs that begin where they differ from the run that is patched."""

from __future__ import annotations

from dataclasses import replace

from atpdsl.planning.ops import Forward, Op, PatchChosen, PatchOn, PatchSets, PatchSweep
from atpdsl.planning.plan import Plan, walk
from atpdsl.planning.reads import Patching, bases_of, skips_unreachable
from atpdsl.planning.rewrite import rewrite_known


def patch_incrementally(plan: Plan) -> Plan:
    """Begin patched runs at the node's layer and first position; needs a target that resumes.

    Patches that the metric cannot see have no end to go to, so `skip_unreachable` comes first.

    Law: below the node, and before it, a patched run is the base run, whose residual stream,
    keys and values are kept; so every effect stays what it was, to rounding.
    """
    bases = {
        base.forward
        for op in walk(plan)
        if isinstance(op, Patching) and skips_unreachable(op)
        for base in bases_of(op)
    }

    def resume(old: Op, op: Op) -> Op:
        match op:
            case Forward() if old in bases:
                return replace(op, resumable=True)
            case PatchSweep() | PatchChosen() | PatchSets() | PatchOn() if skips_unreachable(
                op
            ):
                return replace(op, incremental=True)
            case _:
                return op

    return rewrite_known(plan, resume)
