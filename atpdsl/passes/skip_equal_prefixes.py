"""No work for patches that are zero because the prompts agree up to there."""

from __future__ import annotations

from dataclasses import replace

from atpdsl.planning.ops import Contract, Op, PatchChosen, PatchSweep
from atpdsl.planning.plan import Plan
from atpdsl.planning.rewrite import rewrite


def skip_equal_prefixes(plan: Plan) -> Plan:
    """Take nodes before the first differing token as exactly zero, without running them.

    Law: in a causal model the activations there are equal, so the effect and its first-order
    estimate are 0; a run could only add rounding noise.
    """

    def skip(op: Op) -> Op:
        if isinstance(op, Contract | PatchSweep | PatchChosen):
            return replace(op, skip_equal_prefix=True)
        return op

    return rewrite(plan, skip)
