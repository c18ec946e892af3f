"""Rewrites of plans: each a pure function in its own file, applied in this order."""

from __future__ import annotations

from collections.abc import Callable

from atpdsl.passes.merge_backwards import merge_backwards
from atpdsl.passes.merge_forwards import merge_forwards
from atpdsl.passes.skip_equal_prefixes import skip_equal_prefixes
from atpdsl.planning.plan import Plan
from atpdsl.planning.verify import verify_plan

PIPELINE: tuple[Callable[[Plan], Plan], ...] = (
    merge_forwards,
    merge_backwards,
    skip_equal_prefixes,
)


def optimize(plan: Plan) -> Plan:
    """The plan after all passes, checked before the first and after each."""
    verify_plan(plan)
    for rewrite in PIPELINE:
        plan = rewrite(plan)
        verify_plan(plan)
    return plan
