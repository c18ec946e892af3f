"""What results are held to: every line of `expect` with how it went, however it was asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from atpdsl.cli.points import spell
from atpdsl.problems import Problem
from atpdsl.results.record import ExpectationRecord, Record


class Outcome(StrEnum):
    """How a line went. What cannot be decided is not fulfilled, either."""

    HOLDS = "holds"
    FAILS = "fails"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A line of `expect`.

    Attributes:
        text: as written.
        detail: what was found, or why nothing can be said.
    """

    text: str
    outcome: Outcome
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """What one run was held to.

    Attributes:
        name: of the spec.
        subject: the spec file or the result folder, as it was named.
        point: the values of the sweep's names, where there is one.
        cases: its expectations.
        problems: why there is no result; then there are no cases.
        seconds: wall time of the run.
        started: of the run, UTC; "" where there was none.
    """

    name: str
    subject: str
    point: tuple[tuple[str, str], ...] = ()
    cases: tuple[Case, ...] = ()
    problems: tuple[Problem, ...] = ()
    seconds: float = 0.0
    started: str = ""

    @property
    def title(self) -> str:
        """What to call it: the subject and the point."""
        return f"{self.subject} ({spell(self.point)})" if self.point else self.subject

    @property
    def ok(self) -> bool:
        """Whether there is a result and all that is expected of it holds."""
        return not self.problems and all(c.outcome is Outcome.HOLDS for c in self.cases)


def judged(record: Record, subject: str) -> Suite:
    """A result with what its spec expects."""
    return Suite(
        name=record.spec.name,
        subject=subject,
        point=tuple(record.spec.point.items()),
        cases=tuple(_cases(record)),
        seconds=record.host.seconds,
        started=record.host.started,
    )


def _cases(record: Record) -> Iterable[Case]:
    if record.expectations:
        return [_case(one) for one in record.expectations]
    asked = record.spec.resolved.get("expectations")
    if not isinstance(asked, list):
        return []
    # A run that computes nothing, as with the executor `null`, is not judged.
    why = f"nothing was computed (executor {record.provenance.executor})"
    return [Case(text=str(text), outcome=Outcome.UNDECIDED, detail=why) for text in asked]


def _case(one: ExpectationRecord) -> Case:
    if one.holds:
        return Case(text=one.text, outcome=Outcome.HOLDS, detail="; ".join(one.found))
    outcome = Outcome.UNDECIDED if one.undecided else Outcome.FAILS
    reasons = [*one.found, one.undecided] if one.undecided else one.found
    return Case(text=one.text, outcome=outcome, detail="; ".join(reasons))
