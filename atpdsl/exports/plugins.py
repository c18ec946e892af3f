"""Formats that other packages bring: `Exporter`s in the entry point group `atpdsl.exporters`.

They are looked up only where a name or a suffix is not one of ours, and where formats are
listed. What does not work in them is told with the name of its package, and does no harm.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from importlib import metadata

from atpdsl.exports.exporter import Exporter
from atpdsl.exports.formats import EXPORTERS
from atpdsl.problems import Problem, Severity
from atpdsl.problems.clean import clean

GROUP = "atpdsl.exporters"
CODE = "ATP456"
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_SUFFIX = re.compile(r"(\.[a-z0-9_-]+)+")


@dataclass(frozen=True, slots=True)
class Plugins:
    """What was found: formats, and warnings of those that cannot be used."""

    exporters: tuple[Exporter, ...]
    problems: tuple[Problem, ...]


@cache
def plugins() -> Plugins:
    """The formats of all installed packages, looked up once."""
    found: list[Exporter] = []
    problems = []
    for entry in sorted(metadata.entry_points(group=GROUP), key=lambda e: (e.name, e.value)):
        package = "" if entry.dist is None else str(entry.dist.name)
        loaded = _load(entry)
        reason = loaded if isinstance(loaded, str) else _objection(loaded, found)
        if reason:
            problems.append(_warning(package or entry.value, entry.name, reason))
        elif isinstance(loaded, Exporter):
            found.append(replace(loaded, package=package or entry.value))
    return Plugins(tuple(found), tuple(problems))


def _load(entry: metadata.EntryPoint) -> object:
    """What the entry point names; a text that says why it cannot be had."""
    try:
        return entry.load()
    except Exception as error:  # noqa: BLE001 (code of others may fail in any way)
        return reason_of(error)


def reason_of(error: Exception) -> str:
    """What an error of another package says, on one line."""
    first = clean(str(error).split("\n", maxsplit=1)[0])[:200]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def _objection(loaded: object, others: Iterable[Exporter]) -> str:
    """Why it is no format that can be used; "" if it is."""
    if not isinstance(loaded, Exporter):
        return f"it is no `atpdsl.exports.Exporter` but `{type(loaded).__name__}`"
    if not _well_formed(loaded):
        return "its name is no word, a suffix has no dot before it, or `write` is no function"
    known = (*EXPORTERS, *others)
    if any(loaded.name == other.name for other in known):
        return f"there is a format `{loaded.name}` already"
    taken = {suffix for other in known for suffix in other.suffixes}
    twice = next((suffix for suffix in loaded.suffixes if suffix in taken), None)
    return "" if twice is None else f"there is a format for `{twice}` already"


def _well_formed(loaded: Exporter) -> bool:
    texts = isinstance(loaded.name, str) and isinstance(loaded.summary, str)
    suffixes = isinstance(loaded.suffixes, tuple) and all(
        isinstance(suffix, str) and _SUFFIX.fullmatch(suffix) for suffix in loaded.suffixes
    )
    return bool(texts and suffixes and _NAME.fullmatch(loaded.name) and callable(loaded.write))


def _warning(package: str, name: str, reason: str) -> Problem:
    return Problem(
        code=CODE,
        message=f"the export format `{clean(name)}` of the package `{clean(package)}` cannot "
        f"be used: {reason}",
        help="update or remove that package, or tell its authors",
        severity=Severity.WARNING,
    )
