"""Changes that mend problems: those that a help suggests, and how they are made in a text.

A help that begins with "did you mean `word`?" is a promise: writing that word instead of what
stands at the problem's place mends it. `did_you_mean` writes such helps, and `mended` makes
a `Fix` of them; so nobody who reports a misspelled word has to think of its fix.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import replace

from atpdsl.problems.problem import Fix, Problem
from atpdsl.problems.source import Source, Span

_MEANT = re.compile(r"did you mean `([^`\s]+)`\?")
# What may be misspelled in `"scores.cvs"`, `{S as S3}` or `./modle`.
_WORD = re.compile(r"""[^\s"{}()\[\],;=:]+""")
_SUFFIX = re.compile(r"\.\w+(?=\"?\Z)")
LONGEST = 200
# Of `S1`, `S2` and `IO` each is as likely to be meant as the others.
SHORTEST = 3
ALIKE = 0.6


def did_you_mean(meant: str | None, otherwise: str = "") -> str:
    """The help for a misspelled word."""
    return f"did you mean `{meant}`?" if meant else otherwise


def inserted(text: str, at: int, title: str = "") -> Fix:
    """The fix that writes something at an offset where it is missing."""
    return Fix(span=Span(at, at), text=text, title=title or f"insert `{text.strip()}`")


def replaced(span: Span, text: str, title: str = "") -> Fix:
    """The fix that writes something instead of what is there."""
    return Fix(span=span, text=text, title=title or f"write `{text}`")


def mended(problem: Problem, source: Source) -> Problem:
    """The problem with the fix that its help suggests, if it has none of its own.

    Args:
        problem: places count in `source`, included files and all.
        source: the text that the problem is in.
    """
    suggestion = _MEANT.match(problem.help)
    if problem.fix is not None or problem.at is None or suggestion is None:
        return problem
    if problem.at.source not in (None, source):
        return problem
    part, span = source.locate(problem.at.span)
    word = _misspelled(part.text[span.start : span.end], suggestion[1])
    if word is None:
        return problem
    first = problem.at.span.start
    fix = Fix(
        span=Span(first + word.start, first + word.end),
        text=suggestion[1],
        title=f"change to `{suggestion[1]}`",
    )
    return replace(problem, fix=fix)


def _misspelled(written: str, meant: str) -> Span | None:
    """The part of a text to be replaced, None if no part of it is like the word."""
    if len(written) > LONGEST or "\n" in written:
        return None
    if re.fullmatch(r"\.\w+", meant):
        suffix = _SUFFIX.search(written)
        return None if suffix is None else Span(suffix.start(), suffix.end())
    if len(meant) < SHORTEST:
        return None
    if ":" in meant:
        quoted = len(written) > 1 and written[0] == written[-1] == '"'
        return Span(1, len(written) - 1) if quoted else Span(0, len(written))
    words = [_last_part(match, meant) for match in _WORD.finditer(written)]
    words = [word for word in words if word.end - word.start >= SHORTEST]
    if any(written[word.start : word.end] == meant for word in words):
        return None
    if len(words) == 1:
        return words[0]
    texts = [written[word.start : word.end] for word in words]
    near = difflib.get_close_matches(meant, texts, n=1, cutoff=ALIKE)
    return words[texts.index(near[0])] if near else None


def _last_part(match: re.Match[str], meant: str) -> Span:
    """Of `data/nmaes.txt` and `row.nmae` what follows the `/` or `.`, if the word has none."""
    before = max(0 if sign in meant else match[0].rfind(sign) + 1 for sign in "/.")
    return Span(match.start() + before, match.end())


def applied(text: str, problems: Iterable[Problem]) -> tuple[str, tuple[Problem, ...]]:
    """A text with all fixes made that do not get in each other's way, and what was mended.

    Args:
        text: the text that the fixes count in.
        problems: as `Problem.placed` gives them, each in the order in which it is to be
            preferred; those without a fix are passed over.
    """
    chosen: list[tuple[Fix, Problem]] = []
    for problem in problems:
        fix = problem.fix
        if fix is not None and not any(_clash(fix, other) for other, _ in chosen):
            chosen.append((fix, problem))
    for fix, _ in sorted(chosen, key=lambda pair: pair[0].span.start, reverse=True):
        text = text[: fix.span.start] + fix.text + text[fix.span.end :]
    return text, tuple(problem for _, problem in chosen)


def _clash(one: Fix, other: Fix) -> bool:
    """Whether two fixes touch the same characters, or are made at the same offset."""
    if one.span.start == other.span.start:
        return True
    return one.span.start < other.span.end and other.span.start < one.span.end
