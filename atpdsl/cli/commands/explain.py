"""`atpdsl explain`."""

from __future__ import annotations

import argparse
import re
import textwrap
from collections.abc import Iterable, Iterator

from atpdsl.cli.failures import DONE, USAGE
from atpdsl.cli.terminal import WIDTH, say, tell
from atpdsl.problems.clean import clean
from atpdsl.problems.codes import CODES, GROUPS, Code
from atpdsl.registry import closest


def explain(chosen: argparse.Namespace) -> int:
    """Tell what a code means, with a spec that has the problem and one that has not."""
    if chosen.code is None:
        _say_all(_index())
        return DONE
    code = CODES.get(_completed(chosen.code))
    if code is not None:
        _say_all(_lines(code))
        return DONE
    tell(f"atpdsl explain: {_unknown(chosen.code)}")
    return USAGE


def _say_all(lines: Iterable[str]) -> None:
    for line in lines:
        say(line)


def _completed(word: str) -> str:
    """`12`, `atp12` and `[ATP012]` as `ATP012`."""
    found = re.fullmatch(r"\W*(?:ATP)?0*(\d{1,3})\W*", word, re.IGNORECASE)
    return f"ATP{found[1]:0>3}" if found else word.upper()


def _unknown(word: str) -> str:
    shown = clean(word)
    titled = [code for code in CODES.values() if word.lower() in code.title.lower()]
    if word.strip() and titled and not any(map(str.isdigit, word)):
        named = ", ".join(f"{code.code} ({code.title})" for code in titled[:3])
        return f"`{shown}` is no code; perhaps {named}"
    meant = closest(_completed(word), CODES)
    advice = f"did you mean `{meant}`?" if meant else "they look like ATP001"
    return f"no problem has the code `{shown}`; {advice} `atpdsl explain` lists all"


def _index() -> Iterator[str]:
    """All codes with their titles, group by group."""
    for number, (group, codes) in enumerate(GROUPS):
        yield from ("",) if number else ()
        yield f"{group}:"
        for code in codes:
            indent = " " * (len(code.code) + 4)
            yield from textwrap.wrap(
                f"  {code.code}  {code.title}", WIDTH, subsequent_indent=indent
            )
    yield ""
    yield "`atpdsl explain CODE` tells more about one."


def _lines(code: Code) -> Iterator[str]:
    yield f"{code.code}: {code.title}"
    yield ""
    for number, paragraph in enumerate(code.explanation.strip().split("\n\n")):
        yield from ("",) if number else ()
        yield from textwrap.wrap(
            paragraph, WIDTH, break_on_hyphens=False, break_long_words=False
        )
    for word, spec in (("instead of", code.bad), ("write", code.good)):
        if spec:
            yield ""
            yield f"{word}:"
            yield ""
            yield from (f"    {clean(line)}".rstrip() for line in spec.strip("\n").split("\n"))
