"""`atpdsl explain`."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterator

from atpdsl.cli.failures import DONE, USAGE
from atpdsl.cli.terminal import WIDTH, say, tell
from atpdsl.problems.clean import clean
from atpdsl.problems.codes import CODES, Code


def explain(chosen: argparse.Namespace) -> int:
    """Tell what a code means, with a spec that has the problem and one that has not."""
    wanted = chosen.code.upper()
    wanted = f"ATP{wanted:0>3}" if wanted.isdecimal() else wanted
    code = CODES.get(wanted)
    if code is None:
        tell(
            f"atpdsl explain: no problem has the code `{clean(wanted)}`; they look like ATP001"
        )
        return USAGE
    for line in _lines(code):
        say(line)
    return DONE


def _lines(code: Code) -> Iterator[str]:
    yield f"{code.code}: {code.title}"
    yield ""
    for number, paragraph in enumerate(code.explanation.strip().split("\n\n")):
        yield from ("",) if number else ()
        yield from textwrap.wrap(paragraph, WIDTH, break_on_hyphens=False)
    for word, spec in (("instead of", code.bad), ("write", code.good)):
        if spec:
            yield ""
            yield f"{word}:"
            yield ""
            yield from (f"    {line}".rstrip() for line in spec.strip("\n").split("\n"))
