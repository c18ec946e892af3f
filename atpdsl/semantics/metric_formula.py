"""Computed metrics: readings of tokens, numbers, and what is done with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from atpdsl.problems import Span
from atpdsl.semantics.formulas import Formula

if TYPE_CHECKING:
    from atpdsl.semantics.experiment import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSet:
    """Tokens that a computed metric reads, in each pair.

    Attributes:
        side: `right` or `wrong`, the answers of that side; else "", and `texts` says which.
        texts: each one token after the prompt, checked as answers are.
    """

    side: str = ""
    texts: tuple[Text | Formula, ...] = ()
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """A number in a computed metric."""

    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """`prob(...)` in a computed metric: a reading's name, and which of the token sets it reads.

    `tokens` is an index into `MetricFormula.sets`, None for a reading of the whole
    distribution, as `entropy`.
    """

    reading: str
    tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic:
    """`+ - * /` between two parts of a computed metric."""

    operator: str
    left: MetricTerm
    right: MetricTerm


MetricTerm = Constant | Reading | Arithmetic


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricFormula:
    """A computed metric, `prob(right) - 0.5 * prob(wrong)`; `text` is as written."""

    term: MetricTerm
    sets: tuple[TokenSet, ...]
    text: str


def readings_of(term: MetricTerm) -> tuple[Reading, ...]:
    """All readings in a term, from left to right."""
    match term:
        case Constant():
            return ()
        case Reading():
            return (term,)
        case Arithmetic(left=left, right=right):
            return (*readings_of(left), *readings_of(right))
