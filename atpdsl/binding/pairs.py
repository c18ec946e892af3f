"""Prompt pairs, first as text, then as tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from atpdsl.problems import Span
from atpdsl.semantics.formulas import Value


def pair_name(number: int, row: str) -> str:
    """What messages call a pair: its number, and the row of a file that it is."""
    return f"pair {number} ({row})" if row else f"pair {number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPair:
    """A clean and a corrupted prompt before tokenisation.

    Attributes:
        answers, foils: right and wrong continuations; empty where the metric needs none.
        marks: position name -> character range in the clean text and in the corrupted text.
        origin: where in the spec the pair comes from; `row` counts pairs of one origin.
        answer_at: the `answer` statement, for messages.
        answer_spans, foil_spans: where each of `answers` and `foils` is written, likewise.
        values: what formulas may use of this pair: slots, `as` and `let` names, `row`.
        place: which row of a file it is, in words; "" for a pair that the spec makes.
    """

    clean: str
    corrupted: str
    answers: tuple[str, ...]
    foils: tuple[str, ...]
    marks: Mapping[str, tuple[tuple[int, int], tuple[int, int]]]
    align: str
    origin: Span
    row: int
    answer_at: Span | None = None
    answer_spans: tuple[Span, ...] = ()
    foil_spans: tuple[Span, ...] = ()
    values: Mapping[str, Value] = field(default_factory=dict)
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPair:
    """A pair as the model sees it.

    Attributes:
        clean, corrupted: token ids, BOS included where the spec has one.
        answers, foils: token ids of the continuations, one token each.
        positions: position name -> (index in the clean, index in the corrupted prompt);
            always has `last`.
        partner: for each clean position, the corrupted position it is patched from, -1 if
            it has none. Equal lengths: 0, 1, 2 ...
        sets: the token ids of each `TokenSet` of a computed metric.
    """

    text: TextPair
    clean: tuple[int, ...]
    corrupted: tuple[int, ...]
    answers: tuple[int, ...]
    foils: tuple[int, ...]
    positions: Mapping[str, tuple[int, int]]
    partner: tuple[int, ...]
    sets: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPairs:
    """All pairs of an experiment, in the order of the spec."""

    pairs: tuple[TokenPair, ...]
    pad_id: int
    bos_id: int | None

    def __len__(self) -> int:
        return len(self.pairs)

    @property
    def longest(self) -> int:
        """Tokens of the longest prompt, on either side."""
        return max(max(len(p.clean), len(p.corrupted)) for p in self.pairs)
