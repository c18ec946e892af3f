"""The columns of the file that a set of prompts comes from."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from atpdsl.editor.items import Item, ItemSort
from atpdsl.semantics.paths import objection

# A header line is shorter; anything longer is no file of prompts.
MOST_BYTES = 65_536
READABLE = ("csv", "jsonl")


def columns(head: tuple[str, ...], folder: Path | None) -> tuple[str, ...]:
    """The columns that `row.` may name, as `row.a.b` has them.

    Args:
        head: the tokens of a `prompts` statement before its body.
        folder: the spec's folder.
    """
    source = head[head.index("from") + 1 :] if "from" in head else ()
    if folder is None or len(source) < 3 or source[0] not in READABLE:
        return ()
    written = source[2].strip('"')
    line = "" if objection(written, folder=folder) else _first_line(folder / written)
    return _of_table(line) if source[0] == "csv" else _of_object(line)


def column_items(
    head: tuple[str, ...], folder: Path | None, prefix: str = ""
) -> tuple[Item, ...]:
    """The columns that begin with `prefix`, without it, as items of completion."""
    return tuple(
        Item(label=name.removeprefix(prefix), sort=ItemSort.NAME, detail="column")
        for name in columns(head, folder)
        if name.startswith(prefix)
    )


def _first_line(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.readline(MOST_BYTES).decode("utf-8-sig").strip()
    except (OSError, ValueError):
        return ""


def _of_table(line: str) -> tuple[str, ...]:
    try:
        return tuple(next(csv.reader([line]), ()))
    except csv.Error:
        return ()


def _of_object(line: str) -> tuple[str, ...]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return ()
    return tuple(_paths(found, "")) if isinstance(found, dict) else ()


def _paths(found: dict[str, object], prefix: str) -> list[str]:
    """The names of an object, those of objects in it behind a dot."""
    names: list[str] = []
    for key, value in found.items():
        if isinstance(value, dict):
            names += _paths(value, f"{prefix}{key}.")
        else:
            names.append(f"{prefix}{key}")
    return names
