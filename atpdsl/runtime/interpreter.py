"""Plans interpreted operation by operation, on any engine."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias, assert_never, cast

import numpy as np
import torch
from torch import Tensor

from atpdsl.binding.nodeset import NodeSet
from atpdsl.binding.pairs import TokenPair
from atpdsl.metrics import Targets, metric_of
from atpdsl.planning.cost import counts, stage_of, walked
from atpdsl.planning.ops import (
    Backward,
    Contract,
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
    Side,
    Take,
    operands,
)
from atpdsl.planning.outcome import Counts, Outcome, Statistics
from atpdsl.planning.plan import Plan, schedule
from atpdsl.planning.positions import reach_of
from atpdsl.problems import Label, Problem, RunError
from atpdsl.runtime.clocks import Clocks
from atpdsl.runtime.contraction import Contraction
from atpdsl.runtime.engine import Engine
from atpdsl.runtime.executor import Progress
from atpdsl.runtime.forward import Run
from atpdsl.runtime.memory import out_of_memory
from atpdsl.runtime.outcome import assemble
from atpdsl.runtime.patch_on import PatchedOn, patch_on
from atpdsl.runtime.patch_sets import Patched, SetPatcher, run_scheme
from atpdsl.runtime.patching import Scene, patch_chosen, sweep
from atpdsl.runtime.prompts import Prompts, prompts, targets
from atpdsl.runtime.selection import Selection, flat_numbers, select, take
from atpdsl.runtime.spots import Spots, spots
from atpdsl.runtime.statistics import Accumulator, Part, Sums
from atpdsl.runtime.streams import LayerGradients
from atpdsl.runtime.vocabulary import columns
from atpdsl.semantics.experiment import ModelRef

if TYPE_CHECKING:
    from collections.abc import Sequence

    from atpdsl.planning.outcome import Floats

Value: TypeAlias = Run | Tensor | Selection | Statistics | Sums | Patched | PatchedOn | None
Folded = Contract | PatchSweep | PatchChosen


def interpret(plan: Plan, engine: Engine, progress: Progress) -> Outcome:
    """Compute every output of `plan`, freeing values at their last use.

    Raises:
        RunError: ATP404 when a number is not finite, ATP405 when no gradient arrives, ATP406
            when a layer's attention is not computed as the QK fix expects, ATP424 when there
            is not enough memory.
    """
    # The caller may be in any gradient mode; only tracked runs record a graph.
    with torch.inference_mode(mode=False), torch.no_grad(), ExitStack() as stages:
        try:
            return _Execution(plan, engine, progress, stages).run()
        except FloatingPointError as error:
            what = "the effect of a set of nodes"
            raise RunError([_not_finite(what, plan.bound.experiment.model)]) from error
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
            raise RunError([_too_large(plan)]) from error


class _Execution:
    """One run of one plan: the values alive, and what it has cost."""

    def __init__(
        self, plan: Plan, engine: Engine, progress: Progress, stages: ExitStack
    ) -> None:
        self.plan = plan
        self.engine = engine
        self.metric = metric_of(plan.bound.experiment.metric)
        self._order = schedule(plan)
        self._clocks = Clocks(self._totals(), progress, stages)
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
        # Contractions that are still to come, by the runs whose attention they may look at.
        self._attending: Counter[Forward] = Counter()
        self._contractions: dict[Backward, list[Contract]] = {}
        for op in self._order:
            if isinstance(op, Contract):
                self._contractions.setdefault(op.gradient, []).append(op)
                self._attending.update((op.base, op.donor))
        self._wanted = frozenset(plan.outputs())

    def run(self) -> Outcome:
        """Every operation in order, then the outcome."""
        for op in self._order:
            with self._clocks.timed(stage_of(op)):
                self._execute(op)
                self._release(op)
        return assemble(self.plan, self._values, self._sums, self._clocks.finished())

    def _execute(self, op: Op) -> None:
        match op:
            case Forward():
                self._values[op] = self._forward(op)
            case Measure():
                self._values[op] = self._measure(op)
            case Backward():
                self._backward(op)
            case Contract() | PatchSweep() | PatchChosen():
                self._fold(op)
            case _:
                self._over_batches(op)

    def _over_batches(
        self, op: PatchSets | PatchOn | Estimate | Reduce | Select | Take
    ) -> None:
        match op:
            case PatchSets():
                self._values[op] = self._patch_sets(op)
            case PatchOn():
                self._values[op] = self._patch_on(op)
            case Estimate(source=source, number=number):
                self._values[op] = cast(Patched, self._values[source]).statistics[number]
            case Reduce():
                self._values[op] = self._sums[op].statistics()
            case Select():
                self._values[op] = self._select(op)
            case Take(chosen=chosen, source=source):
                statistics = self._statistics(source)
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
        before = self.engine.passed
        past = None if op.past is None else self._run(op.past)
        made = self.engine.run(self._prompts(op), op, past)
        passes = Counts(
            forward_calls=1,
            forward_sequences=self._size(op.batch),
            forward_layers=self.engine.passed - before,
        )
        self._count("activations", passes)
        return made

    def _measure(self, op: Measure) -> Tensor:
        logits = self._run(op.forward).logits
        with torch.set_grad_enabled(op.forward.tracked):
            values = self.metric.compute(logits, self._targets(op))
        self._refuse_nan(values, f"the metric `{self.plan.bound.experiment.metric.title}`")
        return values

    def _backward(self, op: Backward) -> None:
        """The gradients, contracted as they come: they are never all there at once."""
        forward = op.measure.forward
        base, metric = self._run(forward), cast(Tensor, self._values[op.measure])
        self._count_backward(op, base)
        self._backwards[forward] -= 1
        more = self._backwards[forward] > 0
        contractions = self._contractions_of(op)
        for gradients in self.engine.gradients(op, metric, base, more=more):
            for contraction, _ in contractions:
                if not contraction.take(gradients):
                    self._refuse(gradients)
        for contraction, contracts in contractions:
            for contract in contracts:
                self._values[contract] = contraction.sums(contract)
                for run_of in (contract.base, contract.donor):
                    self._attending[run_of] -= 1
                    if not self._attending[run_of]:
                        self._run(run_of).attention.clear()
        if not more:
            base.forget()
            self._values[op.measure] = metric.detach()

    def _contractions_of(self, op: Backward) -> list[tuple[Contraction, list[Contract]]]:
        """What reads a gradient: the contracts of the same nodes and runs together."""
        alike: dict[tuple[object, ...], list[Contract]] = {}
        for contract in self._contractions.get(op, ()):
            skips = (contract.skip_equal_prefix, contract.skip_unreachable)
            alike.setdefault((contract.nodes, contract.donor, *skips), []).append(contract)
        return [(self._contraction(some), some) for some in alike.values()]

    def _count_backward(self, op: Backward, base: Run) -> None:
        size = self._size(op.measure.forward.batch)
        layers = size * walked(op, self.plan.bound.shape.n_layers)
        passes = Counts(
            backward_calls=1,
            backward_sequences=size,
            layer_backwards=layers,
            backward_layers=layers * (base.stop - max(op.start, base.start)),
        )
        self._count("gradients", passes)

    def _contraction(self, ops: Sequence[Contract]) -> Contraction:
        one = ops[0]
        return Contraction(
            ops,
            (self._run(one.base), self._run(one.donor)),
            self._spots(one, one.nodes),
            self.engine.attention_rule,
            keep_pairs=any(reader.keep_pairs for op in ops for reader in self._readers[op]),
        )

    def _refuse(self, gradients: LayerGradients) -> None:
        """Some estimate is not finite: name the gradient that is not, or else the estimate."""
        for name, gradient in gradients.plain.items():
            self._refuse_nan(gradient, f"the gradient at `{name}`")
        raise RunError([_not_finite("an estimate", self.plan.bound.experiment.model)])

    def _refuse_nan(self, values: Tensor, what: str) -> None:
        if not bool(torch.isfinite(values).all()):
            raise RunError([_not_finite(what, self.plan.bound.experiment.model)])

    def _fold(self, op: Folded) -> None:
        sums = self._summed(op)
        if not sums.finite():
            what = f"the result of {type(op).__name__}"
            raise RunError([_not_finite(what, self.plan.bound.experiment.model)])
        batch = _base_of(op).batch
        for reader in self._readers[op]:
            self._sums[reader].add(self.plan.batches[batch].pairs, sums)

    def _summed(self, op: Folded) -> Sums:
        if isinstance(op, Contract):
            return cast(Sums, self._values.pop(op))
        keep = any(reader.keep_pairs for reader in self._readers[op])
        return self._part(op).summed(keep_pairs=keep)

    def _part(self, op: PatchSweep | PatchChosen) -> Part:
        if isinstance(op, PatchSweep):
            where = self._spots(op, op.nodes)
            effects = sweep(self._scene(op, "patching"), op.nodes, where)
            return Part(signed=effects, exists=where.exists[:, None, None, :])
        places = [self._spots(op, nodes) for nodes in op.chosen.sets]
        chosen = cast(Selection, self._values[op.chosen]).nodes
        scene = self._scene(op, "verification")
        if op.frozen:
            scene = replace(scene, frozen=self._run(op.base.forward))
        effects, exists = patch_chosen(scene, chosen, op.chosen.sets, places)
        return Part(signed=effects, exists=exists)

    def _patcher(self, op: PatchSets | PatchOn, sets: Sequence[NodeSet]) -> SetPatcher:
        both = list(zip(op.bases, op.donors, strict=True))
        stage = stage_of(op)
        scenes = [
            self._scene_of(base, donor, stage, incremental=op.incremental)
            for base, donor in both
        ]
        spots_of = [
            [
                spots(
                    self._pairs(b.forward.batch),
                    s,
                    b.forward.side,
                    skip_equal_prefix=True,
                    reach=reach_of(self.plan.bound),
                )
                for s in sets
            ]
            for b, _ in both
        ]
        return SetPatcher(scenes, self.plan.batches, sets, spots_of)

    def _patch_sets(self, op: PatchSets) -> Patched:
        excluded = np.zeros(sum(len(nodes) for nodes in op.sets), dtype=bool)
        if op.excluded is not None:
            selection = cast(Selection, self._values[op.excluded])
            excluded[flat_numbers(op.sets, selection.nodes)] = True
        return run_scheme(
            op,
            self._patcher(op, op.sets),
            excluded,
            self._by_pair(op.predicted),
            known=self._by_pair(op.known),
        )

    def _by_pair(self, reductions: Sequence[Reduce]) -> Floats | None:
        """Values in every pair of all node sets, [pair, N]; None where they are not kept."""
        kept = [self._sums[one].per_pair for one in reductions]
        tables = [one.reshape(len(one), -1) for one in kept if one is not None]
        return np.concatenate(tables, axis=1) if tables else None

    def _patch_on(self, op: PatchOn) -> PatchedOn:
        selection = cast(Selection, self._values[op.chosen])
        known = np.full(sum(len(nodes) for nodes in op.chosen.sets), np.nan)
        effects = cast(Statistics, self._values[op.effects])
        known[flat_numbers(op.chosen.sets, selection.nodes)] = effects.mean
        arms = cast(Patched, self._values[op.bound]).arms
        if arms is None:
            raise ValueError("only subset sampling gives bounds")
        return patch_on(op, self._patcher(op, op.chosen.sets), arms, known)

    def _statistics(self, source: Sequence[Op]) -> list[Statistics]:
        return [cast(Statistics, self._values[one]) for one in source]

    def _select(self, op: Select) -> Selection:
        estimates = {
            ranking.label: self._statistics(ranking.estimates) for ranking in op.rankings
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
        return self._scene_of(op.base, op.donor, stage, incremental=op.incremental)

    def _scene_of(
        self, base: Measure, donor: Forward, stage: str, *, incremental: bool
    ) -> Scene:
        def done(rows: int, passed: int) -> None:
            passes = Counts(forward_calls=1, forward_sequences=rows, forward_layers=passed)
            self._count(stage, passes)

        tokens, where = columns(self.metric, self._targets(base))
        return Scene(
            engine=self.engine,
            metric=self.metric,
            targets=where,
            tokens=tokens,
            prompts=self._prompts(base.forward),
            base=self._run(base.forward) if incremental else None,
            base_metric=cast(Tensor, self._values[base]).detach(),
            donor=self._run(donor),
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
        return prompts(self._pairs(op.batch), op.side, position, pad, self.engine.model.device)

    def _targets(self, op: Measure) -> Targets:
        known = targets(self._pairs(op.forward.batch), self.engine.model.device)
        if op.reference is None:
            return known
        return replace(known, reference=self._run(op.reference).logits.detach())

    def _spots(self, op: Folded, nodes: NodeSet) -> Spots:
        base = _base_of(op)
        return spots(
            self._pairs(base.batch),
            nodes,
            base.side,
            skip_equal_prefix=op.skip_equal_prefix,
            reach=reach_of(self.plan.bound) if op.skip_unreachable else None,
        )

    def _side(self, op: Select) -> Side:
        first = op.rankings[0].estimates[0]
        if isinstance(first, Estimate):
            return first.source.bases[0].forward.side
        return _base_of(first.parts[0]).side

    # ---- what it costs

    def _totals(self) -> dict[str, int]:
        """Sequences that each stage runs, at most."""
        totals: Counter[str] = Counter()
        for op in self._order:
            passes = counts(op, self.plan)
            totals[stage_of(op)] += passes.forward_sequences + passes.backward_sequences
        return dict(totals)

    def _count(self, stage: str, passes: Counts) -> None:
        self._clocks.count(stage, passes)


def _base_of(op: Folded) -> Forward:
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
