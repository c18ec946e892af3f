"""The executor that runs nothing: it counts, and gives empty results of the right shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from atpdsl.planning.cost import STAGES, counts, most_chosen, stage_of
from atpdsl.planning.outcome import (
    Counts,
    MethodOutcome,
    Outcome,
    Stage,
    Statistics,
    VerifiedOutcome,
)
from atpdsl.planning.plan import Plan, VerifyOutput, schedule
from atpdsl.runtime.executor import Progress

if TYPE_CHECKING:
    from atpdsl.runtime.load import LoadedModel


class NullExecutor:
    """Counts forwards and backwards without a model."""

    def execute(
        self,
        plan: Plan,
        model: LoadedModel | None,  # noqa: ARG002 (nothing is run)
        progress: Progress,  # noqa: ARG002 (nothing takes time)
    ) -> Outcome:
        """The outcome with every number missing, but its counts true."""
        totals: dict[str, Counts] = {}
        for op in schedule(plan):
            stage = stage_of(op)
            totals[stage] = totals.get(stage, Counts()) + counts(op, plan)
        nothing = np.full(len(plan.bound.pairs), np.nan)
        return Outcome(
            methods=tuple(
                MethodOutcome(
                    call=m.call,
                    exact=m.exact,
                    sets=plan.bound.nodes,
                    statistics=tuple(_empty(nodes.shape) for nodes in plan.bound.nodes),
                    note=m.note,
                )
                for m in plan.methods
            ),
            verified=tuple(_unverified(v) for v in plan.verifications),
            clean_metric=nothing,
            corrupted_metric=nothing,
            stages=tuple(
                Stage(name=name, counts=totals[name], seconds=0.0)
                for name in STAGES
                if totals.get(name, Counts()) != Counts()
            ),
        )


def _empty(shape: tuple[int, ...]) -> Statistics:
    missing = np.full(shape, np.nan)
    return Statistics(
        pairs=np.zeros(shape, dtype=np.int64),
        mean=missing,
        mean_abs=missing,
        mean_square=missing,
    )


def _unverified(verify: VerifyOutput) -> VerifiedOutcome:
    everything = sum(len(nodes) for nodes in verify.chosen.sets)
    return VerifiedOutcome(
        labels=verify.labels,
        nodes=np.zeros((0, 2), dtype=np.int64),
        chosen_by=(),
        statistics=_empty((0,)),
        population=max(everything, most_chosen(verify.chosen)),
    )
