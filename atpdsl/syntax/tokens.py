"""A rough reading of a spec, that works on broken ones too: used for comments and recovery.

The grammar says what is right. This says where strings, comments, brackets and line ends are,
so that the place of a mistake can be narrowed down to a statement.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto


class Mark(Enum):
    """What a rough token is, as far as structure goes."""

    STRING = auto()
    OPEN_STRING = auto()
    COMMENT = auto()
    END = auto()
    OPEN = auto()
    CLOSE = auto()
    CONTINUING = auto()
    WORD = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Rough:
    """A rough token: offsets [start, end) of the text."""

    mark: Mark
    start: int
    end: int


# An unfinished string is taken to end with its line.
_TOKEN = re.compile(
    r"""
      (?P<STRING> \"{3} (?: [^"\\] | \\. | "(?!"") )* \"{3}
                | r" [^"\r\n]* "
                | " (?: [^"\\\r\n] | \\[^\r\n] )* "
      )
    | (?P<OPEN_STRING> r?" (?: [^\\\r\n] | \\[^\r\n] )* )
    | (?P<COMMENT> \# [^\r\n]* )
    | (?P<skipped> [ \t]+ | \\\r?\n )
    | (?P<END> \r?\n | ; )
    | (?P<OPEN> [\[({] )
    | (?P<CLOSE> [\])}] )
    | (?P<CONTINUING> -> | [<>=!]= | [,+\-*/<>] )
    | (?P<WORD> atp\* | [A-Za-z_0-9]+ )
    | (?P<OTHER> \.\. | . )
    """,
    re.VERBOSE | re.DOTALL,
)


def rough_tokens(text: str) -> tuple[Rough, ...]:
    """The text in rough tokens, without the spaces between them."""
    return tuple(
        Rough(Mark[match.lastgroup], match.start(), match.end())
        for match in _TOKEN.finditer(text)
        if match.lastgroup is not None and match.lastgroup != "skipped"
    )
