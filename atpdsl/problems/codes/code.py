"""What a problem code is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A kind of problem, as `atpdsl explain CODE` tells it.

    Attributes:
        code: `ATPnnn`.
        title: the problem in a few words.
        explanation: why it is one, and what to do; plain text, paragraphs apart by a blank
            line.
        bad, good: a piece of a spec that has the problem, and one that has not; "" where no
            spec shows it.
    """

    code: str
    title: str
    explanation: str
    bad: str
    good: str
