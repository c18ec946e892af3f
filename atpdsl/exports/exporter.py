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
        suffixes: file suffixes with the dot; they choose the format, the longest that fits.
        write: writes the result to a file that does not exist yet; may raise OSError, or
            RunError where the format has no place for what the result holds.
        needs: a module that has to be installed, "" for none; `extra` of atpdsl brings it.
        package: the distribution that brought the format, "" for atpdsl itself.
    """

    name: str
    suffixes: tuple[str, ...]
    summary: str
    write: Callable[[Result, Path], None]
    needs: str = ""
    extra: str = ""
    package: str = ""
