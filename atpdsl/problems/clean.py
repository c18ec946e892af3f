"""Text made safe to show: what a terminal might obey or hide is spelled out."""

from __future__ import annotations

import unicodedata


def clean(text: str) -> str:
    r"""The text with every character that is not printable as `\uXXXX`.

    These are controls, marks that turn the direction of writing, halves of surrogate pairs,
    unassigned characters, and all spaces but the common one.
    """
    if text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    number = ord(character)
    return f"\\u{number:04x}" if number < 0x10000 else f"\\u{{{number:x}}}"


def columns(text: str) -> int:
    """How many terminal columns a clean text takes."""
    return len(text) if text.isascii() else sum(map(_width, text))


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
