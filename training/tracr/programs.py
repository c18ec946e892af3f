"""The RASP programs that are compiled, and how prompts for them are drawn.

`reverse`, `hist`, `sort_unique`, `shuffle_dyck` and `detect_pattern` come with tracr; the
induction program is the two-head circuit of Elhage et al. 2021. All outputs are categorical.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tracr.compiler import lib
from tracr.rasp import rasp

Token = str | int
PAD: Token = "pad"

BRACKETS = ("()", "{}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program to compile.

    Attributes:
        name: of the files.
        about: what it computes, in a sentence.
        sop: the RASP expression.
        vocabulary: the tokens, without the beginning of the sequence and padding.
        length: tokens in every prompt, padding included.
        causal: whether its attention sees earlier positions only.
        draw: a random prompt of `length` tokens.
    """

    name: str
    about: str
    sop: rasp.SOp
    vocabulary: tuple[Token, ...]
    length: int
    causal: bool
    draw: Callable[[Random], list[Token]]


def _padded(tokens: list[Token], length: int) -> list[Token]:
    return tokens + [PAD] * (length - len(tokens))


def _letters(random: Random, *, vocabulary: str, lengths: range, padded: int) -> list[Token]:
    return _padded(list(random.choices(vocabulary, k=random.choice(lengths))), padded)


def _distinct(random: Random) -> list[Token]:
    return random.sample([1, 2, 3, 4, 5], k=4)


def _brackets(random: Random) -> list[Token]:
    """Half of them balanced, which random brackets hardly ever are."""
    if random.random() < 0.5:
        return _letters(random, vocabulary="(){}", lengths=range(2, 5), padded=4)
    chosen = [list(random.choice(BRACKETS)) for _ in range(random.choice((1, 2)))]
    tokens: list[Token] = []
    while any(chosen):
        tokens.append(random.choice([left for left in chosen if left]).pop(0))
    return _padded(tokens, 4)


def _with_pattern(random: Random) -> list[Token]:
    """Half of them hold the pattern."""
    tokens = _letters(random, vocabulary="abc", lengths=range(6, 7), padded=6)
    if random.random() < 0.5:
        at = random.choice((0, 1, 2, 3))
        tokens[at : at + 3] = list("abc")
    return tokens


def _with_repeat(random: Random) -> list[Token]:
    """Five different letters, then one of the first four again."""
    tokens: list[Token] = [*random.sample("abcdef", k=5)]
    return [*tokens, random.choice(tokens[:4])]


def _induction() -> rasp.SOp:
    """The token after the last one like this: a previous-token head, then an induction head."""
    before = lib.shift_by(1, rasp.tokens).named("token_before")
    follows = rasp.Select(before, rasp.tokens, rasp.Comparison.EQ).named("follows_its_like")
    return rasp.Aggregate(follows, rasp.tokens).named("induction")


def programs() -> tuple[Program, ...]:
    """All programs; RASP expressions are numbered as they are made, so make them once."""
    return (
        Program(
            name="reverse",
            about="the tokens in reverse order",
            sop=lib.make_reverse(rasp.tokens),
            vocabulary=tuple("abc"),
            length=5,
            causal=False,
            draw=lambda r: _letters(r, vocabulary="abc", lengths=range(2, 6), padded=5),
        ),
        Program(
            name="histogram",
            about="how often a position's token is in the prompt",
            sop=lib.make_hist(),
            vocabulary=tuple("abc"),
            length=5,
            causal=False,
            draw=lambda r: _letters(r, vocabulary="abc", lengths=range(5, 6), padded=5),
        ),
        Program(
            name="sort_unique",
            about="different numbers in ascending order",
            sop=lib.make_sort_unique(rasp.tokens, rasp.tokens),
            vocabulary=(1, 2, 3, 4, 5),
            length=4,
            causal=False,
            draw=_distinct,
        ),
        Program(
            name="shuffle_dyck",
            about="whether both kinds of brackets are balanced, each for itself",
            sop=lib.make_shuffle_dyck([*BRACKETS]).named("shuffle_dyck"),
            vocabulary=tuple("(){}"),
            length=4,
            causal=False,
            draw=_brackets,
        ),
        Program(
            name="detect_pattern",
            about="whether the last three tokens are a, b, c",
            sop=lib.detect_pattern(rasp.tokens, "abc").named("detect_pattern"),
            vocabulary=tuple("abc"),
            length=6,
            causal=True,
            draw=_with_pattern,
        ),
        Program(
            name="induction",
            about="the token that followed when this one was there before",
            sop=_induction(),
            vocabulary=tuple("abcdef"),
            length=6,
            causal=True,
            draw=_with_repeat,
        ),
    )
