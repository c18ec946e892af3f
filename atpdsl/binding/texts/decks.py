"""Draws from slot lists, each draw being a number, so that all of them can be counted."""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from random import Random

# Up to here all numbers are shuffled; beyond, a number is drawn until it is a new one.
SHUFFLED_AT_MOST = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WordDeck:
    """One slot list, drawn from without replacement.

    Attributes:
        names: slots that get a value each.
        targets: positions that get another value in the corrupted prompt, one that no name
            and no other target has.
        values: the list, each value once.
    """

    names: tuple[str, ...]
    targets: tuple[str, ...]
    values: tuple[str, ...]

    @property
    def size(self) -> int:
        """How many values there are."""
        return len(self.values)

    @property
    def drawn(self) -> tuple[str, ...]:
        """What is drawn, one after the other."""
        return (*self.names, *self.targets)

    def choose(self, choices: Iterator[int], draw: Draw) -> None:
        """Take the values of one draw; each choice is among those that are left."""
        taken: list[int] = []
        for name in self.names:
            draw.values[name] = self.values[_take(next(choices), taken)]
        for target in self.targets:
            draw.redrawn[target] = self.values[_take(next(choices), taken)]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDeck:
    """The rows of a table; all names get the words of one row.

    Attributes:
        names: of the columns.
        targets: positions that get a word of another row in the corrupted prompt, all of them
            from the same row, each with the name of its column.
        rows: each once.
    """

    names: tuple[str, ...]
    targets: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def size(self) -> int:
        """How many rows there are."""
        return len(self.rows)

    @property
    def drawn(self) -> tuple[str, ...]:
        """What is drawn, one after the other."""
        others = ", ".join(target for target, _ in self.targets)
        return (", ".join(self.names), *((others,) if others else ()))

    def choose(self, choices: Iterator[int], draw: Draw) -> None:
        """Take the words of one draw."""
        taken: list[int] = []
        row = self.rows[_take(next(choices), taken)]
        draw.values.update(zip(self.names, row, strict=True))
        if self.targets:
            other = self.rows[_take(next(choices), taken)]
            for target, name in self.targets:
                draw.redrawn[target] = other[self.names.index(name)]


Deck = WordDeck | TableDeck


def _take(choice: int, taken: list[int]) -> int:
    """The place of a choice among those not taken; `taken` is in order, and takes it."""
    place = choice
    for other in taken:
        place += other <= place
    insort(taken, place)
    return place


def factors(deck: Deck) -> tuple[int, ...]:
    """How many choices there are for each thing drawn from a deck."""
    return tuple(max(deck.size - taken, 0) for taken in range(len(deck.drawn)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """One choice from every deck: slot name -> value, target -> its value when corrupted."""

    values: dict[str, str] = field(default_factory=dict)
    redrawn: dict[str, str] = field(default_factory=dict)


def count_draws(decks: tuple[Deck, ...]) -> int:
    """How many different draws there are: the product of all factors."""
    return math.prod(factor for deck in decks for factor in factors(deck))


def draw(decks: tuple[Deck, ...], number: int) -> Draw:
    """The draw with a number below `count_draws(decks)`; different numbers, different draws."""
    choices = _digits(number, [factor for deck in decks for factor in factors(deck)])
    drawn = Draw()
    for deck in decks:
        deck.choose(choices, drawn)
    return drawn


def _digits(number: int, bases: Iterable[int]) -> Iterator[int]:
    """A number in mixed bases, the lowest digit first."""
    for base in bases:
        number, digit = divmod(number, base)
        yield digit


def shuffled_numbers(total: int, random: Random) -> Iterator[int]:
    """Every number below `total` once, in random order."""
    if total <= SHUFFLED_AT_MOST:
        numbers = list(range(total))
        random.shuffle(numbers)
        yield from numbers
        return
    seen: set[int] = set()
    while len(seen) < total:
        number = random.randrange(total)
        if number not in seen:
            seen.add(number)
            yield number
