"""Numbers of single pairs: the columns that keep them, and intervals made of them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from atpdsl.numerics.bootstrap import mean_intervals
from atpdsl.planning.outcome import MethodOutcome, Outcome
from atpdsl.results.columns import BY_PAIR
from atpdsl.results.diagnostics import Scored
from atpdsl.results.measured import Column, exhaustive, flat_numbers
from atpdsl.semantics.diagnosis import Uncertainty

# Of the score: how well the mean of a node's single values has to give it.
ROUNDING = 1e-6


def columns_by_pair(outcome: Outcome) -> dict[str, pa.Array]:
    """The columns of single pairs, none where no method kept these."""
    if all(method.per_pair is None for method in outcome.methods):
        return {}
    signed = [_single(outcome, m, measured=False) for m in outcome.methods]
    effect = [_single(outcome, m, measured=True) for m in outcome.methods]
    both = zip(BY_PAIR, (signed, effect), strict=True)
    return {name: _lists(np.concatenate(values)) for name, values in both}


def score_intervals(
    outcome: Outcome, nodes: Scored, asked: Uncertainty, seed: int
) -> dict[str, Column]:
    """Bootstrap intervals of the scores; nan where a score is no mean of kept values."""
    effect = np.abs(_single(outcome, nodes.method, measured=True))
    values = np.where(nodes.truth.known[:, None], effect, _magnitudes(outcome, nodes.method))
    present = np.isfinite(values)
    count = np.where(present.any(axis=1), present.sum(axis=1), np.nan)
    mean = np.where(present, values, 0.0).sum(axis=1) / count
    wrong = ~(np.abs(mean - nodes.score) <= ROUNDING * np.abs(nodes.score))
    ends = mean_intervals(values.T, asked.bootstrap, asked.confidence, seed)
    names = ("score_low", "score_high")
    return {n: np.where(wrong, np.nan, end) for n, end in zip(names, ends, strict=True)}


def _magnitudes(outcome: Outcome, method: MethodOutcome) -> Column:
    """The estimate's size in each pair, [node, pair]; of an exact method nan."""
    if method.magnitudes is not None:
        return _rows(outcome, method, method.magnitudes)
    return np.abs(_single(outcome, method, measured=False))


def _single(outcome: Outcome, method: MethodOutcome, *, measured: bool) -> Column:
    """Values of one method in each pair, [node, pair]; nan where there is none."""
    own = _rows(outcome, method, method.per_pair)
    if method.exact is measured:
        return own
    truth = exhaustive(outcome, method)
    if measured and truth is not None:
        return _single(outcome, truth, measured=True)
    values = np.full(own.shape, np.nan)
    for verified in outcome.verified if measured else ():
        if method.call.label in verified.labels and verified.per_pair is not None:
            values[flat_numbers(method.sets, verified.nodes)] = verified.per_pair.T
    return values


def _rows(outcome: Outcome, method: MethodOutcome, kept: tuple[Column, ...] | None) -> Column:
    """[pair, *nodes] per node set as [node, pair]; nan where nothing was kept."""
    pairs = len(outcome.clean_metric)
    if kept is None:
        return np.full((sum(len(s) for s in method.sets), pairs), np.nan)
    return np.concatenate([values.reshape(pairs, -1).T for values in kept])


def _lists(values: Column) -> pa.Array:
    """[node, pair] as one list per node; null where no pair has a value."""
    numbers = pa.array(values.ravel(), from_pandas=True)
    absent = pa.array(np.isnan(values).all(axis=1))
    return pa.FixedSizeListArray.from_arrays(numbers, values.shape[1], mask=absent)
