"""Pieces of a spec as they are written, for messages and results."""

from __future__ import annotations

import re

from atpdsl.problems import Source, Span


def as_written(source: Source, span: Span) -> str:
    """A piece of a spec on one line, without comments."""
    part, place = source.locate(span)
    text = part.text[place.start : place.end]
    return " ".join(re.sub(r"#[^\n]*", "", text).split())
