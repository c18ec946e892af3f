"""Regular expressions of a spec, kept to those that cannot take forever."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass

LONGEST_PATTERN = 200
MOST_OPEN_REPEATS = 4

_QUANTIFIER = re.compile(r"[*+?]|\{\d*,?\d*\}")


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a pattern is not used."""

    reason: str
    advice: str


def compile_pattern(pattern: str) -> re.Pattern[str] | Refused:
    """Compile a pattern, unless it is wrong, too long or could backtrack without end.

    A repeated group in which something is optional, repeated or a choice, as in `(a+)+`, can
    match the same text in exponentially many ways, and is refused.
    """
    if len(pattern) > LONGEST_PATTERN:
        return Refused(
            f"it has {len(pattern)} characters, and {LONGEST_PATTERN} is the most",
            "match less of the text around the position",
        )
    try:
        # Python warns of sets that may mean something else one day; that is no news here.
        with warnings.catch_warnings(action="ignore"):
            compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return Refused(str(error), "write a literal `.`, `(`, `[`, `?`, `*` or `+` with a `\\`")
    nested, repeats = _repetition(pattern)
    if nested:
        return Refused(
            "it repeats a group in which something is repeated, optional or a choice",
            "that can take forever; write it without the outer or the inner repeat",
        )
    if repeats > MOST_OPEN_REPEATS:
        return Refused(
            f"it has {repeats} repeats, and {MOST_OPEN_REPEATS} is the most",
            "match less of the text around the position",
        )
    return compiled


def _repetition(pattern: str) -> tuple[bool, int]:
    """Whether a repeated group can match in several ways, and how many repeats there are."""
    nested, repeats = False, 0
    varied = [False]
    position = 0
    while position < len(pattern):
        character = pattern[position]
        closed = False
        if character == "(":
            varied.append(False)
            position = _after_opening(pattern, position)
            continue
        if character == ")" and len(varied) > 1:
            closed = varied.pop()
        elif character == "|":
            varied[-1] = True
        position = _after_atom(pattern, position)
        quantifier = _QUANTIFIER.match(pattern, position)
        if quantifier and character != "|":
            position = quantifier.end()
            repeated = quantifier[0] != "?"
            nested = nested or (closed and repeated)
            repeats += repeated
            varied[-1] = True
        varied[-1] = varied[-1] or closed
    return nested, repeats


def _after_opening(pattern: str, start: int) -> int:
    """Past `(`, `(?:`, `(?=`, `(?P<name>` ..., whose `?` repeats nothing."""
    if not pattern.startswith("?", start + 1):
        return start + 1
    prefix = re.compile(r"\?(?:P?<\w+>|P=|[a-zA-Z-]*:|[a-zA-Z-]+(?=\))|<?[=!]|>|\(\w+\)|#)")
    found = prefix.match(pattern, start + 1)
    return found.end() if found else start + 2


def _after_atom(pattern: str, start: int) -> int:
    """Past one character, one escape, or one set in square brackets."""
    if pattern[start] == "\\":
        return start + 2
    if pattern[start] != "[":
        return start + 1
    end = start + 1
    if pattern.startswith("^", end):
        end += 1
    if pattern.startswith("]", end):
        end += 1
    while end < len(pattern) and pattern[end] != "]":
        end += 2 if pattern[end] == "\\" else 1
    return end + 1
