"""What the user has to know: a mistake in the spec, or something that cannot be done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
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
class Fix:
    """A change that mends a problem: the text at `span` becomes `text`.

    Attributes:
        title: what the change does, as an editor shows it.
    """

    span: Span
    text: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong.

    `message` states it (lower case, no full stop, names in backticks); only `help` advises.
    `at` is the smallest span that shows it, None where no text is to blame (a full disk).
    `code` is a key of `atpdsl.problems.codes.CODES`. `fix` is the change that `help` tells of,
    where it can be made without asking.
    """

    code: str
    message: str
    at: Label | None = None
    also: tuple[Label, ...] = ()
    help: str = ""
    severity: Severity = Severity.ERROR
    fix: Fix | None = None

    def placed(self, source: Source | None) -> Problem:
        """The same with a source in every label, and places counted in that source.

        The fix is in the source of `at`, too; one that is not is left out.

        Args:
            source: the text that labels without a source are in, included files and all.
        """
        return replace(
            self,
            at=None if self.at is None else _placed(self.at, source),
            also=tuple(_placed(label, source) for label in self.also),
            fix=_fix_in_place(self, source),
        )


def _placed(label: Label, source: Source | None) -> Label:
    origin = label.source or source
    if origin is None:
        return label
    part, span = origin.locate(label.span)
    return Label(span, label.text, part)


def _fix_in_place(problem: Problem, source: Source | None) -> Fix | None:
    fix, at = problem.fix, problem.at
    if fix is None or at is None:
        return None
    origin = at.source or source
    if origin is None:
        return fix
    part, span = origin.locate(fix.span)
    return replace(fix, span=span) if part == origin.locate(at.span)[0] else None


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
