"""The right or the wrong answers of a block, as the texts of one pair."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from atpdsl.binding.texts.written import Pieces, pieces_of
from atpdsl.problems import Problem, Span
from atpdsl.semantics.experiment import Text
from atpdsl.semantics.formulas import Formula, FormulaError, Tokens, Value, fill, texts_of
from atpdsl.semantics.read_formulas import names_in

# The answers of one side in a pair, and where in the spec each is written.
Answers = tuple[tuple[str, ...], tuple[Span, ...]]
NO_ANSWERS: Answers = ((), ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A text of the spec in pieces."""

    pieces: Pieces
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """The answers of one side; each is a text or a formula."""

    items: tuple[Parsed | Formula, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names whose values the answers need."""
        found: list[str] = []
        for item in self.items:
            if isinstance(item, Formula):
                found += (name for name, _ in names_in(item.expression))
            else:
                found += (piece.slot for piece in item.pieces if piece.slot)
        return tuple(dict.fromkeys(found))

    def answers(
        self,
        values: Mapping[str, Value],
        tokens: Tokens | None,
        write: Callable[[Parsed], str] | None = None,
    ) -> Answers:
        """The answers in one pair.

        Args:
            values: the pair's names.
            tokens: for formulas that ask the tokenizer.
            write: how a text is filled in, if not from the values alone.

        Raises:
            FormulaError: when one has no value, or all formulas together give no text.
        """
        found: list[str] = []
        spans: list[Span] = []
        for item in self.items:
            if isinstance(item, Formula):
                found += texts_of(item, values, tokens)
            elif write is None:
                found.append(fill(item.pieces, values, item.span))
            else:
                found.append(write(item))
            spans += [item.span] * (len(found) - len(spans))
        if self.items and not found:
            formula = next(item for item in self.items if isinstance(item, Formula))
            raise FormulaError(
                "this gives no answer",
                formula.span,
                "leave such pairs out with `keep`, or make the range longer",
            )
        return tuple(found), tuple(spans)


def read_side(answers: Iterable[Text | Formula]) -> tuple[Side, tuple[Problem, ...]]:
    """The answers parsed, and problems of texts that are no template."""
    items: list[Parsed | Formula] = []
    problems: list[Problem] = []
    for answer in answers:
        if isinstance(answer, Formula):
            items.append(answer)
            continue
        pieces, found = pieces_of(answer)
        problems += found
        items.append(Parsed(pieces=pieces, span=answer.span))
    return Side(items=tuple(items)), tuple(problems)
