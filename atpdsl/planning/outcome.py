"""What an executor gives back: dense numbers over node sets, and what it cost.

Sign: an effect is metric(patched run) - metric(unpatched run). Arrays are numpy float64.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from atpdsl.binding.nodeset import NodeSet
from atpdsl.semantics.experiment import Direction, MethodCall

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Numbers = NDArray[np.float64] | NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Per-node statistics over prompt pairs; all arrays have the same shape.

    Attributes:
        pairs: how many pairs have the node (a position may be missing in some).
        mean: mean over those pairs of the signed value; nan where `pairs` is 0.
        mean_abs: mean over those pairs of the absolute value (taken per pair).
            With GradDrop it is the mean of the magnitude, which is no longer |signed|.
        mean_square: mean over those pairs of the square of the signed value.
        extra: means over those pairs of other numbers per node, by name (`EXTRA`).
    """

    pairs: Integers
    mean: Floats
    mean_abs: Floats
    mean_square: Floats
    extra: Mapping[str, Floats] = field(default_factory=dict)


EXTRA: Mapping[str, str] = MappingProxyType(
    {
        "abs_square": "square of the magnitude; its mean and `mean_abs` give a standard error",
        "positive": "1 where the signed value is above zero: a share of pairs",
        "negative": "1 where it is below zero",
        "atp": "magnitude of plain AtP, before any correction",
        "qk_fix": "magnitude with the QK fix alone, before GradDrop",
        "fix_change": "|estimate with the QK fix - plain AtP|, pair by pair; queries and keys",
        "terms": "sum over first readers of |their part of the estimate|",
        "direct": "part of the estimate that goes straight to the logits, signed",
        "attention": "largest attention weight of the base run that the node has a part in",
        "change": "largest change of one of those weights by the patch",
        "exact": "sum of |exact changes| of attention weights",
        "linear": "sum of |first-order changes| of attention weights",
    }
)
"""What `Statistics.extra` may hold; each is a mean over the pairs that have the node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodOutcome:
    """One method's numbers: effects if `exact`, estimates otherwise.

    `statistics[i]` and `per_pair[i]` belong to `sets[i]` and have its shape, the latter with
    a leading pair axis (nan where a pair lacks the node); `per_pair` is None unless kept.

    Attributes:
        magnitudes: as `per_pair`, the sizes whose mean is `mean_abs`, where they are not
            |per_pair| (GradDrop); for intervals of the score.
        call: as run: settings that were chosen by the number of pairs have their value.
        note: what was chosen and why, for people; empty where the spec says it all.
        visits: for methods that find nodes one after the other.
    """

    call: MethodCall
    exact: bool
    sets: tuple[NodeSet, ...]
    statistics: tuple[Statistics, ...]
    per_pair: tuple[Floats, ...] | None = None
    magnitudes: tuple[Floats, ...] | None = None
    note: str = ""
    visits: Visits | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visits:
    """The order in which a search measures single nodes, and what it has spent by then.

    Attributes:
        nodes: [n] rows of the method's table (all node sets one after the other).
        spent: [n] patched sequences until that node is measured, it included.
    """

    nodes: Integers
    spent: Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class Arms:
    """Effects of sets with and without each node; arrays are [N], over all node sets.

    Attributes:
        with_count, with_mean, with_variance: over the sets that have the node; the variance
            is unbiased, nan below two sets.
        without_count, ...: over the sets that do not, in pairs where it can have an effect.
            Means (and variances) are times the (squared) share of its pairs where it can, so
            that their difference is about the mean over all pairs that have the node.
        scheme: in words: `balanced partitions` or `independent inclusion`.
        blocks: blocks per repetition of balanced partitions, whose variance is corrected by
            blocks / (blocks - 1); None otherwise.
        samples: sets patched in all; `share` of the nodes in each.
        candidates: [N] which nodes were drawn from.
        r2, correlation: of the sets' effects with the sums of their nodes' estimates; None
            where there are no estimates, or nothing varies.
    """

    with_count: Integers
    with_mean: Floats
    with_variance: Floats
    without_count: Integers
    without_mean: Floats
    without_variance: Floats
    scheme: str
    blocks: int | None
    samples: int
    share: float
    candidates: NDArray[np.bool_]
    r2: float | None
    correlation: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundOutcome:
    """What subset sampling says of the nodes that were not measured, for some estimates."""

    labels: tuple[str, ...]
    direction: Direction
    arms: Arms


# No method can have these labels: they have spaces.
AT_RANDOM, BY_BOUND = "at random", "by its bound"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedOutcome:
    """Exact effects of chosen nodes.

    Attributes:
        labels: the estimates (method labels) that this verifies.
        nodes: [n, 2] integers: number of the node set, flat number in it.
        chosen_by: for each node the label whose top it is in, `AT_RANDOM`, or `BY_BOUND` for
            one that was measured because its bound was too large; [n] words.
        statistics: exact effects, arrays of shape [n].
        population: how many nodes there were to choose from: those that exist in some pair
            and are not zero by construction (before the first differing token).
        per_pair: [pair, n] or None.
        direct: exact direct effects, of the same shape, where they were asked for.
        stopped: for a sequential verification: whether it met its condition.
    """

    labels: tuple[str, ...]
    nodes: Integers
    chosen_by: tuple[str, ...]
    statistics: Statistics
    population: int
    per_pair: Floats | None = None
    direct: Statistics | None = None
    stopped: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Passes through the model: batched calls, and sequences in them.

    Attributes:
        layer_backwards: gradients carried back through a layer, times sequences. A plain
            backward of one sequence is n_layers of them, one with GradDrop's streams
            n_layers (n_layers + 1) / 2.
        forward_layers, backward_layers: tokens times layers that they went through, padding
            and all streams included: a plain run of B prompts of T tokens through L layers
            is B T L. What a run computes is in proportion to them.
    """

    forward_calls: int = 0
    forward_sequences: int = 0
    backward_calls: int = 0
    backward_sequences: int = 0
    layer_backwards: int = 0
    forward_layers: int = 0
    backward_layers: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            forward_calls=self.forward_calls + other.forward_calls,
            forward_sequences=self.forward_sequences + other.forward_sequences,
            backward_calls=self.backward_calls + other.backward_calls,
            backward_sequences=self.backward_sequences + other.backward_sequences,
            layer_backwards=self.layer_backwards + other.layer_backwards,
            forward_layers=self.forward_layers + other.forward_layers,
            backward_layers=self.backward_layers + other.backward_layers,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A named part of the run, its passes and its wall time in seconds.

    Attributes:
        memory: bytes taken at most beyond those when the run began, 0 where not measured.
    """

    name: str
    counts: Counts
    seconds: float
    memory: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Everything a run computed.

    Attributes:
        clean_metric, corrupted_metric: the metric on each side, [pair], in the order of the
            token pairs.
        executor: what computed it, where that was chosen on the way; "" where it was named.
        executor_note: why not another.
        memory_note: what was done in smaller pieces than planned, because memory ran out.
    """

    methods: tuple[MethodOutcome, ...]
    verified: tuple[VerifiedOutcome, ...]
    clean_metric: Floats
    corrupted_metric: Floats
    stages: tuple[Stage, ...]
    bounds: tuple[BoundOutcome, ...] = ()
    executor: str = ""
    executor_note: str = ""
    memory_note: str = ""

    @property
    def counts(self) -> Counts:
        """All stages together."""
        total = Counts()
        for stage in self.stages:
            total += stage.counts
        return total
