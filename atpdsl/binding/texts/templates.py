"""Pairs from templates: slots drawn at random, and the corruption applied."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from random import Random
from typing import TypeVar

from atpdsl.binding.findings import has_errors
from atpdsl.binding.pairs import TextPair
from atpdsl.binding.texts.decks import Draw, count_draws, draw, shuffled_numbers
from atpdsl.binding.texts.recipe import Frame, Recipe, read_frame, read_recipe
from atpdsl.binding.texts.written import Pieces, marks_of, write
from atpdsl.problems import Label, Problem
from atpdsl.semantics.experiment import TemplatePrompts
from atpdsl.semantics.template import Piece

# Different draws can give the same text; so many in a row, and the template counts as used up.
MISSES_AT_MOST = 1000

T = TypeVar("T")


def expand_templates(
    part: TemplatePrompts, align: str, random: Random
) -> tuple[tuple[TextPair, ...], tuple[Problem, ...]]:
    """`count` different pairs, the templates taking turns while they have any left.

    The same part and state of `random` give the same pairs.
    """
    recipe, problems = read_recipe(part)
    frames: list[Frame] = []
    for template in part.templates:
        frame, found = read_frame(template, recipe)
        problems += tuple(problem for problem in found if problem not in problems)
        frames += [frame] if frame else []
    if has_errors(problems):
        return (), problems
    seen: set[tuple[str, str]] = set()
    streams = [_pairs(frame, recipe, align, random, seen) for frame in frames]
    pairs = tuple(islice(_in_turn(streams), part.count))
    if len(pairs) < part.count:
        problems += (_too_few(part, frames, len(pairs)),)
    return pairs, problems


def _in_turn(streams: Iterable[Iterator[T]]) -> Iterator[T]:
    queue = deque(streams)
    while queue:
        stream = queue.popleft()
        for item in stream:
            queue.append(stream)
            yield item
            break


def _pairs(
    frame: Frame, recipe: Recipe, align: str, random: Random, seen: set[tuple[str, str]]
) -> Iterator[TextPair]:
    """Pairs of one template whose texts are not in `seen`, which grows."""
    row = misses = 0
    for number in shuffled_numbers(count_draws(frame.decks), random):
        pair = _pair(frame, recipe, draw(frame.decks, number), align, row)
        if (pair.clean, pair.corrupted) not in seen:
            seen.add((pair.clean, pair.corrupted))
            yield pair
            row, misses = row + 1, 0
        elif (misses := misses + 1) > MISSES_AT_MOST:
            return


def _pair(frame: Frame, recipe: Recipe, drawn: Draw, align: str, row: int) -> TextPair:
    def value(piece: Piece) -> str:
        return drawn.values[frame.slot_of[piece.slot or ""]]

    clean = write(frame.pieces, value)
    corrupted = write(frame.pieces, _corrupted_value(frame, recipe, drawn, value))
    return TextPair(
        clean=clean.text,
        corrupted=corrupted.text,
        answers=_texts(recipe.right, value),
        foils=_texts(recipe.wrong, value),
        marks=marks_of(clean, corrupted),
        align=align,
        origin=frame.template.span,
        row=row,
        answer_at=recipe.answer_at,
    )


def _corrupted_value(
    frame: Frame, recipe: Recipe, drawn: Draw, value: Callable[[Piece], str]
) -> Callable[[Piece], str]:
    def corrupted(piece: Piece) -> str:
        corruption = recipe.corruption_of(piece)
        if corruption is None:
            return value(piece)
        if corruption.redraw:
            return drawn.redrawn[corruption.target]
        if corruption.slot is not None:
            return drawn.values[frame.slot_of[corruption.slot]]
        return write(recipe.fixed[corruption.target], value).text

    return corrupted


def _texts(templates: tuple[Pieces, ...], value: Callable[[Piece], str]) -> tuple[str, ...]:
    return tuple(write(pieces, value).text for pieces in templates)


def _too_few(part: TemplatePrompts, frames: list[Frame], found: int) -> Problem:
    products = "; ".join(
        f"template {number}: {_product(frame)}" for number, frame in enumerate(frames, 1)
    )
    return Problem(
        code="ATP243",
        message=f"the slot lists give {found} different pairs,"
        f" and `count` asks for {part.count}",
        at=Label(part.templates[0].span),
        help=f"{products}; add words to the lists, or set `count = {found}`",
    )


def _product(frame: Frame) -> str:
    factors = [
        (factor, name)
        for deck in frame.decks
        for factor, name in zip(deck.factors, (*deck.names, *deck.targets), strict=True)
    ]
    if not factors:
        return "1, as nothing is drawn"
    words = " x ".join(f"{factor} `{name}`" for factor, name in factors)
    return f"{words} = {count_draws(frame.decks)}"
