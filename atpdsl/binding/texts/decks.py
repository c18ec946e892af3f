"""Draws from slot lists, each draw being a number, so that all of them can be counted."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random

# Up to here all numbers are shuffled; beyond, a number is drawn until it is a new one.
SHUFFLED_AT_MOST = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Deck:
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
    def factors(self) -> tuple[int, ...]:
        """How many values there are to choose from, for each name and then each target."""
        drawn = len(self.names) + len(self.targets)
        return tuple(max(len(self.values) - taken, 0) for taken in range(drawn))


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """One choice from every deck: slot name -> value, target -> its value when corrupted."""

    values: Mapping[str, str]
    redrawn: Mapping[str, str]


def count_draws(decks: tuple[Deck, ...]) -> int:
    """How many different draws there are: the product of all factors."""
    return math.prod(factor for deck in decks for factor in deck.factors)


def draw(decks: tuple[Deck, ...], number: int) -> Draw:
    """The draw with a number below `count_draws(decks)`; different numbers, different draws."""
    values: dict[str, str] = {}
    redrawn: dict[str, str] = {}
    for deck in decks:
        remaining = list(deck.values)
        for name in deck.names:
            number, choice = divmod(number, len(remaining))
            values[name] = remaining.pop(choice)
        for target in deck.targets:
            number, choice = divmod(number, len(remaining))
            redrawn[target] = remaining.pop(choice)
    return Draw(values=values, redrawn=redrawn)


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
