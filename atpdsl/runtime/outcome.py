"""From the values of a finished run to its outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from atpdsl.planning.ops import Measure, Op, Reduce, Take
from atpdsl.planning.outcome import (
    MethodOutcome,
    Outcome,
    Stage,
    Statistics,
    VerifiedOutcome,
)
from atpdsl.planning.plan import MethodOutput, Plan, VerifyOutput
from atpdsl.runtime.selection import Selection
from atpdsl.runtime.statistics import Accumulator

if TYPE_CHECKING:
    from atpdsl.planning.outcome import Floats


def assemble(
    plan: Plan,
    values: Mapping[Op, Any],
    sums: Mapping[Reduce, Accumulator],
    stages: tuple[Stage, ...],
) -> Outcome:
    """The outcome of `plan`.

    Args:
        values: of every output: a vector per measurement, statistics per reduction, a
            selection per choice.
        sums: where per-pair values were kept.
    """
    return Outcome(
        methods=tuple(_method(plan, m, values, sums) for m in plan.methods),
        verified=tuple(_verified(v, values, sums) for v in plan.verifications),
        clean_metric=_per_pair(plan, plan.clean, values),
        corrupted_metric=_per_pair(plan, plan.corrupted, values),
        stages=stages,
    )


def _per_pair(plan: Plan, measures: Sequence[Measure], values: Mapping[Op, Any]) -> Floats:
    metric = np.full(len(plan.bound.pairs), np.nan)
    for measure in measures:
        pairs = plan.batches[measure.forward.batch].pairs
        metric[list(pairs)] = values[measure].detach().double().cpu().numpy()
    return metric


def _method(
    plan: Plan,
    method: MethodOutput,
    values: Mapping[Op, Any],
    sums: Mapping[Reduce, Accumulator],
) -> MethodOutcome:
    kept = [sums[reduce].per_pair for reduce in method.reductions]
    return MethodOutcome(
        call=method.call,
        exact=method.exact,
        sets=plan.bound.nodes,
        statistics=tuple(cast(Statistics, values[reduce]) for reduce in method.reductions),
        per_pair=tuple(k for k in kept if k is not None) or None,
    )


def _verified(
    verify: VerifyOutput, values: Mapping[Op, Any], sums: Mapping[Reduce, Accumulator]
) -> VerifiedOutcome:
    selection = cast(Selection, values[verify.chosen])
    return VerifiedOutcome(
        labels=verify.labels,
        nodes=selection.nodes,
        chosen_by=selection.chosen_by,
        statistics=cast(Statistics, values[verify.effects]),
        population=selection.population,
        per_pair=_kept(verify.effects, selection, sums),
    )


def _kept(
    effects: Reduce | Take, selection: Selection, sums: Mapping[Reduce, Accumulator]
) -> Floats | None:
    if isinstance(effects, Reduce):
        return sums[effects].per_pair
    kept = [sums[source].per_pair for source in effects.source]
    everything = [array.reshape(len(array), -1) for array in kept if array is not None]
    if len(everything) != len(kept):
        return None
    nothing = everything[0][:, :0]
    columns = [everything[number][:, [flat]] for number, flat in selection.nodes]
    return np.concatenate([nothing, *columns], axis=1)
