"""How large, deep and wrong a spec may be, and what is said of one that is more."""

from __future__ import annotations

import re
from collections.abc import Iterable

from atpdsl.problems import Label, Problem, Severity, Span

LARGEST = 1 << 20
DEEPEST = 64
MOST_PROBLEMS = 100
TOO_MANY = "ATP015"
_NUMBER = re.compile(r"\d+")


def too_large(size: int) -> Problem:
    """The problem of a text of more than `LARGEST` characters."""
    return Problem(
        code="ATP011",
        message=f"this spec has {size:,} characters; at most {LARGEST:,} are read",
        help='keep data in a file of its own: `prompts from csv("pairs.csv") { ... }`',
    )


def too_deep(at: Span) -> Problem:
    """The problem of brackets or operators nested more than `DEEPEST` deep."""
    return Problem(
        code="ATP010",
        message=f"this is nested too deeply; at most {DEEPEST} levels are read",
        at=Label(at),
        help="write it in several statements",
    )


def first_ones(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Problems in the order of their places, each once, and not too many of them."""
    ordered = sorted(dict.fromkeys(problems), key=lambda p: p.at.span.start if p.at else 0)
    if len(ordered) <= MOST_PROBLEMS:
        return tuple(ordered)
    rest = ordered[MOST_PROBLEMS:]
    return (*ordered[:MOST_PROBLEMS], too_many(len(rest), _worst(rest)))


def shortened(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Problems of several stages in their order, and not too many of them together.

    A stage may have left out some of its own, and says so with a problem.
    """
    found = tuple(problems)
    cut = [problem for problem in found if problem.code == TOO_MANY]
    told = [problem for problem in found if problem.code != TOO_MANY]
    rest = told[MOST_PROBLEMS:]
    hidden = len(rest) + sum(map(_hidden, cut))
    if not hidden:
        return found
    return (*told[:MOST_PROBLEMS], too_many(hidden, _worst((*rest, *cut))))


def _worst(problems: Iterable[Problem]) -> Severity:
    """Warnings that are not shown stop no run; an error does, shown or not."""
    errors = any(problem.severity is Severity.ERROR for problem in problems)
    return Severity.ERROR if errors else Severity.WARNING


def _hidden(problem: Problem) -> int:
    """How many problems another one stands for."""
    number = _NUMBER.search(problem.message)
    return int(number[0]) if number else 0


def too_many(hidden: int, severity: Severity = Severity.ERROR) -> Problem:
    """What stands for the problems that are not shown; the severity is that of the worst."""
    return Problem(
        code=TOO_MANY,
        message=f"there are {hidden} more problems than are shown here",
        help="repair the first ones and try again",
        severity=severity,
    )
