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
    """

    problem: Problem
    cause: str = ""
    unit: str = "pair"


def gathered(findings: Iterable[Finding]) -> tuple[Problem, ...]:
    """One problem per cause, in order of first appearance, with the number of the others."""
    first: dict[tuple[str, Severity, Span | None, str], Finding] = {}
    counts: dict[tuple[str, Severity, Span | None, str], int] = {}
    for finding in findings:
        problem = finding.problem
        span = problem.at.span if problem.at else None
        key = (problem.code, problem.severity, span, finding.cause)
        first.setdefault(key, finding)
        counts[key] = counts.get(key, 0) + 1
    return tuple(_counted(finding, counts[key] - 1) for key, finding in first.items())


def _counted(finding: Finding, more: int) -> Problem:
    if not more:
        return finding.problem
    units = finding.unit if more == 1 else f"{finding.unit}s"
    message = f"{finding.problem.message}, and in {more} more {units}"
    return replace(finding.problem, message=message)


def has_errors(problems: Iterable[Problem]) -> bool:
    """Whether any of the problems stops the work."""
    return any(problem.severity is Severity.ERROR for problem in problems)
