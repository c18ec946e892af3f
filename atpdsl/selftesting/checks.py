"""What a self-test found: rows of numbers with what was allowed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """UNCLEAR: the slow twin itself is too coarse in this precision to say anything."""

    OK = "ok"
    FAIL = "FAIL"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check of one node kind.

    Attributes:
        name: what was compared.
        kind: the node kind; empty where the check is not about one.
        numbers: how many were compared: nodes times pairs, parameters, hooks, ...
        error: the largest difference, in the units of what is compared; nan if one of the
            two numbers was not finite.
        allowed: what it may be.
        worst: the node with the largest error.
        unclear: how many numbers were left out, because the twin is not certain enough.
    """

    name: str
    kind: str = ""
    numbers: int
    error: float
    allowed: float
    worst: str = ""
    unclear: int = 0

    @property
    def verdict(self) -> Verdict:
        """Whether the error is within what is allowed; nan is not."""
        if self.numbers == 0 and self.unclear:
            return Verdict.UNCLEAR
        return Verdict.OK if self.error <= self.allowed else Verdict.FAIL


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The checks of one model in one precision, or the analytic cases in one.

    Attributes:
        title: `analytic cases`, or the model's name.
        dtype, device: as run.
        executor: whose numbers these are; empty for the analytic cases.
        skipped: what could not be checked, and why.
    """

    title: str
    dtype: str
    device: str
    checks: tuple[Check, ...]
    executor: str = ""
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest:
    """All parts of a self-test.

    Attributes:
        seed: of the nodes that were drawn.
        seconds: what it took.
    """

    parts: tuple[Part, ...]
    seed: int
    seconds: float

    @property
    def checks(self) -> tuple[Check, ...]:
        """The checks of all parts."""
        return tuple(check for part in self.parts for check in part.checks)

    @property
    def failed(self) -> tuple[Check, ...]:
        """Those whose error is too large."""
        return tuple(c for c in self.checks if c.verdict is Verdict.FAIL)

    @property
    def ok(self) -> bool:
        """Whether none failed."""
        return not self.failed


@dataclass(frozen=True, slots=True)
class Compared:
    """One number of the engine beside that of its twin.

    Attributes:
        node: its name.
        uncertainty: of the twin's number; 0 where it has no error of its own.
    """

    node: str
    found: float
    expected: float
    uncertainty: float = 0.0


def judged(
    name: str, kind: str, compared: Iterable[Compared], *, relative: float, rounding: float
) -> Check:
    """The row of some numbers.

    Args:
        relative: the largest error, in parts of the largest expected number.
        rounding: what it may be on top of that, in the units of the numbers.
    """
    every = list(compared)
    sizes = [abs(one.expected) for one in every if math.isfinite(one.expected)]
    allowed = relative * max(sizes, default=0.0) + rounding
    clear = [one for one in every if not one.uncertainty > allowed / 2]
    errors = [(_distance(one), one.node) for one in clear]
    error, worst = max(errors, key=_size, default=(0.0, ""))
    return Check(
        name=name,
        kind=kind,
        numbers=len(clear),
        error=error,
        allowed=allowed,
        worst=worst,
        unclear=len(every) - len(clear),
    )


def _distance(one: Compared) -> float:
    return abs(one.found - one.expected)


def _size(error: tuple[float, str]) -> tuple[bool, float]:
    """A number that is not finite is the worst there is."""
    return not math.isfinite(error[0]), error[0]
