"""Contests: the same rounds for everybody, process CPU time, medians of ratios by round.

Needs nothing but the standard library, so that it works in every peer's environment. A round
runs every contestant once, beginning with another one each time, and a ratio is taken within
a round: what slows the machine down for a while slows all of them. CPU time is that of the
whole process, so that threads cannot hide work; `settle` has to be called first.
"""

from __future__ import annotations

import ctypes
import gc
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median, quantiles

Work = Callable[[], object]
# `M_MMAP_MAX` and `M_TRIM_THRESHOLD` of glibc's malloc.h.
NO_MAPPED_BLOCKS, KEEP_FREED = -4, -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A contestant's times, in the order of the rounds, in seconds."""

    name: str
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The typical time."""
        return median(self.seconds)

    def over(self, other: Measured) -> Ratio:
        """How many times as long as another contestant, round by round."""
        return Ratio.of([a / b for a, b in zip(self.seconds, other.seconds, strict=True)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A median over rounds with its quartiles."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, ratios: Sequence[float]) -> Ratio:
        """From the ratio of every round."""
        if len(ratios) < 2:
            return cls(median=ratios[0], low=ratios[0], high=ratios[0])
        low, _, high = quantiles(ratios, n=4, method="inclusive")
        return cls(median=median(ratios), low=low, high=high)

    def __str__(self) -> str:
        return f"{self.median:.2f}"

    @property
    def spread(self) -> str:
        """The quartiles, for the column beside it."""
        return f"{self.low:.2f}-{self.high:.2f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A line of a table, as the summary reads it.

    Attributes:
        claim: what was shown, the name of a script.
        work: what was computed.
        who: an executor, a peer or a plain loop.
        setting: model and prompts.
        seconds: CPU seconds, or whatever `unit` says.
        reference, ratio: what it is compared with, and how many times as much it took.
    """

    claim: str
    work: str
    who: str
    setting: str
    seconds: float
    reference: str
    ratio: Ratio
    unit: str = "CPU s"

    def as_json(self) -> dict[str, object]:
        """For `json.dumps`."""
        return asdict(self)


def settle(*, memory: bool = True) -> None:
    """One thread for torch in this process, and memory that is kept once it was taken.

    By default the C library gives large blocks back when they are freed, and the kernel fills
    them with zeros when they are taken again, or not, depending on what was freed before: the
    same work then takes up to twice the time after another contestant than before it.
    """
    os.environ["OMP_NUM_THREADS"] = "1"
    import torch

    torch.set_num_threads(1)
    change = getattr(ctypes.CDLL(None), "mallopt", None)
    if memory and change is not None:
        change(NO_MAPPED_BLOCKS, 0)
        change(KEEP_FREED, 2**31 - 1)


def cpu_seconds(work: Work) -> float:
    """Process CPU time of one call."""
    gc.collect()
    began = time.process_time()
    work()
    return time.process_time() - began


def contest(
    contestants: Mapping[str, Work],
    rounds: int,
    *,
    clock: Callable[[Work], float] = cpu_seconds,
    warm: int = 1,
) -> dict[str, Measured]:
    """Times of all contestants in so many rounds, after `warm` rounds that do not count."""
    names = list(contestants)
    times: dict[str, list[float]] = {name: [] for name in names}
    # What is there already, models and libraries, need not be looked through before every call.
    gc.collect()
    gc.freeze()
    try:
        for number in range(-warm, rounds):
            first = number % len(names)
            for name in (*names[first:], *names[:first]):
                seconds = clock(contestants[name])
                if number >= 0:
                    times[name].append(seconds)
    finally:
        gc.unfreeze()
    return {n: Measured(name=n, seconds=tuple(s)) for n, s in times.items()}
