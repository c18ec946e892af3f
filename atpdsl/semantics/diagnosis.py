"""What `diagnose` asks for: which diagnostics, how far, and which nodes they flag."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from atpdsl.problems import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number; `90%` is 0.9."""

    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A quantity that every node has, by its name in the part's list (`FLAG_QUANTITIES`)."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic:
    """`+ - * /` between two quantities."""

    operator: str
    left: FlagQuantity
    right: FlagQuantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """`< <= == != >= >` between two quantities; false where one of them is not known."""

    operator: str
    left: FlagQuantity
    right: FlagQuantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """`not` and a condition."""

    operand: FlagCondition


@dataclass(frozen=True, slots=True, kw_only=True)
class Several:
    """Conditions joined by `and` or `or`."""

    operator: str
    operands: tuple[FlagCondition, ...]


FlagQuantity: TypeAlias = Number | Column | Arithmetic
FlagCondition: TypeAlias = Test | Not | Several


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """For which nodes a diagnostic warns; `text` is as written."""

    condition: FlagCondition
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """`cancellation`: direct and indirect parts of the estimate against each other.

    Attributes:
        direct_effect: measure the exact direct effect of every verified node too.
    """

    flag: Flag
    direct_effect: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Saturation:
    """`saturation`: queries and keys whose attention moves too far for a gradient."""

    flag: Flag


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncertainty:
    """`uncertainty`: how far the pairs agree.

    Attributes:
        bootstrap: resamples of the pairs for an interval of each score; 0 gives none.
        confidence: of the interval, in (0, 1).
    """

    flag: Flag
    bootstrap: int = 0
    confidence: float = 0.95
    span: Span | None = None


class Partition(StrEnum):
    """How subset sampling draws its sets.

    BALANCED: all nodes are dealt into blocks, again and again. INDEPENDENT: each node is in
    each set with the same probability (the paper's Algorithm 1).
    """

    BALANCED = "balanced"
    INDEPENDENT = "independent"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubsetSampling:
    """`subset_sampling`: bounds on the effects of nodes that were not measured.

    Attributes:
        samples: how many sets are patched.
        inclusion: the share of nodes in each set, in (0, 0.5].
        confidence: of the bound that the summary and `upper_bound` are about; the result has
            90%, 99% and 99.9% in any case.
        min_effect: effects from this size on are counted as not ruled out; None counts none.
    """

    samples: int = 1000
    inclusion: float = 0.01
    partition: Partition = Partition.BALANCED
    confidence: float = 0.99
    min_effect: float | None = None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Everything that `diagnose` asks for; None is not asked for."""

    cancellation: Cancellation | None = None
    saturation: Saturation | None = None
    uncertainty: Uncertainty | None = None
    subset_sampling: SubsetSampling | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopWhen:
    """`stop_when = misses(top = 50) < 5%`: a sequential verification.

    It goes on until each of the true `top` nodes would be missed with a probability of at
    most `alpha`, if effects are additive: the expected share of them that is missed.
    """

    top: int
    alpha: float
    text: str
    span: Span


CONFIDENCES = (0.9, 0.99, 0.999)
"""Of the bounds that every result has, beside the `confidence` that was asked for."""

FLAG_QUANTITIES: dict[str, dict[str, str]] = {
    "cancellation": {
        "index": "sum of |parts| by first reader, divided by |their sum|; 1: nothing cancels",
        "direct": "the part of the estimate that goes straight to the logits, signed",
        "indirect": "the rest of the estimate, signed",
        "direct_ratio": "|direct| divided by |effect|, or by the estimate if not measured",
    },
    "saturation": {
        "attention": "largest attention weight that the query or key has a part in",
        "change": "largest change of such a weight by the patch",
        "ratio": "exact change of the weights divided by the first-order one",
        "disagreement": "|QK fix - AtP| divided by the larger of the two",
    },
    "uncertainty": {
        "sign_flips": "share of pairs whose sign is the rarer one, 0 to 0.5",
        "standard_error": "standard error over pairs of the score",
        "score": "the score",
        "disagreement": "|signed estimate - effect| divided by the larger; verified nodes only",
    },
}
"""What a `flag` may ask of each part: quantity -> what it is."""
