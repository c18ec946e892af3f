"""The executor on TransformerBridge hooks: works on every supported model."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, assert_never, cast

import numpy as np
import torch
from torch import Tensor

from atpdsl.binding.nodeset import NodeSet
from atpdsl.binding.pairs import TokenPair
from atpdsl.metrics import Targets, metric_of
from atpdsl.planning.cost import STAGES, counts, stage_of
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
    Side,
    Take,
    operands,
)
from atpdsl.planning.outcome import Counts, Outcome, Stage, Statistics
from atpdsl.planning.plan import Plan, schedule
from atpdsl.problems import Label, Problem, RunError
from atpdsl.runtime.contraction import contract
from atpdsl.runtime.executor import Progress, Step
from atpdsl.runtime.forward import Run, run, site_of
from atpdsl.runtime.load import LoadedModel
from atpdsl.runtime.memory import out_of_memory
from atpdsl.runtime.outcome import assemble
from atpdsl.runtime.patching import Scene, patch_chosen, sweep
from atpdsl.runtime.prompts import Prompts, prompts, targets
from atpdsl.runtime.selection import Selection, select, take
from atpdsl.runtime.spots import Spots, spots
from atpdsl.runtime.statistics import Accumulator
from atpdsl.semantics.experiment import ModelRef

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from atpdsl.planning.outcome import Floats

Value = Run | Tensor | dict[str, Tensor] | Selection | Statistics
Part = Contract | PatchSweep | PatchChosen


class BridgeExecutor:
    """Runs a plan operation by operation, freeing values at their last use."""

    def execute(self, plan: Plan, model: LoadedModel | None, progress: Progress) -> Outcome:
        """Compute every output of `plan`.

        Raises:
            RunError: ATP404 when a number is not finite, ATP405 when no gradient arrives.
        """
        if model is None:
            raise ValueError("the bridge executor needs a model")
        # The caller may be in any gradient mode; only tracked runs record a graph.
        with torch.inference_mode(mode=False), torch.no_grad(), ExitStack() as stages:
            execution = _Execution(plan, model, progress, stages)
            try:
                return execution.run()
            except (MemoryError, RuntimeError) as error:
                if not out_of_memory(error):
                    raise
                raise RunError([_too_large(plan)]) from error


@dataclass(slots=True)
class _Clock:
    """Passes and seconds of one stage."""

    counts: Counts
    seconds: float
    step: Step


class _Execution:
    """One run of one plan: the values alive, and what it has cost."""

    def __init__(
        self, plan: Plan, model: LoadedModel, progress: Progress, stages: ExitStack
    ) -> None:
        self.plan = plan
        self.model = model
        self.metric = metric_of(plan.bound.experiment.metric)
        self._progress, self._stages = progress, stages
        self._order = schedule(plan)
        self._values: dict[Op, Value] = {}
        self._uses = Counter(operand for op in self._order for operand in operands(op))
        self._backwards = Counter(
            op.measure.forward for op in self._order if isinstance(op, Backward)
        )
        self._sums = {op: self._accumulator(op) for op in self._order if isinstance(op, Reduce)}
        self._readers: dict[Op, list[Reduce]] = {}
        for reduce in self._sums:
            for part in reduce.parts:
                self._readers.setdefault(part, []).append(reduce)
        self._clocks: dict[str, _Clock] = {}
        self._wanted = frozenset(plan.outputs())

    def run(self) -> Outcome:
        """Every operation in order, then the outcome."""
        for op in self._order:
            clock = self._clock(stage_of(op))
            began = time.perf_counter()
            self._execute(op)
            self._release(op)
            clock.seconds += time.perf_counter() - began
        stages = tuple(
            Stage(name=name, counts=c.counts, seconds=c.seconds)
            for name in STAGES
            if (c := self._clocks.get(name)) is not None and c.counts != Counts()
        )
        return assemble(self.plan, self._values, self._sums, stages)

    def _execute(self, op: Op) -> None:
        match op:
            case Forward():
                self._values[op] = self._forward(op)
            case Measure():
                self._values[op] = self._measure(op)
            case Backward():
                self._values[op] = self._backward(op)
            case Contract() | PatchSweep() | PatchChosen():
                self._fold(op)
            case Reduce():
                self._values[op] = self._sums[op].statistics()
            case Select():
                self._values[op] = self._select(op)
            case Take(chosen=chosen, source=source):
                statistics = [cast(Statistics, self._values[s]) for s in source]
                self._values[op] = take(cast(Selection, self._values[chosen]), statistics)
            case _:
                assert_never(op)

    def _release(self, op: Op) -> None:
        for operand in operands(op):
            self._uses[operand] -= 1
            if self._uses[operand] == 0 and operand not in self._wanted:
                self._values.pop(operand, None)

    # ---- one method per operation

    def _forward(self, op: Forward) -> Run:
        self._count(
            "activations", Counts(forward_calls=1, forward_sequences=self._size(op.batch))
        )
        return run(self.model, self._prompts(op), op.captures, tracked=op.tracked)

    def _measure(self, op: Measure) -> Tensor:
        logits = self._run(op.forward).logits
        with torch.set_grad_enabled(op.forward.tracked):
            values = self.metric.compute(logits, self._targets(op))
        self._refuse_nan(values, f"the metric `{self.plan.bound.experiment.metric.title}`")
        return values

    def _backward(self, op: Backward) -> dict[str, Tensor]:
        base = self._run(op.measure.forward)
        names = sorted({site_of(place).write for place in op.places})
        metric = cast(Tensor, self._values[op.measure])
        size = self._size(op.measure.forward.batch)
        self._count("gradients", Counts(backward_calls=1, backward_sequences=size))
        self._backwards[op.measure.forward] -= 1
        more = self._backwards[op.measure.forward] > 0
        # Pairs do not meet in a batch: the gradient of the sum is each pair's own gradient.
        found = torch.autograd.grad(
            metric,
            [base.sites[name] for name in names],
            grad_outputs=torch.ones_like(metric),
            retain_graph=more,
            allow_unused=True,
        )
        gradients = {}
        for name, gradient in zip(names, found, strict=True):
            if gradient is None:
                raise RunError([_no_gradient(name)])
            self._refuse_nan(gradient, f"the gradient at `{name}`")
            gradients[name] = gradient
        if not more:
            base.sites.clear()
            base.logits = base.logits.detach()
            self._values[op.measure] = metric.detach()
        return gradients

    def _refuse_nan(self, values: Tensor, what: str) -> None:
        if not bool(torch.isfinite(values).all()):
            raise RunError([_not_finite(what, self.plan.bound.experiment.model)])

    def _fold(self, op: Part) -> None:
        values, exists = self._part(op)
        self._refuse_nan(torch.from_numpy(values), f"the result of {type(op).__name__}")
        batch = _base_of(op).batch
        for reader in self._readers[op]:
            self._sums[reader].add(self.plan.batches[batch].pairs, values, exists)

    def _part(self, op: Part) -> tuple[Floats, NDArray[np.bool_]]:
        if isinstance(op, Contract):
            where = self._spots(op, op.nodes)
            gradients = cast("dict[str, Tensor]", self._values[op.gradient])
            found = contract(
                self._run(op.base), self._run(op.donor), gradients, op.nodes, where
            )
            return found.double().cpu().numpy(), where.exists[:, None, None, :]
        if isinstance(op, PatchSweep):
            where = self._spots(op, op.nodes)
            found_exactly = sweep(self._scene(op, "patching"), op.nodes, where)
            return found_exactly, where.exists[:, None, None, :]
        places = [self._spots(op, nodes) for nodes in op.chosen.sets]
        chosen = cast(Selection, self._values[op.chosen]).nodes
        return patch_chosen(self._scene(op, "verification"), chosen, op.chosen.sets, places)

    def _select(self, op: Select) -> Selection:
        estimates = {
            ranking.label: [cast(Statistics, self._values[e]) for e in ranking.estimates]
            for ranking in op.rankings
        }
        selection = select(op, self.plan, self._side(op), estimates)
        for reduce in self._sums:
            if any(isinstance(p, PatchChosen) and p.chosen == op for p in reduce.parts):
                kept = len(self.plan.bound.pairs) if reduce.keep_pairs else 0
                self._sums[reduce] = Accumulator((len(selection.nodes),), kept)
        return selection

    # ---- what the operations are given

    def _accumulator(self, op: Reduce) -> Accumulator:
        first = op.parts[0]
        # How many nodes are chosen is known once they are: see `_select`.
        shape = (0,) if isinstance(first, PatchChosen) else first.nodes.shape
        return Accumulator(shape, len(self.plan.bound.pairs) if op.keep_pairs else 0)

    def _scene(self, op: PatchSweep | PatchChosen, stage: str) -> Scene:
        def done(rows: int) -> None:
            self._count(stage, Counts(forward_calls=1, forward_sequences=rows))

        return Scene(
            model=self.model,
            metric=self.metric,
            targets=self._targets(op.base),
            base=self._prompts(op.base.forward),
            base_metric=cast(Tensor, self._values[op.base]).detach(),
            donor=self._run(op.donor),
            rows_per_call=self.plan.rows_per_call,
            done=done,
        )

    def _run(self, op: Forward) -> Run:
        return cast(Run, self._values[op])

    def _pairs(self, batch: int) -> tuple[TokenPair, ...]:
        return tuple(self.plan.bound.pairs.pairs[i] for i in self.plan.batches[batch].pairs)

    def _size(self, batch: int) -> int:
        return len(self.plan.batches[batch].pairs)

    def _prompts(self, op: Forward) -> Prompts:
        position = self.plan.bound.experiment.metric.position
        pad = self.plan.bound.pairs.pad_id
        return prompts(self._pairs(op.batch), op.side, position, pad, self.model.device)

    def _targets(self, op: Measure) -> Targets:
        known = targets(self._pairs(op.forward.batch), self.model.device)
        if op.reference is None:
            return known
        return replace(known, reference=self._run(op.reference).logits.detach())

    def _spots(self, op: Part, nodes: NodeSet) -> Spots:
        base = _base_of(op)
        skip = op.skip_equal_prefix
        return spots(self._pairs(base.batch), nodes, base.side, skip_equal_prefix=skip)

    def _side(self, op: Select) -> Side:
        part = op.rankings[0].estimates[0].parts[0]
        return _base_of(part).side

    # ---- what it costs

    def _clock(self, stage: str) -> _Clock:
        if stage not in self._clocks:
            of_stage = [counts(op, self.plan) for op in self._order if stage_of(op) == stage]
            total = sum(c.forward_sequences + c.backward_sequences for c in of_stage)
            step: Step = _Nothing()
            if total:
                bar = self._progress.stage(stage, total, "sequences")
                step = self._stages.enter_context(bar)
            self._clocks[stage] = _Clock(Counts(), 0.0, step)
        return self._clocks[stage]

    def _count(self, stage: str, passes: Counts) -> None:
        clock = self._clock(stage)
        clock.counts += passes
        clock.step.advance(passes.forward_sequences + passes.backward_sequences)


class _Nothing:
    def advance(self, count: int) -> None:
        """A stage without passes has nothing to show."""


def _base_of(op: Part) -> Forward:
    return op.base if isinstance(op, Contract) else op.base.forward


def _not_finite(what: str, model: ModelRef) -> Problem:
    half = model.dtype in {"float16", "bfloat16"}
    return Problem(
        code="ATP404",
        message=f"{what} is not finite",
        at=Label(model.span, f"run in {model.dtype}"),
        help="half precision overflows easily: try `dtype = float32`"
        if half
        else "the weights may hold numbers that are not finite: copy or download them again",
    )


def _too_large(plan: Plan) -> Problem:
    return Problem(
        code="ATP424",
        message="out of memory while running",
        at=Label(
            plan.bound.experiment.nodes[0].span, f"{plan.bound.node_count:,} nodes in all"
        ),
        help="choose fewer nodes, or a smaller `batch` in `run { ... }`",
    )


def _no_gradient(name: str) -> Problem:
    return Problem(
        code="ATP405",
        message=f"no gradient arrives at `{name}`",
        help="this model does not use the activation there; leave the node kind out",
    )
