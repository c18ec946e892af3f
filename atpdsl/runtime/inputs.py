"""What operations are given: prompts and targets on their device, positions, earlier runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, cast

from torch import Tensor

from atpdsl.binding.nodeset import NodeSet
from atpdsl.binding.pairs import TokenPair
from atpdsl.metrics import Metric, Targets, metric_of
from atpdsl.planning.cost import stage_of
from atpdsl.planning.ops import (
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
)
from atpdsl.planning.outcome import Counts, Statistics
from atpdsl.planning.plan import Plan
from atpdsl.planning.positions import reach_of, read_across
from atpdsl.runtime.forward import Run
from atpdsl.runtime.parallel import Worker, Workers
from atpdsl.runtime.patch_on import PatchedOn
from atpdsl.runtime.patch_sets import Patched, SetPatcher
from atpdsl.runtime.patching import Scene
from atpdsl.runtime.prompts import Prompts, prompts, targets
from atpdsl.runtime.selection import Selection
from atpdsl.runtime.spots import Spots, spots
from atpdsl.runtime.statistics import Accumulator, Sums
from atpdsl.runtime.vocabulary import columns

Value: TypeAlias = Run | Tensor | Selection | Statistics | Sums | Patched | PatchedOn | None
Folded = Contract | PatchSweep | PatchChosen


@dataclass(frozen=True, slots=True)
class Done:
    """What there is of a plan.

    Attributes:
        values: of the operations that others still need, and of outputs.
        sums: what is folded so far.
        finished: operations that need not be run again.
    """

    values: dict[Op, Value]
    sums: dict[Reduce, Accumulator]
    finished: set[Op]


class Inputs:
    """What the operations of a plan are given.

    Args:
        values: of the operations that have been run.
        count: told of passes, by the name of their stage.
    """

    def __init__(
        self,
        plan: Plan,
        workers: Workers,
        values: dict[Op, Value],
        count: Callable[[str, Counts], None],
    ) -> None:
        self.plan, self.workers, self.values = plan, workers, values
        self.metric: Metric = metric_of(plan.bound.experiment.metric)
        self._count = count
        self._labels = sorted(
            {label for nodes in plan.bound.nodes for label in nodes.positions}
        )

    def worker(self, batch: int) -> Worker:
        """The device that a batch belongs to."""
        return self.workers.of(self.plan.batches[batch])

    def run(self, op: Forward) -> Run:
        """What a run has left."""
        return cast(Run, self.values[op])

    def pairs(self, batch: int) -> tuple[TokenPair, ...]:
        """The pairs of a batch."""
        return tuple(self.plan.bound.pairs.pairs[i] for i in self.plan.batches[batch].pairs)

    def size(self, batch: int) -> int:
        """How many these are."""
        return len(self.plan.batches[batch].pairs)

    def prompts(self, op: Forward) -> Prompts:
        """One side of a batch, on its device."""
        position = self.plan.bound.experiment.metric.position
        pad = self.plan.bound.pairs.pad_id
        pairs, device = self.pairs(op.batch), self.worker(op.batch).device
        whole = read_across(pairs, self._labels, reach_of(self.plan.bound))
        return prompts(pairs, op.side, position, pad, device, whole=whole)

    def targets(self, op: Measure) -> Targets:
        """What the metric of a batch compares with."""
        batch = op.forward.batch
        known = targets(self.pairs(batch), self.worker(batch).device)
        if op.reference is None:
            return known
        return replace(known, reference=self.run(op.reference).logits.detach())

    def spots(self, op: Folded, nodes: NodeSet) -> Spots:
        """Where nodes are in the batch of an operation."""
        base = base_of(op)
        return spots(
            self.pairs(base.batch),
            nodes,
            base.side,
            skip_equal_prefix=op.skip_equal_prefix,
            reach=reach_of(self.plan.bound) if op.skip_unreachable else None,
        )

    def scene(self, op: PatchSweep | PatchChosen) -> Scene:
        """What patched runs of one batch need."""
        stage = "patching" if isinstance(op, PatchSweep) else "verification"
        scene = self._scene(op.base, op.donor, stage, incremental=op.incremental)
        if isinstance(op, PatchChosen) and op.frozen:
            return replace(scene, frozen=self.run(op.base.forward))
        return scene

    def patcher(self, op: PatchSets | PatchOn, sets: Sequence[NodeSet]) -> SetPatcher:
        """Patches sets of nodes in all batches."""
        both = list(zip(op.bases, op.donors, strict=True))
        scenes = [
            self._scene(base, donor, stage_of(op), incremental=op.incremental)
            for base, donor in both
        ]
        reach = reach_of(self.plan.bound)
        spots_of = [
            [
                spots(
                    self.pairs(base.forward.batch),
                    nodes,
                    base.forward.side,
                    skip_equal_prefix=True,
                    reach=reach,
                )
                for nodes in sets
            ]
            for base, _ in both
        ]
        batches = self.plan.batches
        return SetPatcher(scenes, batches, sets, spots_of, self.workers.in_order)

    def _scene(self, base: Measure, donor: Forward, stage: str, *, incremental: bool) -> Scene:
        def done(rows: int, passed: int) -> None:
            passes = Counts(forward_calls=1, forward_sequences=rows, forward_layers=passed)
            self._count(stage, passes)

        worker = self.worker(base.forward.batch)
        tokens, where = columns(self.metric, self.targets(base))
        return Scene(
            engine=worker.engine,
            metric=self.metric,
            targets=where,
            tokens=tokens,
            prompts=self.prompts(base.forward),
            base=self.run(base.forward) if incremental else None,
            base_metric=cast(Tensor, self.values[base]).detach(),
            donor=self.run(donor),
            rows_per_call=self.plan.rows_per_call,
            done=done,
            memory=worker.rows,
        )


def base_of(op: Folded) -> Forward:
    """The run that an operation is about."""
    return op.base if isinstance(op, Contract) else op.base.forward


def side_of(op: Select) -> Side:
    """The side whose nodes are chosen."""
    first = op.rankings[0].estimates[0]
    if isinstance(first, Estimate):
        return first.source.bases[0].forward.side
    return base_of(first.parts[0]).side
