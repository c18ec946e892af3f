"""`slot` lines: names and the words that they are drawn from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from atpdsl.problems import Label, Span
from atpdsl.semantics.experiment import Slot
from atpdsl.semantics.findings import Findings
from atpdsl.semantics.paths import objection
from atpdsl.semantics.texts import read_words
from atpdsl.syntax import tree as t

RESERVED = ("row", "last", "every", "sequence", "other")
LARGEST_LIST = 1 << 20


def read_slots(lines: Iterable[t.SlotLine], base: Path, findings: Findings) -> tuple[Slot, ...]:
    """The slots of a `prompts` block, names checked to be new."""
    seen: dict[str, Span] = {}
    slots: list[Slot] = []
    for line in lines:
        for name in line.names:
            _check_name(name, seen, findings)
            seen.setdefault(name.text, name.span)
        if line.where is not None:
            findings.not_yet("a `where` of a slot", line.where.span)
        values = _values(line.values, base, findings)
        names = tuple(dict.fromkeys(name.text for name in line.names))
        slots.append(Slot(names=names, values=values, span=line.values.span))
    return tuple(slots)


def _check_name(name: t.Name, seen: dict[str, Span], findings: Findings) -> None:
    if name.text in RESERVED:
        findings.error(
            "ATP205",
            f"a slot cannot be called `{name.text}`",
            name.span,
            advice="that word means something else in prompts; choose another",
        )
    elif name.text in seen:
        findings.error(
            "ATP205",
            f"there is a slot `{name.text}` already",
            name.span,
            advice="give it another name",
            also=(Label(seen[name.text], "the first is here"),),
        )


def _values(value: t.Expression, base: Path, findings: Findings) -> tuple[str, ...]:
    before = len(findings)
    if isinstance(value, t.Call):
        words = _lines(value, base, findings)
    else:
        words = read_words(value, findings)
    if not words and len(findings) == before:
        findings.error(
            "ATP204", "this list is empty", value.span, advice="put the slot's words in it"
        )
    return words


def _lines(call: t.Call, base: Path, findings: Findings) -> tuple[str, ...]:
    """`lines("words.txt")`: a file's lines without the empty ones."""
    path = path_argument(call, "lines", findings)
    if path is None:
        return ()
    place = path.span
    try:
        with (base / path.value).open("rb") as file:
            content = file.read(LARGEST_LIST + 1)
        if len(content) > LARGEST_LIST:
            message = f"`{path.value}` has more than {LARGEST_LIST:,} bytes"
            findings.error("ATP247", message, place, advice="keep only the words needed")
            return ()
        lines = content.decode("utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        message = f"`{path.value}` cannot be read: {reason}"
        findings.error("ATP246", message, place, advice="a path starts at the spec's folder")
        return ()
    return tuple(line.strip() for line in lines if line.strip())


def path_argument(call: t.Call, name: str, findings: Findings) -> t.String | None:
    """The path in `name("path")`; None (and a problem) if the call is not of this form."""
    called = call.function.text if isinstance(call.function, t.Name) else ""
    first = call.arguments[0] if len(call.arguments) == 1 else None
    plain = first is not None and first.name is None and first.position is None
    if called != name or first is None or not plain or not isinstance(first.value, t.String):
        message = f"`{name}` wants one path" if called == name else "words are wanted here"
        findings.error("ATP108", message, call.span, advice=f'write `{name}("file")`')
        return None
    reason = objection(first.value.value)
    if reason:
        findings.error(
            "ATP117",
            f"this path cannot be read: {reason}",
            first.value.span,
            advice="name a file in the spec's folder or below it, as `data/pairs.csv`",
        )
        return None
    return first.value
