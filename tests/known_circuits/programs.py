"""What the compiled programs compute, written again in plain Python on token names."""

from __future__ import annotations

from collections.abc import Callable, Sequence

PAD = "compiler_pad"


def reverse(tokens: Sequence[str], at: int) -> str:
    return [token for token in tokens if token != PAD][::-1][at]


def histogram(tokens: Sequence[str], at: int) -> str:
    return str(tokens.count(tokens[at]))


def sort_unique(tokens: Sequence[str], at: int) -> str:
    return sorted(tokens)[at]


def shuffle_dyck(tokens: Sequence[str], at: int) -> str:
    """The answer is the same everywhere."""
    for opening, closing in ("()", "{}"):
        depths = [
            tokens[:end].count(opening) - tokens[:end].count(closing)
            for end in range(1 + len(tokens))
        ]
        if min(depths) < 0 or depths[-1] != 0:
            return "False"
    return "True"


def detect_pattern(tokens: Sequence[str], at: int) -> str:
    return str(list(tokens[max(at - 2, 0) : at + 1]) == ["a", "b", "c"])


def induction(tokens: Sequence[str], at: int) -> str:
    """What followed the token where it was before; the prompts have it once."""
    return tokens[list(tokens[:at]).index(tokens[at]) + 1]


PROGRAMS: dict[str, Callable[[Sequence[str], int], str]] = {
    program.__name__: program
    for program in (reverse, histogram, sort_unique, shuffle_dyck, detect_pattern, induction)
}
