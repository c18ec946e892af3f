"""The values of strings and numbers as they are written."""

from __future__ import annotations

import re

from atpdsl.problems import Label, Problem, Span
from atpdsl.syntax.tree import Number, String

_PART = re.compile(
    r"\\u\{(?P<braced>[0-9A-Fa-f]{1,6})\}|\\u(?P<four>[0-9A-Fa-f]{4})"
    r"|\\\r?\n(?P<joined>)|\\(?P<simple>[ntr\"\\])|\\(?P<bad>.)|(?P<newline>\r?\n)|(?P<plain>.)",
    re.DOTALL,
)
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}
_NUMBER = re.compile(r"([0-9][0-9_]*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(%|[A-Za-z]*)")
LARGEST_NUMBER = 1e15
LONGEST_NUMBER = 40


def read_string(written: str, start: int, problems: list[Problem]) -> String:
    """The string written at offset `start`; bad escapes are added to `problems`."""
    raw = written.startswith("r")
    quotes = 3 if written.startswith('"""') and len(written) >= 6 else 1
    first = quotes + raw
    inside = written[first : len(written) - quotes]
    span = Span(start, start + len(written))
    if raw:
        offsets = tuple(range(start + first, span.end))
        return String(inside, raw, offsets, span)
    characters: list[str] = []
    places: list[int] = []
    for part in _PART.finditer(inside):
        offset = start + first + part.start()
        value = _character(part)
        if value is None:
            problems.append(_bad_escape(part[0], offset))
        elif value:
            characters.append(value)
            places.append(offset)
    return String("".join(characters), raw, (*places, span.end - quotes), span)


def _character(part: re.Match[str]) -> str | None:
    """What a part of a string stands for; None where that is nothing known."""
    if part["simple"]:
        return _SIMPLE[part["simple"]]
    digits = part["braced"] or part["four"]
    if digits:
        number = int(digits, 16)
        exists = number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF
        return chr(number) if exists else None
    if part["newline"]:
        return "\n"
    if part["bad"]:
        return None
    return part["plain"] or ""


def _bad_escape(written: str, offset: int) -> Problem:
    return Problem(
        code="ATP016",
        message=f"`{written}` is not an escape",
        at=Label(Span(offset, offset + len(written))),
        help='the escapes are `\\n`, `\\t`, `\\r`, `\\"`, `\\\\` and `\\u{1F600}`;'
        ' `r"..."` has none',
    )


def read_number(written: str, start: int, problems: list[Problem]) -> Number:
    """The number written at offset `start`; one that is too large is added to `problems`."""
    span = Span(start, start + len(written))
    match = _NUMBER.fullmatch(written)
    digits, unit = (match[1], match[2]) if match else (written, "")
    digits = digits.replace("_", "")
    if len(digits) > LONGEST_NUMBER or float(digits) > LARGEST_NUMBER:
        problems.append(
            Problem(
                code="ATP017",
                message="this number is too large",
                at=Label(span),
                help="numbers go up to 1e15, with at most 40 digits",
            )
        )
        # No setting is too small for it, which would be a second problem with the number.
        return Number(written, 1, unit, span)
    value = int(digits) if digits.isdecimal() else float(digits)
    return Number(written, value, unit, span)
