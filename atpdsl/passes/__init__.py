"""Rewrites of plans: each a pure function in its own file, applied in this order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from atpdsl.passes.chunk_to_memory import chunk_to_memory
from atpdsl.passes.drop_unused_captures import drop_unused_captures
from atpdsl.passes.merge_backwards import merge_backwards
from atpdsl.passes.merge_forwards import merge_forwards
from atpdsl.passes.patch_incrementally import patch_incrementally
from atpdsl.passes.resume_at_prefix import resume_at_prefix
from atpdsl.passes.run_again import run_again
from atpdsl.passes.skip_equal_prefixes import skip_equal_prefixes
from atpdsl.passes.skip_unreachable import skip_unreachable
from atpdsl.planning.plan import Plan
from atpdsl.planning.target import Target, target_of
from atpdsl.planning.verify import verify_plan
from atpdsl.problems import Problem, SpecError
from atpdsl.registry import Registry

__all__ = ["PIPELINE", "Pass", "applied", "around", "named_passes", "optimize"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """A rewrite of plans.

    Attributes:
        resumes: needs a target whose runs can begin in the middle.
    """

    change: Callable[[Plan], Plan]
    summary: str
    resumes: bool = False

    @property
    def name(self) -> str:
        """The name of its function."""
        return self.change.__name__


PIPELINE = Registry(
    "pass",
    (
        Pass(
            change=merge_forwards,
            summary="one run per batch and side, which keeps what any method reads",
        ),
        Pass(
            change=merge_backwards,
            summary="one backward per measured run, with all the drops that anybody wants",
        ),
        Pass(
            change=skip_equal_prefixes,
            summary="nodes before the first differing token are zero, and not run",
        ),
        Pass(
            change=skip_unreachable,
            summary="nodes that the metric cannot see are zero, and not run",
        ),
        Pass(
            change=patch_incrementally,
            summary="patched runs begin at the node's layer and position",
            resumes=True,
        ),
        Pass(
            change=run_again,
            summary="runs are repeated for the verification, not kept for all batches",
        ),
        Pass(
            change=drop_unused_captures,
            summary="runs keep only what some operation reads",
        ),
        Pass(
            change=resume_at_prefix,
            summary="corrupted runs and gradients begin at the first difference",
            resumes=True,
        ),
        Pass(
            change=chunk_to_memory,
            summary="batches and calls are cut until they fit into `memory`",
        ),
    ),
)


ALL, NONE = "all", "none"


def named_passes(text: str) -> tuple[str, ...]:
    """The passes that `all`, `none` or `a,b,c` says.

    Raises:
        SpecError: ATP432 for a name that no pass has.
    """
    if text in {ALL, NONE}:
        return PIPELINE.names if text == ALL else ()
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    problems = [_unknown(name) for name in names if name not in PIPELINE]
    if problems:
        raise SpecError(problems)
    return names


def _unknown(name: str) -> Problem:
    meant = PIPELINE.closest(name)
    known = ", ".join(PIPELINE.names)
    return Problem(
        code="ATP432",
        message=f"there is no pass `{name}`",
        help=f"did you mean `{meant}`?" if meant else f"there are {known}",
    )


def applied(target: Target, passes: Iterable[str] | None = None) -> tuple[Pass, ...]:
    """The passes for a target, in the order in which they are applied.

    Args:
        passes: names; None is all of them. Those that the target cannot use are left out.
    """
    names = PIPELINE.names if passes is None else tuple(passes)
    return tuple(p for p in PIPELINE if p.name in names and (target.resumes or not p.resumes))


def optimize(
    plan: Plan, target: Target | None = None, passes: Iterable[str] | None = None
) -> Plan:
    """The plan after its passes, checked before the first and after each.

    Args:
        target: what will run it; if not given, what runs such plans by default.
        passes: names of `PIPELINE`; None is all of them, an empty one leaves the plan as it is.
    """
    verify_plan(plan)
    for one in applied(target or target_of(plan.bound), passes):
        plan = one.change(plan)
        plan = replace(plan, passes=(*plan.passes, one.name))
        verify_plan(plan)
    return plan


def around(
    plan: Plan, name: str, target: Target | None = None, passes: Iterable[str] | None = None
) -> tuple[Plan, Plan]:
    """The plan just before and just after one of the passes that `optimize` applies.

    The same plan twice where the pass is not applied for the target.
    """
    target = target or target_of(plan.bound)
    names = [one.name for one in applied(target, passes)]
    if name not in names:
        everything = optimize(plan, target, passes)
        return everything, everything
    at = names.index(name)
    before = optimize(plan, target, names[:at])
    return before, optimize(before, target, names[at : at + 1])
