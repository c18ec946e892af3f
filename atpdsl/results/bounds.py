"""What subset sampling says of the nodes that were not measured."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from atpdsl.numerics.bounds import bound, upper_bounds
from atpdsl.planning.outcome import Arms, BoundOutcome, MethodOutcome, Outcome
from atpdsl.problems import Span
from atpdsl.results.columns import upper_column
from atpdsl.results.measured import Column, flat, measured
from atpdsl.results.names import row_id
from atpdsl.results.trust import BoundAt, BoundRecord
from atpdsl.semantics.diagnosis import Diagnosis, SubsetSampling

# In any case, beside what was asked for.
CONFIDENCES = (0.9, 0.99, 0.999)
ASSUMES = (
    "effects add up (`r2` says how well), and means over sets are near normal; it is about"
    " |mean effect| over the pairs of this run"
)


def sampling_of(diagnosis: Diagnosis) -> SubsetSampling:
    """What is asked of subset sampling; its defaults where a verification brings it."""
    return diagnosis.subset_sampling or SubsetSampling(span=Span(0, 0))


def confidences(asked: SubsetSampling) -> tuple[float, ...]:
    """The levels that bounds are given at, lowest first; one for each column."""
    levels = {upper_column(level): level for level in (*CONFIDENCES, asked.confidence)}
    return tuple(sorted(levels.values()))


def bound_columns(
    outcome: Outcome, method: MethodOutcome, known: NDArray[np.bool_], asked: SubsetSampling
) -> dict[str, Column]:
    """The bound of each node that was not measured, at each level; none without sampling."""
    told = (flat(method, "pairs") > 0) & ~known
    for one in outcome.bounds:
        if method.call.label in one.labels:
            return {
                upper_column(level): np.where(told, upper_bounds(one.arms, level), np.nan)
                for level in confidences(asked)
            }
    return {}


def bound_records(outcome: Outcome, asked: SubsetSampling) -> tuple[BoundRecord, ...]:
    """What the result says of each bound."""
    methods = {method.call.label: method for method in outcome.methods}
    return tuple(_record(outcome, one, methods[one.labels[0]], asked) for one in outcome.bounds)


def _record(
    outcome: Outcome, one: BoundOutcome, method: MethodOutcome, asked: SubsetSampling
) -> BoundRecord:
    arms = one.arms
    unmeasured = arms.candidates & ~measured(outcome, method).known
    return BoundRecord(
        labels=one.labels,
        direction=one.direction.value,
        scheme=arms.scheme,
        samples=arms.samples,
        share=arms.share,
        nodes=int(unmeasured.sum()),
        confidence=asked.confidence,
        at=tuple(
            _at(arms, method, unmeasured, (level, asked.min_effect))
            for level in confidences(asked)
        ),
        min_effect=asked.min_effect,
        r2=arms.r2,
        correlation=arms.correlation,
        assumes=ASSUMES,
    )


def _at(
    arms: Arms,
    method: MethodOutcome,
    unmeasured: NDArray[np.bool_],
    asked: tuple[float, float | None],
) -> BoundAt:
    confidence, least = asked
    upper, node = bound(arms, unmeasured, confidence)
    below = upper_bounds(arms, confidence) < (0.0 if least is None else least)
    return BoundAt(
        confidence=confidence,
        upper=upper,
        node=None if node is None else row_id(method.sets, node),
        not_excluded=None if least is None else int((unmeasured & ~below).sum()),
    )
