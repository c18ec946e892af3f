"""The canonical layout of a text as changes of it."""

from __future__ import annotations

from difflib import SequenceMatcher

from atpdsl.editor.rename import Edit
from atpdsl.formatting.text import format_text
from atpdsl.problems import Span, SpecError

WINDOWS = "\r\n"


def format_edits(text: str) -> tuple[Edit, ...] | None:
    """The changes that give a text its canonical layout; None where it cannot be read.

    Lines that stay are not touched, so that an editor keeps its place; so do line ends.
    """
    try:
        formatted = format_text(text)
    except SpecError:
        return None
    if WINDOWS in text:
        formatted = formatted.replace("\n", WINDOWS)
    return tuple(_changes(text, formatted))


def _changes(old: str, new: str) -> list[Edit]:
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    starts = [0]
    for line in before:
        starts.append(starts[-1] + len(line))
    matcher = SequenceMatcher(a=before, b=after, autojunk=False)
    return [
        Edit(span=Span(starts[first], starts[last]), text="".join(after[start:end]))
        for tag, first, last, start, end in matcher.get_opcodes()
        if tag != "equal"
    ]
