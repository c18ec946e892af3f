"""No work for patches that the metric cannot see."""

from __future__ import annotations

from dataclasses import replace

from atpdsl.planning.ops import Contract, Op, PatchChosen, PatchSweep
from atpdsl.planning.plan import Plan
from atpdsl.planning.rewrite import rewrite


def skip_unreachable(plan: Plan) -> Plan:
    """Take nodes that cannot reach the position of the metric as exactly zero.

    Those are the nodes after that position, and in the last layer nearly all that are not at
    it (`positions.Reach`).

    Law: in a causal model the logits that are read do not depend on them, so the effect and
    its first-order estimate are 0; a run could only add rounding noise. How far a patch moves
    attention weights is said of all nodes, so a contraction that says so looks at them all.
    """

    def skip(op: Op) -> Op:
        match op:
            case Contract(saturation=False) | PatchSweep() | PatchChosen():
                return replace(op, skip_unreachable=True)
            case _:
                return op

    return rewrite(plan, skip)
