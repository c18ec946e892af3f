"""Texts and the files that they include, as an editor has them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from atpdsl.elaboration.including import LIBRARY, library_names
from atpdsl.problems import Problem, Source
from atpdsl.semantics.paths import objection
from atpdsl.syntax import tree as t
from atpdsl.syntax.limits import LARGEST
from atpdsl.syntax.parse import parse

LIBRARY_FOLDER = Path(__file__).parents[1] / "library"
SUFFIX = ".atp"
Reader = Callable[[Path], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """The tree of a text and the problems of its form."""

    tree: t.SpecFile
    problems: tuple[Problem, ...]


@lru_cache(maxsize=64)
def parsed(text: str) -> Parsed:
    """A text, parsed; the last few are remembered."""
    tree, problems = parse(Source("spec", text))
    return Parsed(tree=tree, problems=problems)


def read_file(path: Path) -> str | None:
    """The text of a file, None if there is none that a spec could be."""
    try:
        if path.stat().st_size > LARGEST:
            return None
        return path.read_bytes().decode("utf-8-sig")
    except (OSError, ValueError):
        return None


def included_file(written: str, folder: Path | None) -> Path | None:
    """The file that `include "..."` means, whether or not it exists."""
    if written.startswith(LIBRARY):
        name = written.removeprefix(LIBRARY)
        return LIBRARY_FOLDER / f"{name}{SUFFIX}" if name in library_names() else None
    if folder is None or objection(written, folder=folder):
        return None
    return (folder / written).resolve()
