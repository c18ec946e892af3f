"""Problems that many prompt pairs can have, gathered to one problem per cause."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from atpdsl.problems import Problem, Severity, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A problem met in one pair.

    Attributes:
        cause: tells apart what has the same code and span but is another mistake.
        unit: what is counted when the same is found again: a pair, or a line of a file.
        number: which of them it is; several findings in one count once.
    """

    problem: Problem
    cause: str = ""
    unit: str = "pair"
    number: int | None = None


def gathered(findings: Iterable[Finding]) -> tuple[Problem, ...]:
    """One problem per cause, in order of first appearance, with the number of the others."""
    first: dict[tuple[str, Severity, Span | None, str], Finding] = {}
    places: dict[tuple[str, Severity, Span | None, str], list[int | None]] = {}
    for finding in findings:
        problem = finding.problem
        span = problem.at.span if problem.at else None
        key = (problem.code, problem.severity, span, finding.cause)
        first.setdefault(key, finding)
        places.setdefault(key, []).append(finding.number)
    return tuple(_counted(finding, places[key]) for key, finding in first.items())


def _counted(finding: Finding, places: list[int | None]) -> Problem:
    """The first finding's problem, with the other places; those without number all differ."""
    if len(places) == 1:
        return finding.problem
    known = {place for place in places if place is not None}
    elsewhere = len(known) + places.count(None) - 1
    units = finding.unit if elsewhere == 1 else f"{finding.unit}s"
    more = f"in {elsewhere} more {units}" if elsewhere else f"{len(places) - 1} more like it"
    return replace(finding.problem, message=f"{finding.problem.message}, and {more}")


def has_errors(problems: Iterable[Problem]) -> bool:
    """Whether any of the problems stops the work."""
    return any(problem.severity is Severity.ERROR for problem in problems)
