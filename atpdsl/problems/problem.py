"""What the user has to know: a mistake in the spec, or something that cannot be done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from atpdsl.problems.source import Source, Span


class Severity(StrEnum):
    """An error stops the run; a warning is shown and kept with the result."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Label:
    """A place in a source, with a few words said about it there."""

    span: Span
    text: str = ""
    source: Source | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong.

    `message` states it (lower case, no full stop, names in backticks); only `help` advises.
    `at` is the smallest span that shows it, None where no text is to blame (a full disk).
    `code` is a key of `atpdsl.problems.codes.CODES`.
    """

    code: str
    message: str
    at: Label | None = None
    also: tuple[Label, ...] = ()
    help: str = ""
    severity: Severity = Severity.ERROR


class SpecError(Exception):
    """Problems that stop the work; the command line prints them and exits with 1.

    Args:
        problems: at least one problem, in the order in which they are shown.
        source: the spec they are in, if any; labels without a source mean this one.
    """

    def __init__(self, problems: Iterable[Problem], source: Source | None = None) -> None:
        self.problems = tuple(problems)
        self.source = source
        super().__init__("; ".join(f"{p.code}: {p.message}" for p in self.problems))


class RunError(SpecError):
    """Problems met while running, after the spec was found good; exit code 3."""
