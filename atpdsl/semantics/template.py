"""The language inside strings: `{S}`, `{S as S2}`, `{yy:02}`, `{row.column}`, `{{` and `}}`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from atpdsl.registry import closest
from atpdsl.semantics.values import FORMATS, is_format

_OPEN, _CLOSE = "{", "}"
_FORMAT = r"(?:\s*:\s*(?P<format>\w+))?"
_LABEL = r"(?:\s+as\s+(?P<label>[A-Za-z_][A-Za-z0-9_]*))?\s*"
_SLOT = re.compile(rf"\s*(?P<name>[A-Za-z_]\w*){_FORMAT}{_LABEL}", re.ASCII)
_ROW = re.compile(rf"\s*row(?P<path>(?:\.[\w-]+)+){_FORMAT}{_LABEL}")
_LATE_FORMAT = re.compile(r"\s*([\w.-]+)\s+as\s+(\w+)\s*:\s*(\w+)\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of a template. Exactly one of `literal`, `slot` and `row` is set.

    Attributes:
        literal: text that stands for itself, doubled braces already made single.
        slot: the name of the slot or `let` whose value goes here.
        row: the path of a column of a data file: `{row.meta.name}` is ("meta", "name").
        label: the position name of `{S as S2}`.
        format: how the value is written, `02` in `{yy:02}`; "" as it is.
        start, end: offsets in the template's text, braces included, half-open.
    """

    literal: str | None = None
    slot: str | None = None
    row: tuple[str, ...] | None = None
    label: str | None = None
    format: str = ""
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something wrong at offsets [start, end) of a template's text.

    Attributes:
        after: where the text goes on, None for `end`.
    """

    message: str
    help: str
    start: int
    end: int
    after: int | None = None


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
            position = part.end
        else:
            faults.append(part)
            position = part.end if part.after is None else part.after
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
    found = _ROW.fullmatch(inside) or _SLOT.fullmatch(inside)
    if found is None or found.groupdict().get("name") == "row":
        return _bad_placeholder(inside, start, end)
    form = found["format"] or ""
    if form and not is_format(form):
        return _bad_format(form, start + 1 + found.start("format"), end)
    if found.re is _ROW:
        path = tuple(found["path"].removeprefix(".").split("."))
        return Piece(row=path, label=found["label"], format=form, start=start, end=end)
    return Piece(slot=found["name"], label=found["label"], format=form, start=start, end=end)


def _bad_format(form: str, start: int, after: int) -> Fault:
    near = closest(form, FORMATS)
    listed = ", ".join(f"`{name}`" for name in FORMATS)
    advice = f"did you mean `:{near}`?" if near else f"there are {listed}"
    return Fault(
        message=f"there is no format `:{form}`",
        help=f"write `:0{form}` for {form} digits" if re.fullmatch("[1-9]", form) else advice,
        start=start,
        end=start + len(form),
        after=after,
    )


def _bad_placeholder(inside: str, start: int, end: int) -> Fault:
    late = _LATE_FORMAT.fullmatch(inside)
    if not inside.strip():
        message, advice = "there is no slot name between these braces", "write `{NAME}`"
    elif re.match(r"\s*row\s*(:|$|as\b)", inside):
        message, advice = "`row` needs a column", "write `{row.column}`"
    elif late is not None:
        message = "the format stands behind the position's name"
        advice = f"write `{{{late[1]}:{late[3]} as {late[2]}}}`"
    elif ":" in inside:
        message = f"`{inside.strip()}` is not a slot with a format"
        advice = "write `{NAME:02}`, `{NAME:upper}`, or `{NAME:02 as POSITION}`"
    else:
        message = f"`{inside.strip()}` is not a slot"
        advice = "write `{NAME}`, `{NAME as POSITION}` or `{row.column}`; `{{` for a brace"
    return Fault(message=message, help=advice, start=start, end=end)
