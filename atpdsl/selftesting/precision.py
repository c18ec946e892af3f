"""How far numbers may be apart in a precision: stated per dtype, and measured on the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import torch

from atpdsl.runtime.load import DTYPES
from atpdsl.selftesting.alone import EMBEDDING, Alone
from atpdsl.selftesting.lines import Line

RELATIVE = 4.0
"""Slopes agree to this many square roots of the relative rounding: the best step of a finite
difference leaves errors of that order."""
ROUNDINGS = 10.0
"""Differences of two metrics agree to this many roundings of the metric."""


@dataclass(frozen=True, slots=True)
class Precision:
    """Of one model in one dtype.

    Attributes:
        relative: the largest error of a slope, in parts of the largest slope.
        rounding: the largest error of a difference of two metrics, in units of the metric.
    """

    relative: float
    rounding: float


def precision_of(dtype: str, pairs: Sequence[Alone]) -> Precision:
    """The tolerances of a model in a dtype.

    Models round more coarsely than their dtype says: many compute norms and softmaxes in
    float32 whatever they are run in, and GPUs may multiply in less. So the rounding of the
    metric is measured: along a line on which it can change by next to nothing, its second
    differences are rounding.
    """
    epsilon = torch.finfo(DTYPES[dtype]).eps
    steps = {8 * epsilon, 8 * max(epsilon, torch.finfo(torch.float32).eps)}
    largest = max(float(one.base_run.logits.abs().max()) for one in pairs)
    wobbles = [_wobble(alone, step) for alone in pairs for step in steps]
    rounding = max(*wobbles, epsilon * largest)
    return Precision(
        relative=RELATIVE * sqrt(max(epsilon, rounding / largest)),
        rounding=ROUNDINGS * rounding,
    )


def _wobble(alone: Alone, step: float) -> float:
    """The rounding of the metric in one pair: its embeddings are made longer, bit by bit."""
    start = alone.base_run.values[EMBEDDING][0]
    line = Line(
        place=EMBEDDING,
        unit=None,
        positions=tuple(range(alone.length)),
        start=start,
        end=2 * start,
    )
    values = alone.metrics([[line.at(step * number)] for number in range(16)])
    inner = zip(values, values[1:], values[2:], strict=False)
    return max(abs(before - 2 * here + after) for before, here, after in inner) / 2
