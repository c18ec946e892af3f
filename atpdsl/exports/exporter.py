"""What an exporter is: a format that a result can be written in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from atpdsl.results.result import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporter:
    """A format.

    Attributes:
        name: as in a spec, `csv("scores.txt")`.
        suffixes: file suffixes with the dot; they choose the format.
        write: writes the result to a file that does not exist yet; may raise OSError.
    """

    name: str
    suffixes: tuple[str, ...]
    summary: str
    write: Callable[[Result, Path], None]
