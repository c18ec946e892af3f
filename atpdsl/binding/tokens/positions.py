"""Named positions: from character ranges, patterns and other positions to token indices."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from atpdsl.binding.tokens.patterns import Refused, compile_pattern
from atpdsl.models.tokenizer import Offsets
from atpdsl.problems import Label, Problem
from atpdsl.semantics.experiment import PositionRule

LAST = "last"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finder:
    """The `pos` rules of a spec, their patterns compiled.

    Attributes:
        patterns: position name -> what to look for.
        relatives: position name -> another position and an offset in tokens.
        refused: names with a pattern that is not used, and names relative to them.
    """

    patterns: Mapping[str, re.Pattern[str]]
    relatives: Mapping[str, tuple[str, int]]
    refused: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """Positions in one prompt: the token index of those found, the reason for the others."""

    found: Mapping[str, int]
    missing: Mapping[str, str]


def make_finder(rules: tuple[PositionRule, ...]) -> tuple[Finder, tuple[Problem, ...]]:
    """Compile the rules; a rule with a bad pattern is left out."""
    patterns: dict[str, re.Pattern[str]] = {}
    refused: set[str] = set()
    problems: list[Problem] = []
    for rule in rules:
        if rule.pattern is None:
            continue
        compiled = _compiled(rule.name, rule.pattern)
        if isinstance(compiled, Refused):
            refused.add(rule.name)
            problems.append(
                Problem(
                    code="ATP263",
                    message=f"the pattern of `{rule.name}` cannot be used: {compiled.reason}",
                    at=Label(rule.span),
                    help=compiled.advice,
                )
            )
        else:
            patterns[rule.name] = compiled
    relatives = {rule.name: rule.relative for rule in rules if rule.relative is not None}
    finder = Finder(
        patterns=patterns, relatives=relatives, refused=with_dependents(refused, relatives)
    )
    return finder, tuple(problems)


def _compiled(name: str, pattern: str) -> re.Pattern[str] | Refused:
    """The pattern of a position; of several groups one has to have the position's name."""
    compiled = compile_pattern(pattern)
    if isinstance(compiled, Refused) or compiled.groups <= 1 or name in compiled.groupindex:
        return compiled
    return Refused(
        f"it has {compiled.groups} groups",
        f"write `(?P<{name}>...)` for the position, or `(?:...)` for the others",
    )


def _group(name: str, pattern: re.Pattern[str]) -> int:
    """The group that is a position: the one with its name, or the only one, or all (0)."""
    return pattern.groupindex.get(name, min(pattern.groups, 1))


def with_dependents(
    names: Iterable[str], relatives: Mapping[str, tuple[str, int]]
) -> frozenset[str]:
    """The names, and all positions that are counted from one of them."""
    reached = set(names)
    while more := {n for n, (origin, _) in relatives.items() if origin in reached} - reached:
        reached |= more
    return frozenset(reached)


def token_at(text: str, offsets: Offsets, start: int, end: int) -> int | None:
    """The last token that holds a character of [start, end), None if there is none.

    Spaces at the edges of the range do not count: a tokenizer may give them to the next token.
    """
    while start < end and text[end - 1].isspace():
        end -= 1
    while start < end and text[start].isspace():
        start += 1
    found = None
    for index, (first, after) in enumerate(offsets):
        if max(first, start) < min(after, end):
            found = index
    return found


def locate(
    text: str, offsets: Offsets, ranges: Mapping[str, tuple[int, int]], finder: Finder
) -> Located:
    """Find every position in one prompt.

    Args:
        text: the prompt.
        offsets: for each token, BOS included, its characters in `text`.
        ranges: position name -> marked characters.
        finder: the rules for the other positions.
    """
    found: dict[str, int] = {}
    missing: dict[str, str] = {}
    for name, (start, end) in ranges.items():
        index = token_at(text, offsets, start, end)
        if index is None:
            missing[name] = "it is empty there"
        else:
            found[name] = index
    for name, pattern in finder.patterns.items():
        match = pattern.search(text)
        start, end = match.span(_group(name, pattern)) if match else (0, 0)
        index = token_at(text, offsets, start, end)
        if index is None:
            missing[name] = (
                "the pattern matches nothing" if end == start else "no token is there"
            )
        else:
            found[name] = index
    found[LAST] = len(offsets) - 1
    _add_relatives(found, missing, finder.relatives, len(offsets))
    return Located(found=found, missing=missing)


def _add_relatives(
    found: dict[str, int],
    missing: dict[str, str],
    relatives: Mapping[str, tuple[str, int]],
    length: int,
) -> None:
    """Add positions that stand at an offset from others, which may themselves be such."""
    pending = dict(relatives)
    while ready := [name for name, (origin, _) in pending.items() if origin in found]:
        for name in ready:
            origin, offset = pending.pop(name)
            index = found[origin] + offset
            if 0 <= index < length:
                found[name] = index
            else:
                sign = "-" if offset < 0 else "+"
                missing[name] = f"`{origin} {sign} {abs(offset)}` is outside the prompt"
    for name, (origin, _) in pending.items():
        missing.setdefault(name, f"`{origin}` is missing")
