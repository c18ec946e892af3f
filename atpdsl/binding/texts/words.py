"""The words of a slot that may be drawn."""

from __future__ import annotations

from dataclasses import replace

from atpdsl.problems import Label, Problem
from atpdsl.semantics.experiment import Slot
from atpdsl.semantics.formulas import Formula, FormulaError, Tokens, Value, evaluate
from atpdsl.semantics.read_formulas import names_in
from atpdsl.semantics.values import described, written_number


def value_of(slot: Slot, name: str, word: str) -> Value:
    """What formulas get for a word: a number that keeps its form, or a text."""
    return written_number(word) if name in slot.numbers else word


def truth(formula: Formula, found: Value) -> bool:
    """Whether a condition holds.

    Raises:
        FormulaError: when it is neither true nor false.
    """
    if not isinstance(found, bool):
        message = f"{described(found)} is neither true nor false"
        raise FormulaError(message, formula.span, "compare it, as in `yy > 10`")
    return found


def allowed_words(slot: Slot, tokens: Tokens | None) -> tuple[Slot, tuple[Problem, ...]]:
    """The slot with the words, or rows, that fulfil its condition; a problem if none does."""
    if slot.where is None:
        return slot, ()
    try:
        rows = tuple(row for row in _rows(slot) if _fulfils(slot, slot.where, row, tokens))
    except FormulaError as error:
        at = Label(error.span)
        problem = Problem(code="ATP267", message=error.message, at=at, help=error.advice)
        return slot, (problem,)
    if not rows:
        return slot, (_none_left(slot, slot.where),)
    if slot.rows:
        return replace(slot, rows=rows), ()
    return replace(slot, values=tuple(row[0] for row in rows)), ()


def _rows(slot: Slot) -> tuple[tuple[str, ...], ...]:
    """What the names stand for in a condition: a row, or each of them for the same word."""
    return slot.rows or tuple((word,) * len(slot.names) for word in slot.values)


def _fulfils(slot: Slot, where: Formula, row: tuple[str, ...], tokens: Tokens | None) -> bool:
    named = zip(slot.names, row, strict=True)
    values = {name: value_of(slot, name, word) for name, word in named}
    try:
        return truth(where, evaluate(where, values, tokens))
    except FormulaError as error:
        about = ", ".join(dict.fromkeys(row))
        message = f"{error.message}, for the word `{about}`"
        raise FormulaError(message, error.span, error.advice) from error


def _none_left(slot: Slot, where: Formula) -> Problem:
    rows = dict.fromkeys(_rows(slot))
    what = "rows of the table" if slot.rows else "words of the list"
    every = f"none of the {len(rows)} {what} does" if len(rows) > 1 else "the only one does not"
    names = " and ".join(f"`{name}`" for name in slot.names)
    first = ", ".join(dict.fromkeys(next(iter(rows))))
    advice = f"its first word is `{first}`; ask for less, or take other words"
    if len({name for name, _ in names_in(where.expression)}) > 1 and not slot.rows:
        advice = f"{names} both stand for the same word here; drawn they always differ"
    return Problem(
        code="ATP268",
        message=f"no word fulfils the condition of {names}: {every}",
        at=Label(where.span),
        also=(Label(slot.span, "the list"),),
        help=advice,
    )
