"""A template filled in with one draw: values, prompts and answers."""

from __future__ import annotations

from functools import cached_property

from atpdsl.binding.pairs import TextPair
from atpdsl.binding.texts.decks import Draw
from atpdsl.binding.texts.recipe import Frame, Recipe
from atpdsl.binding.texts.words import truth, value_of
from atpdsl.binding.texts.written import marks_of, write
from atpdsl.semantics.experiment import Corruption
from atpdsl.semantics.formulas import (
    Formula,
    FormulaError,
    Tokens,
    Value,
    evaluate,
    fill,
    fill_piece,
)
from atpdsl.semantics.template import Piece
from atpdsl.semantics.values import RefusedError, described, formatted, written_number

MOST_SHOWN = 4
LONGEST_PROMPTS = 2_000_000


class Filled:
    """One draw in one template.

    Args:
        frame: the template.
        recipe: what all templates share.
        drawn: the words of the slots.
        tokens: for formulas that ask the tokenizer.
    """

    def __init__(
        self, frame: Frame, recipe: Recipe, drawn: Draw, tokens: Tokens | None
    ) -> None:
        self.frame = frame
        self.recipe = recipe
        self.drawn = drawn
        self.tokens = tokens
        self.span = frame.template.span
        self._broken: FormulaError | None = None
        self._length = 0

    @property
    def described(self) -> str:
        """The draw in words: "`yy` is 98, `cc` is 11"."""
        shown = tuple(self.drawn.values.items())[:MOST_SHOWN]
        return ", ".join(f"`{name}` is `{value}`" for name, value in shown)

    def pair(self, align: str, row: int) -> TextPair | None:
        """The pair, None if it is not to be kept.

        Raises:
            FormulaError: when something has no value.
        """
        recipe, values = self.recipe, self.values
        if not self._kept():
            return None
        if self._broken is not None:
            raise self._broken
        clean = write(self.frame.pieces, self._clean)
        corrupted = write(self.frame.pieces, self._corrupted)
        answers, answer_spans = recipe.right.answers(values, self.tokens)
        foils, foil_spans = recipe.wrong.answers(values, self.tokens)
        return TextPair(
            clean=clean.text,
            corrupted=corrupted.text,
            answers=answers,
            foils=foils,
            answer_spans=answer_spans,
            foil_spans=foil_spans,
            marks=marks_of(clean, corrupted),
            align=align,
            origin=self.span,
            row=row,
            answer_at=recipe.answer_at,
            values=values,
        )

    @cached_property
    def values(self) -> dict[str, Value]:
        """The values of all names: slots first, then places of slots, `let`s, their places."""
        values: dict[str, Value] = {}
        for slot in self.recipe.slots:
            for name in slot.names:
                if name in self.drawn.values:
                    values[name] = value_of(slot, name, self.drawn.values[name])
        self._add_places(values)
        for let in self.recipe.lets:
            try:
                values[let.name] = evaluate(let.formula, values, self.tokens)
            except FormulaError as error:
                self._broken = self._broken or error
        self._add_places(values)
        return values

    def _kept(self) -> bool:
        """Whether the pair is kept; a `let` without a value matters only in those that are."""
        keep = self.recipe.keep
        if keep is None:
            return True
        try:
            return truth(keep, self._computed(keep))
        except FormulaError as error:
            raise self._broken or error from error

    def _add_places(self, values: dict[str, Value]) -> None:
        """A place has the value of its slot, in the form in which it stands there."""
        for piece in self.frame.pieces:
            if piece.label and piece.slot in values and piece.label not in values:
                value = values[piece.slot]
                text = fill_piece(piece, values, self.span)
                number = isinstance(value, int | float) and not isinstance(value, bool)
                values[piece.label] = written_number(text) if number else text

    def _computed(self, formula: Formula) -> Value:
        return evaluate(formula, self.values, self.tokens)

    # ---- pieces ----

    def _clean(self, piece: Piece) -> str:
        text = fill_piece(piece, self.values, self.span)
        self._length += len(text)
        if self._length > LONGEST_PROMPTS:
            message = f"the prompts of this pair have more than {LONGEST_PROMPTS:,} characters"
            raise FormulaError(message, self.span, "use shorter words")
        return text

    def _corrupted(self, piece: Piece) -> str:
        corruption = self.recipe.corruption_of(piece)
        if corruption is None:
            return self._clean(piece)
        if corruption.text is not None:
            return fill(self.recipe.fixed[corruption.target], self.values, corruption.span)
        place = corruption.span if corruption.formula is None else corruption.formula.span
        try:
            return formatted(self._other(corruption), piece.format)
        except RefusedError as error:
            raise error.at(place) from error

    def _other(self, corruption: Corruption) -> Value:
        """What comes in the place of the clean value."""
        if corruption.redraw:
            return self.drawn.redrawn[corruption.target]
        if corruption.slot is not None:
            return self.values[self.frame.slot_of[corruption.slot]]
        if corruption.formula is None:
            raise FormulaError("this corruption has no value", corruption.span)
        found = self._computed(corruption.formula)
        if isinstance(found, tuple):
            message = f"{described(found)} cannot stand in one place"
            raise FormulaError(message, corruption.formula.span, "give one text or number")
        return found
