"""The files of the library, as they describe themselves."""

from __future__ import annotations

import re
from dataclasses import dataclass

from atpdsl.elaboration.including import library_names, library_path

_SET = re.compile(r"^prompts +(\w+)", re.MULTILINE)
_METRIC = re.compile(r"Metric:\s+`([^`]+)`")
DEFAULT_METRIC = "logit_diff at last"


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryFile:
    """A file that `include "lib:NAME"` takes.

    Attributes:
        title: the first sentence of its description.
        doc: all of it, line by line.
        sets: its sets of prompts; a file without any only has names.
        metric: the one that its prompts are made for, with its position.
    """

    name: str
    title: str
    doc: tuple[str, ...]
    sets: tuple[str, ...]
    metric: str

    @property
    def main(self) -> str:
        """The set of prompts that stands for the task."""
        return self.name if self.name in self.sets else self.sets[0]


def library() -> tuple[LibraryFile, ...]:
    """All files, in the order of their names."""
    return tuple(_read(name) for name in library_names())


def tasks() -> tuple[LibraryFile, ...]:
    """The files that have prompts."""
    return tuple(file for file in library() if file.sets)


def _read(name: str) -> LibraryFile:
    text = library_path(name).read_text(encoding="utf-8")
    doc: list[str] = []
    for line in text.split("\n"):
        if line.startswith("##"):
            doc.append(line.lstrip("#").strip())
        elif doc:
            break
    metric = _METRIC.search(" ".join(doc))
    return LibraryFile(
        name=name,
        title=doc[0].rstrip(".") if doc else "",
        doc=tuple(doc),
        sets=tuple(_SET.findall(text)),
        metric=metric[1] if metric else DEFAULT_METRIC,
    )
