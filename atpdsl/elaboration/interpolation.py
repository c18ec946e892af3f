"""`{name}` in strings: replaced where the name belongs to the file, not to a pair."""

from __future__ import annotations

import re
from collections.abc import Callable

from atpdsl.elaboration.constants import escaped, in_text
from atpdsl.problems import Span
from atpdsl.semantics.findings import Findings
from atpdsl.semantics.values import RefusedError
from atpdsl.syntax import tree as t

_PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_INSIDE = re.compile(
    r"\s*(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)"
    r"(?:\s*:\s*(?P<form>\w+))?(?:\s+as\s+(?P<label>[A-Za-z_]\w*))?\s*",
    re.ASCII,
)
LABEL = re.compile(r"\bas\s+([A-Za-z_]\w*)\s*\}", re.ASCII)

# Gives the value of a name; None where it is no name of the file.
Lookup = Callable[[tuple[str, ...], Span], t.Expression | None]


def has_braces(text: t.String) -> bool:
    """Whether anything in a string could have to be replaced."""
    return not text.raw and ("{" in text.value or "}" in text.value)


def interpolated(text: t.String, lookup: Lookup, findings: Findings) -> t.String:
    """A string with the values of names of the file; other braces stay as they are."""
    characters: list[str] = []
    offsets: list[int] = []
    end = 0
    for part in _PART.finditer(text.value):
        inside = _INSIDE.fullmatch(part[1]) if part[1] is not None else None
        value = None if inside is None else _inserted(text, part, inside, lookup, findings)
        if value is None:
            continue
        characters += [text.value[end : part.start()], value]
        offsets += text.offsets[end : part.start()]
        offsets += [text.offsets[part.start()]] * len(value)
        end = part.end()
    if not end:
        return text
    characters.append(text.value[end:])
    offsets += text.offsets[end:]
    return t.String("".join(characters), False, tuple(offsets), text.span)


def _inserted(
    text: t.String,
    part: re.Match[str],
    inside: re.Match[str],
    lookup: Lookup,
    findings: Findings,
) -> str | None:
    """What stands for a placeholder; None where it stays."""
    start = part.start(1) + inside.start("name")
    place = text.place(start, part.start(1) + inside.end("name"))
    value = lookup(tuple(inside["name"].split(".")), place)
    if value is None:
        return None
    if inside["label"]:
        findings.error(
            "ATP142",
            f"`{inside['name']}` is the same in all prompts, and names no place",
            place,
            advice="only slots and columns take an `as`; for this text write"
            f' `pos {inside["label"]} = match(r"...")`',
        )
    if isinstance(value, t.String):
        value = escaped(value)
    try:
        return in_text(value, inside["form"] or "")
    except RefusedError as error:
        findings.error("ATP142", error.message, place, advice=error.advice)
    except ValueError as error:
        advice = "write `{name}`, or `{name:03}` for three digits"
        findings.error("ATP142", f"`{inside['name']}`: {error}", place, advice=advice)
    return ""


def settled(text: t.String, unknown: Callable[[str, Span], None]) -> t.String:
    """A string without placeholders: doubled braces made single, others told.

    Args:
        text: after `interpolated`.
        unknown: is told what stands in a pair of braces, or a brace alone, and where.
    """
    characters: list[str] = []
    offsets: list[int] = []
    end = 0
    for part in _PART.finditer(text.value):
        if part[0] not in ("{{", "}}"):
            unknown(part[0], text.place(part.start(), part.end()))
            continue
        characters.append(text.value[end : part.start() + 1])
        offsets += text.offsets[end : part.start() + 1]
        end = part.end()
    if not end:
        return text
    characters.append(text.value[end:])
    offsets += text.offsets[end:]
    return t.String("".join(characters), False, tuple(offsets), text.span)
