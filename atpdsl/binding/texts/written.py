"""Templates written out: the text, and where in it each piece stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from atpdsl.problems import Label, Problem
from atpdsl.semantics.experiment import Text
from atpdsl.semantics.template import Piece, TemplateError, parse_template

Pieces = tuple[Piece, ...]
Marks = Mapping[str, tuple[tuple[int, int], tuple[int, int]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A template with its slots filled in.

    Attributes:
        places: for each piece that is no literal, its character range in `text`.
    """

    text: str
    places: tuple[tuple[Piece, int, int], ...]


def pieces_of(text: Text) -> tuple[Pieces, tuple[Problem, ...]]:
    """The pieces of a text of the spec; none, and problems, if it is no template."""
    try:
        return parse_template(text.text), ()
    except TemplateError as error:
        at = Label(text.span)
        return (), tuple(
            Problem(code="ATP241", message=fault.message, at=at, help=fault.help)
            for fault in error.faults
        )


def write(pieces: Pieces, value: Callable[[Piece], str]) -> Written:
    """Fill a template in; `value` is asked for every piece that is no literal."""
    parts: list[str] = []
    places: list[tuple[Piece, int, int]] = []
    end = 0
    for piece in pieces:
        part = value(piece) if piece.literal is None else piece.literal
        if piece.literal is None:
            places.append((piece, end, end + len(part)))
        parts.append(part)
        end += len(part)
    return Written(text="".join(parts), places=tuple(places))


def position_name(piece: Piece) -> str | None:
    """The position that a piece names: its label, or else its slot."""
    return piece.label or piece.slot


def repeated_names(pieces: Pieces) -> tuple[str, ...]:
    """Names that more than one piece of a template has, so that they are no position."""
    counts = Counter(name for piece in pieces if (name := position_name(piece)))
    return tuple(name for name, count in counts.items() if count > 1)


def marks_of(clean: Written, corrupted: Written) -> Marks:
    """Character ranges, in both texts, of every name that stands once in each."""
    one_side = _ranges(clean)
    other_side = _ranges(corrupted)
    return {
        name: (place, other_side[name])
        for name, place in one_side.items()
        if name in other_side
    }


def _ranges(written: Written) -> dict[str, tuple[int, int]]:
    repeated = repeated_names(tuple(piece for piece, _, _ in written.places))
    return {
        name: (start, end)
        for piece, start, end in written.places
        if (name := position_name(piece)) and name not in repeated
    }
