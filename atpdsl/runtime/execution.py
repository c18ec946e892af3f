"""One run of one plan: its operations in order, batch by batch, each on the batch's device."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from threading import Lock
from typing import TYPE_CHECKING, assert_never, cast

import numpy as np
import torch
from torch import Tensor

from atpdsl.planning.cost import stage_of, walked
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
    Take,
    batch_of,
    operands,
)
from atpdsl.planning.outcome import Counts, Statistics
from atpdsl.planning.plan import Batch, Plan
from atpdsl.problems import Label, Problem, RunError
from atpdsl.runtime.clocks import Clocks
from atpdsl.runtime.contraction import Contraction
from atpdsl.runtime.forward import Run
from atpdsl.runtime.halving import free_caches
from atpdsl.runtime.inputs import Done, Folded, Inputs, base_of, side_of
from atpdsl.runtime.last_use import LastUse
from atpdsl.runtime.memory import out_of_memory
from atpdsl.runtime.parallel import Workers
from atpdsl.runtime.patch_on import PatchedOn, patch_on
from atpdsl.runtime.patch_sets import Patched, run_scheme
from atpdsl.runtime.patching import patch_chosen, sweep
from atpdsl.runtime.rebatching import to_run
from atpdsl.runtime.selection import Selection, flat_numbers, select, take
from atpdsl.runtime.statistics import Accumulator, Part, Sums
from atpdsl.runtime.streams import LayerGradients
from atpdsl.semantics.experiment import ModelRef

if TYPE_CHECKING:
    from atpdsl.planning.outcome import Floats


@dataclass(slots=True)
class _Ended:
    """What came of the operations of a batch.

    Attributes:
        sums: still to be folded.
        finished: the operations that were run.
    """

    sums: list[tuple[Folded, Sums]] = field(default_factory=list)
    finished: list[Op] = field(default_factory=list)


class Execution:
    """The values alive, and the operations that are left.

    Args:
        done: what there is already of the plan.
    """

    def __init__(self, plan: Plan, workers: Workers, clocks: Clocks, done: Done) -> None:
        self.plan, self.done = plan, done
        self._workers, self._clocks = workers, clocks
        self._values, self._sums = done.values, done.sums
        self._inputs = Inputs(plan, workers, done.values, clocks.count)
        self._order = to_run(plan, done.finished)
        self._uses = Counter(operand for op in self._order for operand in operands(op))
        self._lock = Lock()
        self._failed: list[int] = []
        self._backwards = Counter(
            op.measure.forward for op in self._order if isinstance(op, Backward)
        )
        self._readers: dict[Op, list[Reduce]] = {}
        for op in self._order:
            if isinstance(op, Reduce):
                self._sums.setdefault(op, self._accumulator(op))
                for part in op.parts:
                    self._readers.setdefault(part, []).append(op)
        # Contractions that are still to come, by the runs whose attention they may look at.
        self._attending: Counter[Forward] = Counter()
        self._contractions: dict[Backward, list[Contract]] = {}
        for op in self._order:
            if isinstance(op, Contract):
                self._contractions.setdefault(op.gradient, []).append(op)
                self._attending.update((op.base, op.donor))
        self._wanted = frozenset(plan.outputs())

    def run(self) -> tuple[int, ...]:
        """Every operation in order; the batches that there was not enough memory for, if any.

        Raises:
            RuntimeError, MemoryError: when it is not enough for a single pair.
        """
        waiting: dict[int, list[Op]] = {}
        for batch, ops in groupby(self._order, key=batch_of):
            if batch is not None:
                waiting.setdefault(batch, []).extend(ops)
                continue
            self._run_batches(waiting)
            if self._failed:
                break
            waiting = {}
            for op in ops:
                self._run_over_batches(op)
        else:
            self._run_batches(waiting)
        return tuple(self._failed)

    def _run_over_batches(self, op: Op) -> None:
        with self._clocks.timed(stage_of(op)):
            self._execute(op, _Ended())
        self.done.finished.add(op)
        self._release(op)

    def _run_batches(self, waiting: dict[int, list[Op]]) -> None:
        """The operations of several batches, each on its device; their sums in order."""
        jobs: list[tuple[Batch, Callable[[], _Ended]]] = [
            (self.plan.batches[batch], partial(self._run_batch, batch, ops))
            for batch, ops in waiting.items()
        ]
        for ended in self._workers.in_order(jobs):
            # Taken out one by one: with all neurons they are large.
            while ended.sums:
                self._fold(*ended.sums.pop(0))
            self.done.finished.update(ended.finished)

    def _run_batch(self, batch: int, ops: Sequence[Op]) -> _Ended:
        """The operations of one batch, as far as memory allows."""
        ended, device = _Ended(), self._inputs.worker(batch).device
        if self._failed:
            return ended
        try:
            for op in ops:
                with self._clocks.timed(stage_of(op), device):
                    self._execute(op, ended)
                    self._release(op)
                ended.finished.append(op)
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error) or self._inputs.size(batch) == 1:
                raise
            self._failed.append(batch)
        if self._failed:
            # The error is let go by now, and with it the tensors that were too large.
            free_caches(device)
        return ended

    def _execute(self, op: Op, ended: _Ended) -> None:
        match op:
            case Forward():
                self._values[op] = self._forward(op)
            case Measure():
                self._values[op] = self._measure(op)
            case Backward():
                self._backward(op)
            case Contract() | PatchSweep() | PatchChosen():
                ended.sums.append((op, self._summed(op)))
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
        with self._lock:
            for operand in operands(op):
                self._uses[operand] -= 1
                if self._uses[operand] == 0 and operand not in self._wanted:
                    self._values.pop(operand, None)

    # ---- one method per operation

    def _forward(self, op: Forward) -> Run:
        engine = self._inputs.worker(op.batch).engine
        before = engine.passed
        past = None if op.past is None else self._inputs.run(op.past)
        made = engine.run(self._inputs.prompts(op), op, past)
        passes = Counts(
            forward_calls=1,
            forward_sequences=self._inputs.size(op.batch),
            forward_layers=engine.passed - before,
        )
        self._clocks.count("activations", passes)
        return made

    def _measure(self, op: Measure) -> Tensor:
        logits = self._inputs.run(op.forward).logits
        with torch.set_grad_enabled(op.forward.tracked):
            values = self._inputs.metric.compute(logits, self._inputs.targets(op))
        self._refuse_nan(values, f"the metric `{self.plan.bound.experiment.metric.title}`")
        return values

    def _backward(self, op: Backward) -> None:
        """The gradients, contracted as they come: they are never all there at once."""
        forward = op.measure.forward
        base, metric = self._inputs.run(forward), cast(Tensor, self._values[op.measure])
        self._count_backward(op, base)
        self._backwards[forward] -= 1
        more = self._backwards[forward] > 0
        contractions = self._contractions_of(op)
        worker = self._inputs.worker(forward.batch)
        last_use = self._last_use(op, contractions)
        found = worker.engine.gradients(op, metric, base, more=more, at_once=worker.streams)
        for gradients in found:
            for contraction, _ in contractions:
                if not contraction.take(gradients):
                    self._refuse(gradients)
            last_use.release()
        for contraction, contracts in contractions:
            for contract in contracts:
                self._values[contract] = contraction.sums(contract)
                for run_of in (contract.base, contract.donor):
                    self._attending[run_of] -= 1
                    if not self._attending[run_of]:
                        self._inputs.run(run_of).attention.clear()
        if not more:
            base.forget()
            self._values[op.measure] = metric.detach()

    def _last_use(
        self, op: Backward, contractions: Sequence[tuple[Contraction, list[Contract]]]
    ) -> LastUse:
        """The runs that are used by a backward and its contractions, and never after."""
        mine: list[Op] = [op, *(contract for _, some in contractions for contract in some)]
        used = Counter(operand for one in mine for operand in operands(one))
        runs = [
            self._inputs.run(one)
            for one, times in used.items()
            if isinstance(one, Forward) and one not in self._wanted and self._uses[one] == times
        ]
        return LastUse(runs, [contraction for contraction, _ in contractions])

    def _contractions_of(self, op: Backward) -> list[tuple[Contraction, list[Contract]]]:
        """What reads a gradient: the contracts of the same nodes and runs together."""
        alike: dict[tuple[object, ...], list[Contract]] = {}
        for contract in self._contractions.get(op, ()):
            skips = (contract.skip_equal_prefix, contract.skip_unreachable)
            alike.setdefault((contract.nodes, contract.donor, *skips), []).append(contract)
        return [(self._contraction(some), some) for some in alike.values()]

    def _count_backward(self, op: Backward, base: Run) -> None:
        size = self._inputs.size(op.measure.forward.batch)
        layers = size * walked(op, self.plan.bound.shape.n_layers)
        passes = Counts(
            backward_calls=1,
            backward_sequences=size,
            layer_backwards=layers,
            backward_layers=layers * (base.stop - max(op.start, base.start)),
        )
        self._clocks.count("gradients", passes)

    def _contraction(self, ops: Sequence[Contract]) -> Contraction:
        one = ops[0]
        return Contraction(
            ops,
            (self._inputs.run(one.base), self._inputs.run(one.donor)),
            self._inputs.spots(one, one.nodes),
            self._inputs.worker(one.base.batch).engine.attention_rule,
            keep_pairs=any(reader.keep_pairs for op in ops for reader in self._readers[op]),
        )

    def _refuse(self, gradients: LayerGradients) -> None:
        """Some estimate is not finite: name the gradient that is not, or else the estimate."""
        for name, gradient in gradients.plain.items():
            self._refuse_nan(gradient, f"the gradient at `{name}`")
        raise RunError([not_finite("an estimate", self.plan.bound.experiment.model)])

    def _refuse_nan(self, values: Tensor, what: str) -> None:
        if not bool(torch.isfinite(values).all()):
            raise RunError([not_finite(what, self.plan.bound.experiment.model)])

    def _fold(self, op: Folded, sums: Sums) -> None:
        batch = base_of(op).batch
        readers = self._readers[op]
        for reader in readers:
            self._sums[reader].add(self.plan.batches[batch].pairs, sums, own=len(readers) == 1)

    def _summed(self, op: Folded) -> Sums:
        sums = self._unchecked(op)
        if not sums.finite():
            what = f"the result of {type(op).__name__}"
            raise RunError([not_finite(what, self.plan.bound.experiment.model)])
        return sums

    def _unchecked(self, op: Folded) -> Sums:
        if isinstance(op, Contract):
            return cast(Sums, self._values.pop(op))
        keep = any(reader.keep_pairs for reader in self._readers[op])
        return self._part(op).summed(keep_pairs=keep)

    def _part(self, op: PatchSweep | PatchChosen) -> Part:
        scene = self._inputs.scene(op)
        if isinstance(op, PatchSweep):
            where = self._inputs.spots(op, op.nodes)
            effects = sweep(scene, op.nodes, where)
            return Part(signed=effects, exists=where.exists[:, None, None, :])
        places = [self._inputs.spots(op, nodes) for nodes in op.chosen.sets]
        chosen = cast(Selection, self._values[op.chosen]).nodes
        effects, exists = patch_chosen(scene, chosen, op.chosen.sets, places)
        return Part(signed=effects, exists=exists)

    def _patch_sets(self, op: PatchSets) -> Patched:
        excluded = np.zeros(sum(len(nodes) for nodes in op.sets), dtype=bool)
        if op.excluded is not None:
            selection = cast(Selection, self._values[op.excluded])
            excluded[flat_numbers(op.sets, selection.nodes)] = True
        return run_scheme(
            op,
            self._inputs.patcher(op, op.sets),
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
        return patch_on(op, self._inputs.patcher(op, op.chosen.sets), arms, known)

    def _statistics(self, source: Sequence[Op]) -> list[Statistics]:
        return [cast(Statistics, self._values[one]) for one in source]

    def _select(self, op: Select) -> Selection:
        estimates = {
            ranking.label: self._statistics(ranking.estimates) for ranking in op.rankings
        }
        selection = select(op, self.plan, side_of(op), estimates)
        for reduce in self._sums:
            if any(isinstance(p, PatchChosen) and p.chosen == op for p in reduce.parts):
                kept = len(self.plan.bound.pairs) if reduce.keep_pairs else 0
                self._sums[reduce] = Accumulator((len(selection.nodes),), kept)
        return selection

    def _accumulator(self, op: Reduce) -> Accumulator:
        first = op.parts[0]
        # How many nodes are chosen is known once they are: see `_select`.
        shape = (0,) if isinstance(first, PatchChosen) else first.nodes.shape
        return Accumulator(shape, len(self.plan.bound.pairs) if op.keep_pairs else 0)


def not_finite(what: str, model: ModelRef) -> Problem:
    """A number is infinite or nan."""
    half = model.dtype in {"float16", "bfloat16"}
    return Problem(
        code="ATP404",
        message=f"{what} is not finite",
        at=Label(model.span, f"run in {model.dtype}"),
        help="half precision overflows easily: try `dtype = float32`"
        if half
        else "the weights may hold numbers that are not finite: copy or download them again",
    )
