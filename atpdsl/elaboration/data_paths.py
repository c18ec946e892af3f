"""Paths of data files in included files: they count from there, and end in the project."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from atpdsl.elaboration.modules import Module
from atpdsl.semantics.findings import Findings
from atpdsl.semantics.paths import objection
from atpdsl.syntax import tree as t

PATH_FUNCTIONS = ("lines", "csv", "jsonl", "hf")


def with_path(call: t.Call, home: Module, main: Module, findings: Findings) -> t.Expression:
    """A call of `lines`, `csv` and the like, whose path counts from the spec's folder.

    Args:
        call: with values for its names.
        home: the file in which it is written.
        main: the spec.
        findings: takes the problem of a path that leads elsewhere.
    """
    first = call.arguments[0] if call.arguments else None
    if home.main or first is None or not isinstance(first.value, t.String):
        return call
    path = first.value
    reason = objection(path.value)
    if not reason and _of_the_hub(call, path.value, home):
        return call
    if home.shipped:
        reason = "files of the library bring no data files"
    if reason:
        findings.error(
            "ATP117",
            f"this path cannot be read: {reason}",
            path.span,
            advice="name a file in the folder of this file or below it, as `data/pairs.csv`",
        )
        return call
    arguments = (replace(first, value=_moved_path(path, home.folder, main.folder)),)
    return t.Call(call.function, (*arguments, *call.arguments[1:]), call.span)


def _of_the_hub(call: t.Call, path: str, home: Module) -> bool:
    """Whether this is the name of a data set of the hub, which is the same everywhere."""
    hub = isinstance(call.function, t.Name) and call.function.text == "hf"
    return hub and not path.startswith(".") and not (home.folder / path).exists()


def _moved_path(path: t.String, home: Path, main: Path) -> t.String:
    if home == main:
        return path
    folder = os.path.relpath(home, main).replace(os.sep, "/")
    dotted = path.value.startswith("./") and not folder.startswith("..")
    before = f"./{folder}/" if dotted else f"{folder}/"
    value = before + path.value.removeprefix("./")
    offsets = path.offsets[len(path.value) - len(path.value.removeprefix("./")) :]
    first = path.offsets[0]
    return t.String(value, path.raw, (*(first for _ in before), *offsets), path.span)
