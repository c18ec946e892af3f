"""Prompt texts, words and answers: from expressions to `Text`, braces checked."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum, auto

from atpdsl.problems import Label, Span
from atpdsl.registry import closest
from atpdsl.semantics.experiment import Text
from atpdsl.semantics.findings import Findings, did_you_mean
from atpdsl.semantics.numbers import whole_number, written
from atpdsl.semantics.template import Piece, TemplateError, parse_template
from atpdsl.syntax import tree as t

MOST_WORDS = 100_000
# On each side of an `answer`: every one of them is tokenised after every prompt.
MOST_ANSWERS = 1_000


class Holds(Enum):
    """What may stand in the braces of a text."""

    SLOTS = auto()
    COLUMNS = auto()
    NOTHING = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A text of the spec, its pieces, and the expression that it comes from."""

    text: Text
    pieces: tuple[Piece, ...]
    origin: t.Expression

    def place(self, piece: Piece) -> Span:
        """Where in the source a piece stands."""
        if isinstance(self.origin, t.String) and not self.origin.raw:
            return self.origin.place(piece.start, piece.end)
        return self.origin.span

    def slots(self) -> tuple[Piece, ...]:
        """The pieces that are slots."""
        return tuple(piece for piece in self.pieces if piece.slot is not None)


def read_text(
    value: t.Expression,
    holds: Holds,
    findings: Findings,
    *,
    names: Collection[str] | None = None,
) -> Written | None:
    """A prompt or answer; None (and problems) if it is none.

    Args:
        value: what is written.
        holds: what may stand in braces.
        findings: takes the problems.
        names: the slots and `let` names there are; None where they are checked elsewhere.
    """
    if isinstance(value, t.String):
        return _from_string(value, holds, findings, names)
    column = column_path(value)
    if column is not None and holds is Holds.COLUMNS:
        template = f"{{row.{'.'.join(column)}}}"
        text = Text(text=template, span=value.span)
        return Written(text=text, pieces=parse_template(template), origin=value)
    advice = 'write `row.column` or a string, `"..."`' if holds is Holds.COLUMNS else ""
    findings.error(
        "ATP108",
        "a text is wanted here",
        value.span,
        advice=advice or 'texts stand in double quotes, `"..."`',
    )
    return None


def column_path(value: t.Expression) -> tuple[str, ...] | None:
    """`row.a.b` as ("a", "b"); None for anything else."""
    names: list[str] = []
    while isinstance(value, t.Attribute):
        names.append(value.name.text)
        value = value.base
    if isinstance(value, t.Name) and value.text == "row" and names:
        return tuple(reversed(names))
    return None


def _from_string(
    string: t.String, holds: Holds, findings: Findings, names: Collection[str] | None
) -> Written | None:
    if string.raw:
        literal = string.value.replace("{", "{{").replace("}", "}}")
        text = Text(text=literal, span=string.span)
        return Written(text=text, pieces=parse_template(literal), origin=string)
    try:
        pieces = parse_template(string.value)
    except TemplateError as error:
        for fault in error.faults:
            place = string.place(fault.start, fault.end)
            findings.error("ATP241", fault.message, place, advice=fault.help)
        return None
    text = Text(text=string.value, span=string.span)
    written = Written(text=text, pieces=pieces, origin=string)
    before = len(findings)
    for piece in pieces:
        _check_braces(piece, written.place(piece), holds, findings, names)
    return written if len(findings) == before else None


def _check_braces(
    piece: Piece, place: Span, holds: Holds, findings: Findings, names: Collection[str] | None
) -> None:
    if piece.row is not None and holds is not Holds.COLUMNS:
        findings.error(
            "ATP241",
            "`row` is a row of a file, and these prompts come from none",
            place,
            advice='write `prompts from csv("pairs.csv") { ... }`',
        )
    if piece.slot is None:
        return
    if holds is Holds.NOTHING:
        findings.error(
            "ATP241",
            f"a `pair` is plain text, and has no slot `{piece.slot}`",
            place,
            advice="write `{{` and `}}` for braces, or use a `template` with slots",
        )
    elif holds is Holds.COLUMNS and piece.slot not in (names or ()):
        near = closest(piece.slot, names or ())
        findings.error(
            "ATP241",
            f"there is no slot `{piece.slot}` in prompts that come from a file",
            place,
            advice=did_you_mean(near, f"for a column of the file write `{{row.{piece.slot}}}`"),
        )
    elif holds is Holds.SLOTS and names is not None and piece.slot not in names:
        unknown_slot(piece.slot, place, names, findings)


def unknown_slot(name: str, place: Span, known: Collection[str], findings: Findings) -> None:
    """Adds that a text has a slot that is not declared."""
    findings.error(
        "ATP241",
        f"there is no slot `{name}`",
        place,
        advice=did_you_mean(closest(name, known), f'add `slot {name} in ["...", "..."]`'),
    )


def read_words(value: t.Expression, findings: Findings) -> tuple[str, ...]:
    """Plain words: strings, numbers and ranges of numbers, alone or in a list."""
    match value:
        case t.ListOf(items=items):
            return tuple(word for item in items for word in read_words(item, findings))
        case t.String(value=text):
            return (text,)
        case t.Number(unit=""):
            return (written(value),)
        case t.Unary(operator="-", operand=t.Number(unit="") as number):
            return (f"-{written(number)}",)
        case t.RangeOf():
            return _range_words(value, findings)
        case t.Name(text=text):
            findings.error(
                "ATP108",
                f"`{text}` is not in quotes",
                value.span,
                advice=f'write `"{text}"`, or for a list `let {text} = ["...", "..."]` before',
            )
        case _:
            findings.error(
                "ATP108",
                "words are wanted here",
                value.span,
                advice='write `["store", "garden"]` or a range, `11..17`',
            )
    return ()


def _range_words(value: t.RangeOf, findings: Findings) -> tuple[str, ...]:
    first, last = value.first, value.last
    low, high = whole_number(first), whole_number(last)
    if low is None or high is None or not isinstance(first, t.Number):
        unknown = next((end.text for end in (first, last) if isinstance(end, t.Name)), "")
        findings.error(
            "ATP225",
            "a range of words needs a whole number at both ends",
            value.span,
            advice=f"define `{unknown}` first, as `let {unknown} = 98`"
            if unknown
            else "write `11..17`, or `02..98` for numbers of two digits",
        )
        return ()
    if low > high or high - low >= MOST_WORDS:
        message = "this range runs backwards" if low > high else "this range is too long"
        findings.error("ATP225", message, value.span, advice=f"write `{high}..{low}`")
        return ()
    width = len(first.text) if first.text.startswith("0") else 0
    return tuple(str(number).zfill(width) for number in range(low, high + 1))


def too_many_words(most: int, at: Span, findings: Findings) -> None:
    """Adds that a list, with the numbers of its ranges, is too long."""
    findings.error(
        "ATP228",
        f"this has more than {most:,} words",
        at,
        advice="leave some of them out",
    )


def twice(what: str, at: Span, first: Span, findings: Findings) -> None:
    """Adds that something stands twice where it may stand once."""
    findings.error(
        "ATP104",
        f"there is a second {what}",
        at,
        advice="remove one of the two",
        also=(Label(first, "the first is here"),),
    )
