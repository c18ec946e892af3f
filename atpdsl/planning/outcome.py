"""What an executor gives back: dense numbers over node sets, and what it cost.

Sign: an effect is metric(patched run) - metric(unpatched run). Arrays are numpy float64.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from atpdsl.binding.nodeset import NodeSet
from atpdsl.semantics.experiment import MethodCall

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Per-node statistics over prompt pairs; all arrays have the same shape.

    Attributes:
        pairs: how many pairs have the node (a position may be missing in some).
        mean: mean over those pairs of the signed value; nan where `pairs` is 0.
        mean_abs: mean over those pairs of the absolute value (taken per pair).
        mean_square: mean over those pairs of the square.
    """

    pairs: Integers
    mean: Floats
    mean_abs: Floats
    mean_square: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodOutcome:
    """One method's numbers: effects if `exact`, estimates otherwise.

    `statistics[i]` and `per_pair[i]` belong to `sets[i]` and have its shape, the latter with
    a leading pair axis (nan where a pair lacks the node); `per_pair` is None unless kept.
    """

    call: MethodCall
    exact: bool
    sets: tuple[NodeSet, ...]
    statistics: tuple[Statistics, ...]
    per_pair: tuple[Floats, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedOutcome:
    """Exact effects of chosen nodes.

    Attributes:
        labels: the estimates (method labels) that this verifies.
        nodes: [n, 2] integers: number of the node set, flat number in it.
        chosen_by: for each node the label whose top it is in, or `random`; [n] words.
        statistics: exact effects, arrays of shape [n].
        population: how many nodes there were to choose from: those that exist in some pair
            and are not zero by construction (before the first differing token).
        per_pair: [pair, n] or None.
    """

    labels: tuple[str, ...]
    nodes: Integers
    chosen_by: tuple[str, ...]
    statistics: Statistics
    population: int
    per_pair: Floats | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Passes through the model: batched calls, and sequences in them."""

    forward_calls: int = 0
    forward_sequences: int = 0
    backward_calls: int = 0
    backward_sequences: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            forward_calls=self.forward_calls + other.forward_calls,
            forward_sequences=self.forward_sequences + other.forward_sequences,
            backward_calls=self.backward_calls + other.backward_calls,
            backward_sequences=self.backward_sequences + other.backward_sequences,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A named part of the run, its passes and its wall time in seconds."""

    name: str
    counts: Counts
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Everything a run computed.

    Attributes:
        clean_metric, corrupted_metric: the metric on each side, [pair], in the order of the
            token pairs.
    """

    methods: tuple[MethodOutcome, ...]
    verified: tuple[VerifiedOutcome, ...]
    clean_metric: Floats
    corrupted_metric: Floats
    stages: tuple[Stage, ...]

    @property
    def counts(self) -> Counts:
        """All stages together."""
        total = Counts()
        for stage in self.stages:
            total += stage.counts
        return total
