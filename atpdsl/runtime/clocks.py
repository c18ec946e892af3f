"""What the stages of a run cost in passes, seconds and memory, and bars that show it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from threading import RLock

from atpdsl.planning.cost import STAGES
from atpdsl.planning.outcome import Counts, Stage
from atpdsl.runtime.executor import Progress, Step
from atpdsl.runtime.peak import watch


@dataclass(slots=True)
class _Clock:
    """Passes, seconds and most bytes of one stage."""

    counts: Counts
    seconds: float
    memory: int
    step: Step


class Clocks:
    """One clock per stage, started when the stage is first heard of.

    Args:
        totals: sequences that each stage will run, by its name.
        stages: closes the bars, and ends what watches the memory.
        devices: whose memory is watched. Where there are several, the seconds of a stage are
            added over them, and its memory is that of the device that took the most.
    """

    def __init__(
        self,
        totals: Mapping[str, int],
        progress: Progress,
        stages: ExitStack,
        devices: Sequence[str] = ("cpu",),
    ) -> None:
        self._totals, self._progress, self._stages = totals, progress, stages
        self._first = devices[0]
        self._peaks = {
            device: stages.enter_context(closing(watch(device))) for device in set(devices)
        }
        self._clocks: dict[str, _Clock] = {}
        self._lock = RLock()

    @contextmanager
    def timed(self, stage: str, device: str | None = None) -> Iterator[None]:
        """Time and memory that belong to a stage, on the first device if none is named."""
        clock, peak = self._clock(stage), self._peaks[device or self._first]
        peak.reset()
        began = time.perf_counter()
        try:
            yield
        finally:
            with self._lock:
                clock.seconds += time.perf_counter() - began
                clock.memory = max(clock.memory, peak.highest())

    def count(self, stage: str, passes: Counts) -> None:
        """Passes that a stage has made."""
        clock = self._clock(stage)
        with self._lock:
            clock.counts += passes
            clock.step.advance(passes.forward_sequences + passes.backward_sequences)

    def finished(self) -> tuple[Stage, ...]:
        """The stages that cost passes, in order."""
        return tuple(
            Stage(name=name, counts=clock.counts, seconds=clock.seconds, memory=clock.memory)
            for name in STAGES
            if (clock := self._clocks.get(name)) is not None and clock.counts != Counts()
        )

    def _clock(self, stage: str) -> _Clock:
        with self._lock:
            if stage not in self._clocks:
                step: Step = _Nothing()
                if total := self._totals.get(stage, 0):
                    bar = self._progress.stage(stage, total, "sequences")
                    step = self._stages.enter_context(bar)
                self._clocks[stage] = _Clock(Counts(), 0.0, 0, step)
            return self._clocks[stage]


class _Nothing:
    def advance(self, count: int) -> None:
        """A stage without passes has nothing to show."""
