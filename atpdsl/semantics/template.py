"""The language inside prompt strings: `{S}`, `{S as S2}`, `{row.column}`, `{{` and `}}`."""

from __future__ import annotations

import re
from dataclasses import dataclass

_OPEN, _CLOSE = "{", "}"
_SLOT = re.compile(r"\s*([A-Za-z_]\w*)(?:\s+as\s+([A-Za-z_]\w*))?\s*", re.ASCII)
_ROW = re.compile(r"\s*row((?:\.[\w-]+)+)(?:\s+as\s+([A-Za-z_]\w*))?\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of a template. Exactly one of `literal`, `slot` and `row` is set.

    Attributes:
        literal: text that stands for itself, doubled braces already made single.
        slot: the name of the slot whose value goes here.
        row: the path of a column of a data file: `{row.meta.name}` is ("meta", "name").
        label: the position name of `{S as S2}`.
        start, end: offsets in the template's text, braces included, half-open.
    """

    literal: str | None = None
    slot: str | None = None
    row: tuple[str, ...] | None = None
    label: str | None = None
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something wrong at offsets [start, end) of a template's text."""

    message: str
    help: str
    start: int
    end: int


class TemplateError(ValueError):
    """A text is no template; `faults` says where and why (all of them, in order)."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        super().__init__("; ".join(fault.message for fault in faults))


def parse_template(text: str) -> tuple[Piece, ...]:
    """The pieces of a template, in order; together they cover `text`.

    Raises:
        TemplateError: when a brace has no partner or holds something that is no slot.
    """
    pieces: list[Piece] = []
    faults: list[Fault] = []
    position = 0
    while position < len(text):
        part = _next_part(text, position)
        if isinstance(part, Piece):
            pieces.append(part)
        else:
            faults.append(part)
        position = part.end
    if faults:
        raise TemplateError(tuple(faults))
    return tuple(pieces)


def _next_part(text: str, start: int) -> Piece | Fault:
    if text[start] == _CLOSE and not text.startswith("}}", start):
        return Fault(
            message="this `}` closes nothing",
            help="write `}}` for a brace that belongs to the text",
            start=start,
            end=start + 1,
        )
    if text[start] == _OPEN and not text.startswith("{{", start):
        return _placeholder(text, start)
    return _literal(text, start)


def _literal(text: str, start: int) -> Piece:
    position = start
    characters: list[str] = []
    while position < len(text):
        doubled = text[position : position + 2] in ("{{", "}}")
        if text[position] in "{}" and not doubled:
            break
        characters.append(text[position])
        position += 2 if doubled else 1
    return Piece(literal="".join(characters), start=start, end=position)


def _placeholder(text: str, start: int) -> Piece | Fault:
    close = text.find(_CLOSE, start)
    nested = text.find(_OPEN, start + 1)
    if close < 0 or 0 <= nested < close:
        return Fault(
            message="this `{` is never closed",
            help="close the slot with `}`, or write `{{` for a brace that belongs to the text",
            start=start,
            end=start + 1,
        )
    end = close + 1
    inside = text[start + 1 : close]
    if row := _ROW.fullmatch(inside):
        path = tuple(row[1].removeprefix(".").split("."))
        return Piece(row=path, label=row[2], start=start, end=end)
    slot = _SLOT.fullmatch(inside)
    if slot is None or slot[1] == "row":
        return _bad_placeholder(inside, start, end)
    return Piece(slot=slot[1], label=slot[2], start=start, end=end)


def _bad_placeholder(inside: str, start: int, end: int) -> Fault:
    if not inside.strip():
        message, advice = "there is no slot name between these braces", "write `{NAME}`"
    elif inside.strip() == "row":
        message, advice = "`row` needs a column", "write `{row.column}`"
    elif ":" in inside:
        message = "formats inside braces are not in this version"
        advice = "give the slot's words in the form in which they are wanted"
    else:
        message = f"`{inside.strip()}` is not a slot"
        advice = "write `{NAME}`, `{NAME as POSITION}` or `{row.column}`; `{{` for a brace"
    return Fault(message=message, help=advice, start=start, end=end)
