"""Effects in units of the gap: 1 is the whole difference between the two prompts.

Every number of a run is divided by one number, the mean gap over all pairs (mean clean minus
mean corrupted metric). Dividing each pair by its own gap would let pairs with hardly any gap
outweigh all others, and the mean of the normalized effects would no longer be the normalized
mean effect.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atpdsl.methods import METHODS
from atpdsl.planning.outcome import (
    Arms,
    BoundOutcome,
    MethodOutcome,
    Outcome,
    Statistics,
    VerifiedOutcome,
)
from atpdsl.problems import Label, Problem, RunError, Span

# A gap below this is rounding.
SMALLEST_GAP = 1e-6
# Of the mean size of the pairs' gaps; where the mean gap is less, they cancel.
SMALLEST_SHARE = 0.01

Values = NDArray[Any]
# How the numbers of `planning.outcome.EXTRA` are divided; weights of attention are not.
_DIVIDED: Mapping[str, Callable[[Values, float], Values]] = {
    "abs_square": lambda values, gap: values / gap**2,
    "atp": lambda values, gap: values / abs(gap),
    "qk_fix": lambda values, gap: values / abs(gap),
    "fix_change": lambda values, gap: values / abs(gap),
    "terms": lambda values, gap: values / abs(gap),
    "direct": lambda values, gap: values / gap,
}
_SIGNS = {"positive": "negative", "negative": "positive"}


def mean_gap(outcome: Outcome) -> float:
    """Mean clean minus mean corrupted metric; nan where nothing was run."""
    return float(np.mean(outcome.clean_metric) - np.mean(outcome.corrupted_metric))


def normalized(outcome: Outcome, at: Span) -> Outcome:
    """The outcome with every effect and estimate divided by the mean gap.

    A negative gap turns the signs; absolute values are divided by its size. Estimates that
    are only an order stay as they are.

    Args:
        outcome: what the run computed.
        at: the metric in the spec.

    Raises:
        RunError: ATP425 when there is no gap to divide by.
    """
    gap = mean_gap(outcome)
    if math.isnan(gap):
        return outcome
    each = np.abs(outcome.clean_metric - outcome.corrupted_metric)
    if abs(gap) <= max(SMALLEST_GAP, SMALLEST_SHARE * float(np.mean(each))):
        raise RunError([_no_gap(gap, float(np.mean(each)), at)])
    return replace(
        outcome,
        methods=tuple(_method(method, gap) for method in outcome.methods),
        verified=tuple(_verified(verified, gap) for verified in outcome.verified),
        bounds=tuple(_bound(bound, gap) for bound in outcome.bounds),
    )


def _method(method: MethodOutcome, gap: float) -> MethodOutcome:
    if not method.exact and METHODS[method.call.method].ordinal:
        return method
    kept, sizes = method.per_pair, method.magnitudes
    return replace(
        method,
        statistics=tuple(_statistics(one, gap) for one in method.statistics),
        per_pair=None if kept is None else tuple(values / gap for values in kept),
        magnitudes=None if sizes is None else tuple(values / abs(gap) for values in sizes),
    )


def _verified(verified: VerifiedOutcome, gap: float) -> VerifiedOutcome:
    kept = verified.per_pair
    return replace(
        verified,
        statistics=_statistics(verified.statistics, gap),
        per_pair=None if kept is None else kept / gap,
        direct=None if verified.direct is None else _statistics(verified.direct, gap),
    )


def _bound(bound: BoundOutcome, gap: float) -> BoundOutcome:
    return replace(bound, arms=_arms(bound.arms, gap))


def _arms(arms: Arms, gap: float) -> Arms:
    return replace(
        arms,
        with_mean=arms.with_mean / gap,
        with_variance=arms.with_variance / gap**2,
        without_mean=arms.without_mean / gap,
        without_variance=arms.without_variance / gap**2,
    )


def _statistics(values: Statistics, gap: float) -> Statistics:
    return replace(
        values,
        mean=values.mean / gap,
        mean_abs=values.mean_abs / abs(gap),
        mean_square=values.mean_square / gap**2,
        extra={name: _extra(values, name, gap) for name in values.extra},
    )


def _extra(values: Statistics, name: str, gap: float) -> Values:
    turned = _SIGNS.get(name)
    if turned is not None:
        return values.extra[name if gap > 0 else turned]
    divided = _DIVIDED.get(name)
    return values.extra[name] if divided is None else divided(values.extra[name], gap)


def _no_gap(gap: float, size: float, at: Span) -> Problem:
    cancel = size > SMALLEST_GAP
    return Problem(
        code="ATP425",
        message=f"effects cannot be divided by a mean gap of {gap:.2g} between clean and"
        " corrupted prompts"
        + (f": the pairs' gaps, {size:.2g} on average, cancel each other" if cancel else ""),
        at=Label(at, "`normalize` divides by it"),
        help="take a metric that has the same sign in all pairs"
        if cancel
        else "corrupt something that the metric depends on, or leave out `normalize`",
    )
