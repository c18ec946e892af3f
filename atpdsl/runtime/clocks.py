"""What the stages of a run cost: passes, seconds, and bars that show how far they are."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from atpdsl.planning.cost import STAGES
from atpdsl.planning.outcome import Counts, Stage
from atpdsl.runtime.executor import Progress, Step


@dataclass(slots=True)
class _Clock:
    """Passes and seconds of one stage."""

    counts: Counts
    seconds: float
    step: Step


class Clocks:
    """One clock per stage, started when the stage is first heard of.

    Args:
        totals: sequences that each stage will run, by its name.
        stages: closes the bars.
    """

    def __init__(
        self, totals: Mapping[str, int], progress: Progress, stages: ExitStack
    ) -> None:
        self._totals, self._progress, self._stages = totals, progress, stages
        self._clocks: dict[str, _Clock] = {}

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Time that belongs to a stage."""
        clock = self._clock(stage)
        began = time.perf_counter()
        yield
        clock.seconds += time.perf_counter() - began

    def count(self, stage: str, passes: Counts) -> None:
        """Passes that a stage has made."""
        clock = self._clock(stage)
        clock.counts += passes
        clock.step.advance(passes.forward_sequences + passes.backward_sequences)

    def finished(self) -> tuple[Stage, ...]:
        """The stages that cost passes, in order."""
        return tuple(
            Stage(name=name, counts=clock.counts, seconds=clock.seconds)
            for name in STAGES
            if (clock := self._clocks.get(name)) is not None and clock.counts != Counts()
        )

    def _clock(self, stage: str) -> _Clock:
        if stage not in self._clocks:
            step: Step = _Nothing()
            if total := self._totals.get(stage, 0):
                bar = self._progress.stage(stage, total, "sequences")
                step = self._stages.enter_context(bar)
            self._clocks[stage] = _Clock(Counts(), 0.0, step)
        return self._clocks[stage]


class _Nothing:
    def advance(self, count: int) -> None:
        """A stage without passes has nothing to show."""
