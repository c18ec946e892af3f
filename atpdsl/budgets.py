"""Runs that are refused because they would take more memory or time than they may."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from atpdsl.methods.lower import lower
from atpdsl.passes import optimize
from atpdsl.passes.chunk_to_memory import FEWEST_STREAMS
from atpdsl.planning.estimate import PlanEstimate
from atpdsl.planning.memory import plan_bytes
from atpdsl.planning.plan import Plan
from atpdsl.planning.target import target_of
from atpdsl.problems import Label, Problem, RunError
from atpdsl.runtime.memory import readable
from atpdsl.semantics.quantities import spelled


def check_memory(plan: Plan, estimate: PlanEstimate) -> None:
    """Whether weights and activations are within `run { memory = ... }`.

    Raises:
        RunError: ATP430 when they are not, with what would be.
    """
    allowed = plan.bound.experiment.run.memory
    if allowed is None or estimate.memory <= allowed:
        return
    activations = estimate.memory - estimate.weights
    raise RunError(
        [
            Problem(
                code="ATP430",
                message=f"this run needs about {readable(estimate.memory)} "
                f"({readable(estimate.weights)} of weights, {readable(activations)} of "
                f"activations), and `memory` allows {readable(allowed)}",
                at=_everything(plan),
                help="; ".join(_what_would_fit(plan, allowed)),
            )
        ]
    )


def check_time(plan: Plan, estimate: PlanEstimate) -> None:
    """Whether the run is within `run { budget = ... }`; loading the model does not count.

    Raises:
        RunError: ATP431 when it is not, with what would be.
    """
    allowed = plan.bound.experiment.run.budget
    if allowed is None or estimate.seconds <= allowed:
        return
    dearest = max(estimate.stages, key=lambda stage: stage.seconds)
    share = dearest.seconds / estimate.seconds
    pairs = len(plan.bound.pairs)
    fitting = int(pairs * allowed / estimate.seconds)
    advice = [f"`{dearest.stage}` takes {share:.0%} of it"]
    if fitting:
        advice.append(f"about {fitting:,} of the {pairs:,} pairs would fit")
    advice.append(f"or set `budget = {spelled(estimate.seconds, 'time')}`")
    up_to = "up to " if estimate.at_most else "about "
    raise RunError(
        [
            Problem(
                code="ATP431",
                message=f"this run would take {up_to}{spelled(estimate.seconds, 'time')}, and "
                f"`budget` allows {spelled(allowed, 'time')}",
                at=_everything(plan),
                help="; ".join(advice),
            )
        ]
    )


def _everything(plan: Plan) -> Label | None:
    """What the run is about, where the spec says it."""
    bound = plan.bound
    nodes, pairs = bound.experiment.nodes, len(bound.pairs)
    what = f"{bound.node_count:,} nodes in {pairs:,} pair{'s' if pairs != 1 else ''}"
    return Label(nodes[0].span, what) if nodes else None


def _what_would_fit(plan: Plan, allowed: int) -> Iterator[str]:
    """How many pairs, where these are what takes the memory; and the least memory."""
    bound = plan.bound
    pairs = len(bound.pairs)
    least, one = _least(plan, pairs), _least(plan, 1)
    if one <= allowed < least:
        # Beyond one pair memory grows by as much for each.
        fitting = 1 + int((pairs - 1) * (allowed - one) / (least - one))
        yield f"about {fitting:,} of the {pairs:,} pairs would fit"
    elif one > allowed:
        yield f"one pair alone needs {readable(one)}"
    yield f"or set `memory = {spelled(least, 'bytes')}`"


def _least(plan: Plan, pairs: int) -> int:
    """Bytes of the plan's first pairs in the smallest pieces: a pair a batch, a row a call."""
    bound = plan.bound
    run = replace(bound.experiment.run, batch=1, memory=None)
    fewer = replace(bound.pairs, pairs=bound.pairs.pairs[:pairs])
    asked = replace(bound, experiment=replace(bound.experiment, run=run), pairs=fewer)
    smallest = optimize(lower(asked), target_of(plan.bound))
    return plan_bytes(replace(smallest, rows_per_call=1, streams_per_call=FEWEST_STREAMS))
