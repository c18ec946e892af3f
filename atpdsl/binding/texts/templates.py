"""Pairs from templates: slots drawn at random, values computed, and the corruption applied."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from random import Random
from typing import TypeVar

from atpdsl.binding.findings import Finding, gathered, has_errors
from atpdsl.binding.pairs import TextPair
from atpdsl.binding.texts.decks import count_draws, draw, factors, shuffled_numbers
from atpdsl.binding.texts.filled import Filled
from atpdsl.binding.texts.recipe import Frame, Recipe, read_frame, read_recipe
from atpdsl.problems import Label, Problem
from atpdsl.semantics.experiment import TemplatePrompts
from atpdsl.semantics.formulas import FormulaError, Tokens

# Different draws can give the same text; so many in a row, and the template counts as used up.
MISSES_AT_MOST = 1000
# So many draws in a row that `keep` drops, and the template counts as used up, too.
DROPS_AT_MOST = 100_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """What drawing pairs needs beside the templates.

    Attributes:
        random: where the draws come from.
        tokens: for formulas that ask the tokenizer.
        before: how many pairs come before these.
    """

    random: Random
    tokens: Tokens | None = None
    before: int = 0


@dataclass(slots=True)
class _Tally:
    """What was met while drawing.

    Attributes:
        seen: the texts of all pairs so far.
        tried, dropped: how many draws there were, and how many of them `keep` dropped.
        gave_up: whether draws were left when a template counted as used up.
    """

    seen: set[tuple[str, str]] = field(default_factory=set)
    tried: int = 0
    dropped: int = 0
    gave_up: bool = False


def expand_templates(
    part: TemplatePrompts, align: str, drawing: Drawing
) -> tuple[tuple[TextPair, ...], tuple[Problem, ...]]:
    """`count` different pairs, the templates taking turns while they have any left.

    The same part and state of the random numbers give the same pairs.
    """
    recipe, problems = read_recipe(part, drawing.tokens)
    frames: list[Frame] = []
    for template in part.templates:
        frame, found = read_frame(template, recipe)
        problems += tuple(problem for problem in found if problem not in problems)
        frames += [frame] if frame else []
    if has_errors(problems):
        return (), problems
    tally = _Tally()
    streams = [_pairs(frame, recipe, align, drawing, tally) for frame in frames]
    made = tuple(islice(_in_turn(streams), part.count))
    findings = [
        _no_value(one, drawing.before + number)
        for number, one in enumerate(made, 1)
        if isinstance(one, _Broken)
    ]
    if len(made) < part.count:
        problems += (_too_few(part, frames, len(made), tally),)
    pairs = tuple(one for one in made if isinstance(one, TextPair))
    return pairs, (*problems, *gathered(findings))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Broken:
    """A draw in which a formula has no value; `drawn` says which draw."""

    error: FormulaError
    drawn: str


def _no_value(broken: _Broken, number: int) -> Finding:
    error = broken.error
    message = f"{error.message}, in pair {number}"
    problem = Problem(
        code="ATP267",
        message=f"{message}, where {broken.drawn}" if broken.drawn else message,
        at=Label(error.span),
        help=error.advice,
    )
    return Finding(problem=problem, number=number)


def _in_turn(streams: Iterable[Iterator[T]]) -> Iterator[T]:
    queue = deque(streams)
    while queue:
        stream = queue.popleft()
        for item in stream:
            queue.append(stream)
            yield item
            break


def _pairs(
    frame: Frame, recipe: Recipe, align: str, drawing: Drawing, tally: _Tally
) -> Iterator[TextPair | _Broken]:
    """Pairs of one template that are kept and whose texts were not seen before."""
    row = misses = drops = 0
    for number in shuffled_numbers(count_draws(frame.decks), drawing.random):
        tally.tried += 1
        drawn = draw(frame.decks, number)
        filled = Filled(frame, recipe, drawn, drawing.tokens)
        try:
            pair = filled.pair(align, row)
        except FormulaError as error:
            yield _Broken(error=error, drawn=filled.described)
            row += 1
            continue
        if pair is None:
            tally.dropped += 1
            drops += 1
        elif (pair.clean, pair.corrupted) in tally.seen:
            misses += 1
        else:
            tally.seen.add((pair.clean, pair.corrupted))
            yield pair
            row, misses, drops = row + 1, 0, 0
        if misses > MISSES_AT_MOST or drops > DROPS_AT_MOST:
            tally.gave_up = True
            return


def _too_few(part: TemplatePrompts, frames: list[Frame], found: int, tally: _Tally) -> Problem:
    products = "; ".join(
        f"template {number}: {_product(frame)}" for number, frame in enumerate(frames, 1)
    )
    advice = f"add words to the lists, or set `count = {found}`"
    if not found:
        advice = "ask for less in `keep`, or add words to the lists"
    dropped = ""
    if tally.dropped:
        every = "draws that were tried" if tally.gave_up else "draws"
        dropped = f": `keep` dropped {tally.dropped:,} of {tally.tried:,} {every}"
    return Problem(
        code="ATP243",
        message=f"the slot lists give {found} different pairs,"
        f" and `count` asks for {part.count}{dropped}",
        at=Label(part.templates[0].span),
        also=() if part.keep is None else (Label(part.keep.span, "what is kept"),),
        help=f"{products}; {advice}",
    )


def _product(frame: Frame) -> str:
    found = [
        (factor, name)
        for deck in frame.decks
        for factor, name in zip(factors(deck), deck.drawn, strict=True)
    ]
    if not found:
        return "1, as nothing is drawn"
    words = " x ".join(f"{factor} `{name}`" for factor, name in found)
    return f"{words} = {count_draws(frame.decks)}"
