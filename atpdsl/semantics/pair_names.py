"""The names that formulas may use in a set of prompts."""

from __future__ import annotations

from collections.abc import Iterable

from atpdsl.semantics.experiment import FilePrompts, InlinePair, Prompts, TemplatePrompts
from atpdsl.semantics.read_formulas import ROW
from atpdsl.semantics.template import Piece, TemplateError, parse_template


def pair_names(prompts: Prompts) -> tuple[str, ...]:
    """The names that every pair of a set has: slots, `as` and `let` names, `row` for a file.

    A set with parts of several forms has the names that all of them have.
    """
    parts = [_names_of(part) for part in prompts.parts]
    if not parts:
        return ()
    return tuple(name for name in parts[0] if all(name in names for names in parts))


def _names_of(part: TemplatePrompts | InlinePair | FilePrompts) -> tuple[str, ...]:
    match part:
        case TemplatePrompts():
            slots = tuple(name for slot in part.slots for name in slot.names)
            texts = [_labels(text.text) for text in part.templates]
            first = texts[0] if texts else ()
            labels = tuple(name for name in first if all(name in one for one in texts))
            lets = tuple(let.name for let in part.lets)
            return tuple(dict.fromkeys((*slots, *labels, *lets)))
        case FilePrompts():
            return (ROW, *(let.name for let in part.lets))
        case InlinePair():
            return ()


def _labels(text: str) -> tuple[str, ...]:
    try:
        return labels_of(parse_template(text))
    except TemplateError:
        return ()


def labels_of(pieces: Iterable[Piece]) -> tuple[str, ...]:
    """The `as` names of a text."""
    return tuple(piece.label for piece in pieces if piece.label)
