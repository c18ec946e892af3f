"""Texts from models and specs, made harmless for programs that would obey them."""

from __future__ import annotations

FORMULA = ("=", "+", "-", "@")
_PICTURES = {code: 0x2400 + code for code in range(0x20)} | {0x7F: 0x2421}
_NOT_TEXT = (*range(0x80, 0xA0), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF)
_HARMLESS = _PICTURES | dict.fromkeys(_NOT_TEXT, 0xFFFD)


def harmless(text: str) -> str:
    """The text with control characters as pictures (`␀`, `␊`) and what is no text as U+FFFD.

    XML can hold none of them, and a terminal obeys them.
    """
    return text.translate(_HARMLESS)


def harmless_cell(text: str) -> str:
    """The same; what a spreadsheet would take for a formula has an apostrophe before it."""
    shown = harmless(text)
    return f"'{shown}" if shown.startswith(FORMULA) else shown
