"""What `result.json` says of how far its numbers are to be trusted.

Flags warn of single nodes, verifications compare estimates with exact effects, bounds speak of
the nodes that were not measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# `Verification.truth` where no exact method measured every node.
VERIFY = "verify"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagRecord:
    """A flag of `diagnose`: when a node gets it, and how many nodes have it.

    Attributes:
        name: `cancellation`, `saturation` or `uncertainty`; the word in the column `flags`.
        nodes: how many, by the labels of the methods that compute what it is about.
    """

    name: str
    text: str
    nodes: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundAt:
    """The bound at one confidence: no unmeasured node has a larger |mean effect|.

    Attributes:
        upper: in units of the metric; 0 where every node was measured. None where some node
            was in fewer than two sets, so that nothing can be said.
        node: the one with the largest bound, to be verified next; None if there is none.
        not_excluded: nodes whose bound is at least `min_effect`, None without one.
    """

    confidence: float
    upper: float | None
    node: str | None
    not_excluded: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundRecord:
    """What subset sampling says of the nodes that were not measured.

    Attributes:
        labels: the estimates whose verification it completes.
        scheme: how the sets were drawn; `share` of the nodes in each of `samples` sets.
        nodes: how many unmeasured nodes it bounds.
        at: 90%, 99% and 99.9%, and the confidence that was asked for.
        min_effect: what `not_excluded` counts from.
        r2, correlation: how well the sets' effects agree with the sums of their nodes'
            estimates. The bound assumes that effects add up.
        assumes: in one sentence, what the bound rests on.
    """

    labels: tuple[str, ...]
    direction: str
    scheme: str
    samples: int
    share: float
    nodes: int
    confidence: float
    at: tuple[BoundAt, ...]
    min_effect: float | None
    r2: float | None
    correlation: float | None
    assumes: str

    @property
    def asked(self) -> BoundAt:
        """The bound at the confidence that was asked for."""
        return next(at for at in self.at if at.confidence == self.confidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """`hits` of the `of` nodes with the largest true contribution are in the estimate's top."""

    hits: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """A node whose estimate is off; `effect` is signed, `estimate` and `effect_abs` are not."""

    node: str
    estimate: float
    effect: float
    effect_abs: float
    pairs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """What a random sample says about the nodes that were not measured.

    Attributes:
        threshold: the K-th largest true contribution among the nodes measured because an
            estimate put them on top, K being the estimate's top.
        nodes: how many nodes were not measured, of those that can have an effect at all.
        sampled, above: random nodes measured, and those of them above the threshold.
        expected: unmeasured nodes above the threshold, if they are like the sample.
        at_most: a bound on that number, holding with `confidence`; by `bound`.
    """

    threshold: float
    nodes: int
    sampled: int
    above: int
    expected: float | None
    at_most: int
    confidence: float
    bound: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """One estimate against exact effects.

    Attributes:
        label: the estimate's label.
        truth: the label of the exact method where one measured every node, else `verify`.
        nodes, measured: how many nodes there are, and how many have an exact effect.
        top: the length K of the estimate's top list that recall is about.
        random: how many of the measured nodes were drawn at random.
        recall_mean_abs, spearman_mean_abs: with mean |effect| as the truth. Recall is None
            where nothing outside the estimate's own top was measured.
        recall_abs_mean, spearman_abs_mean: with |mean effect| as the truth.
        largest: measured nodes with the largest |effect_abs - estimate|.
        missed: randomly drawn nodes above the threshold of `unseen`.
        unseen: None where every node was measured.
        unknown: in one sentence, what remains unknown.
        by_bound: how many were measured because their bound was too large.
        stopped: for a sequential verification: whether it met its condition.
    """

    label: str
    truth: str
    nodes: int
    measured: int
    top: int
    random: int
    recall_mean_abs: Recall | None
    recall_abs_mean: Recall | None
    spearman_mean_abs: float | None
    spearman_abs_mean: float | None
    largest: tuple[Miss, ...]
    missed: tuple[Miss, ...]
    unseen: Unseen | None
    unknown: str
    by_bound: int = 0
    stopped: bool | None = None
