"""Plans interpreted operation by operation, on any engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

import torch

from atpdsl.planning.cost import counts, stage_of
from atpdsl.planning.outcome import Outcome
from atpdsl.planning.plan import Plan, schedule
from atpdsl.planning.rewrite import split_batches
from atpdsl.problems import Label, Problem, RunError
from atpdsl.runtime.allocator import keeping_freed_memory
from atpdsl.runtime.clocks import Clocks
from atpdsl.runtime.engine import Engine
from atpdsl.runtime.execution import Execution, not_finite
from atpdsl.runtime.executor import Progress
from atpdsl.runtime.inputs import Done
from atpdsl.runtime.memory import out_of_memory
from atpdsl.runtime.outcome import assemble
from atpdsl.runtime.parallel import Workers
from atpdsl.runtime.rebatching import with_smaller_batches


def interpret(plan: Plan, engines: Sequence[Engine], progress: Progress) -> Outcome:
    """Compute every output of `plan`, freeing values at their last use.

    When memory runs out, what did not fit is done again in smaller pieces; the outcome says so.

    Args:
        engines: one for each device; they share the batches.

    Raises:
        RunError: ATP404 when a number is not finite, ATP405 when no gradient arrives, ATP406
            when a layer's attention is not computed as the QK fix expects, ATP424 when there
            is not enough memory for a single pair or patched run.
    """
    plan = _for_each(plan, len(engines))
    # The caller may be in any gradient mode; only tracked runs record a graph.
    with torch.inference_mode(mode=False), torch.no_grad(), ExitStack() as stages:
        stages.enter_context(keeping_freed_memory())
        workers = stages.enter_context(Workers(engines, plan))
        devices = [worker.device for worker in workers.all]
        clocks = Clocks(_totals(plan), progress, stages, devices)
        try:
            return _in_the_end(plan, workers, clocks)
        except FloatingPointError as error:
            what = "the effect of a set of nodes"
            raise RunError([not_finite(what, plan.bound.experiment.model)]) from error
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
            raise RunError([_too_large(plan)]) from error


def _for_each(plan: Plan, devices: int) -> Plan:
    """The plan with a batch for every device, where there are enough pairs."""
    if len(plan.batches) >= devices:
        return plan
    parts = -(-devices // len(plan.batches))
    return split_batches(plan, {batch.number: parts for batch in plan.batches})


def _in_the_end(plan: Plan, workers: Workers, clocks: Clocks) -> Outcome:
    """The outcome, however often batches have to be cut."""
    now, done = plan, Done(values={}, sums={}, finished=set())
    while True:
        execution = Execution(now, workers, clocks, done)
        if not (failed := execution.run()):
            break
        now, done = with_smaller_batches(now, failed, execution.done)
    outcome = assemble(now, execution.done.values, execution.done.sums, clocks.finished())
    return replace(outcome, memory_note=_halved(plan, now, workers))


def _halved(planned: Plan, ran: Plan, workers: Workers) -> str:
    """What was done in smaller pieces than planned, because memory ran out."""
    found = []
    if rows := [worker.rows.size for worker in workers.all if worker.rows.halved]:
        fewest = max(1, min(rows) // planned.bound.pairs.longest)
        found.append(f"patched calls were halved to {fewest} rows")
    if any(worker.streams.halved for worker in workers.all):
        found.append("GradDrop's gradients were taken fewer at a time")
    if len(ran.batches) > len(planned.batches):
        fewest = min(len(batch.pairs) for batch in ran.batches)
        pairs = "pair" if fewest == 1 else "pairs"
        found.append(f"batches were halved, down to {fewest} {pairs}")
    return ", ".join(found)


def _totals(plan: Plan) -> dict[str, int]:
    """Sequences that each stage runs, at most."""
    totals: Counter[str] = Counter()
    for op in schedule(plan):
        passes = counts(op, plan)
        totals[stage_of(op)] += passes.forward_sequences + passes.backward_sequences
    return dict(totals)


def _too_large(plan: Plan) -> Problem:
    return Problem(
        code="ATP424",
        message="out of memory while running",
        at=Label(
            plan.bound.experiment.nodes[0].span, f"{plan.bound.node_count:,} nodes in all"
        ),
        help="one pair does not fit: choose fewer nodes, shorter prompts or a smaller model",
    )
