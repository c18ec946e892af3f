"""From the values of a finished run to its outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from atpdsl.binding.nodeset import NodeSet
from atpdsl.planning.ops import Estimate, Measure, Op, Reduce, Take
from atpdsl.planning.outcome import (
    BY_BOUND,
    BoundOutcome,
    MethodOutcome,
    Outcome,
    Stage,
    Statistics,
    VerifiedOutcome,
)
from atpdsl.planning.plan import MethodOutput, Plan, VerifyOutput
from atpdsl.runtime.patch_on import PatchedOn
from atpdsl.runtime.patch_sets import Patched
from atpdsl.runtime.selection import Selection, addresses
from atpdsl.runtime.sites import in_float64
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
        bounds=tuple(b for b in (_bound(v, values) for v in plan.verifications) if b),
    )


def _per_pair(plan: Plan, measures: Sequence[Measure], values: Mapping[Op, Any]) -> Floats:
    metric = np.full(len(plan.bound.pairs), np.nan)
    for measure in measures:
        pairs = plan.batches[measure.forward.batch].pairs
        metric[list(pairs)] = in_float64(values[measure].detach()).cpu().numpy()
    return metric


def _method(
    plan: Plan,
    method: MethodOutput,
    values: Mapping[Op, Any],
    sums: Mapping[Reduce, Accumulator],
) -> MethodOutcome:
    reduced = [sums[r] for r in method.reductions if isinstance(r, Reduce)]
    kept = [one.per_pair for one in reduced]
    sizes = [one.magnitudes for one in reduced]
    first = method.reductions[0]
    searched = values[first.source].visits if isinstance(first, Estimate) else None
    return MethodOutcome(
        call=method.call,
        exact=method.exact,
        sets=plan.bound.nodes,
        statistics=tuple(cast(Statistics, values[reduce]) for reduce in method.reductions),
        per_pair=tuple(k for k in kept if k is not None) or None,
        magnitudes=tuple(k for k in sizes if k is not None) or None,
        note=method.note,
        visits=searched,
    )


def _verified(
    verify: VerifyOutput, values: Mapping[Op, Any], sums: Mapping[Reduce, Accumulator]
) -> VerifiedOutcome:
    selection = cast(Selection, values[verify.chosen])
    found = VerifiedOutcome(
        labels=verify.labels,
        nodes=selection.nodes,
        chosen_by=selection.chosen_by,
        statistics=cast(Statistics, values[verify.effects]),
        population=selection.population,
        per_pair=_kept(verify.effects, selection, sums),
        direct=None if verify.direct is None else cast(Statistics, values[verify.direct]),
    )
    if verify.more is None:
        return found
    return _continued(found, cast(PatchedOn, values[verify.more]), verify.chosen.sets)


def _continued(
    found: VerifiedOutcome, more: PatchedOn, sets: tuple[NodeSet, ...]
) -> VerifiedOutcome:
    """A verification with what was measured after it, in the order of the bounds."""
    both = found.per_pair is not None and more.per_pair is not None
    return replace(
        found,
        nodes=np.concatenate([found.nodes, addresses(more.nodes, sets)]),
        chosen_by=(*found.chosen_by, *(BY_BOUND for _ in more.nodes)),
        statistics=_joined(found.statistics, more.statistics),
        per_pair=np.concatenate([found.per_pair, more.per_pair], axis=1) if both else None,
        direct=None if found.direct is None else _extended(found.direct, len(more.nodes)),
        stopped=more.stopped,
    )


def _joined(first: Statistics, second: Statistics) -> Statistics:
    def both(name: str) -> Any:
        return np.concatenate([getattr(first, name), getattr(second, name)])

    names = sorted(first.extra.keys() & second.extra.keys())
    return Statistics(
        pairs=both("pairs"),
        mean=both("mean"),
        mean_abs=both("mean_abs"),
        mean_square=both("mean_square"),
        extra={name: np.concatenate([first.extra[name], second.extra[name]]) for name in names},
    )


def _extended(known: Statistics, count: int) -> Statistics:
    """The statistics with nodes of which nothing is known."""
    nothing = np.full(count, np.nan)
    empty = Statistics(
        pairs=np.zeros(count, dtype=np.int64),
        mean=nothing,
        mean_abs=nothing,
        mean_square=nothing,
        extra=dict.fromkeys(known.extra, nothing),
    )
    return _joined(known, empty)


def _bound(verify: VerifyOutput, values: Mapping[Op, Any]) -> BoundOutcome | None:
    if verify.bound is None:
        return None
    arms = cast(Patched, values[verify.bound]).arms
    if arms is None:
        return None
    return BoundOutcome(labels=verify.labels, direction=verify.direction, arms=arms)


def _kept(
    effects: Reduce | Take, selection: Selection, sums: Mapping[Reduce, Accumulator]
) -> Floats | None:
    if isinstance(effects, Reduce):
        return sums[effects].per_pair
    source = [one for one in effects.source if isinstance(one, Reduce)]
    kept = [sums[one].per_pair for one in source]
    everything = [array.reshape(len(array), -1) for array in kept if array is not None]
    if len(everything) != len(kept):
        return None
    nothing = everything[0][:, :0]
    columns = [everything[number][:, [flat]] for number, flat in selection.nodes]
    return np.concatenate([nothing, *columns], axis=1)
