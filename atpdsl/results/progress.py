"""How far a run is: bars on a terminal, a line now and then elsewhere, or nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as Display
    from rich.progress import TaskID

# Seconds between two lines where there is no terminal.
PAUSE = 10.0
# Names of stages are padded to this, so that the bars stand under each other.
NAME_WIDTH = 17
# Bars are drawn by a thread that would otherwise take time from the model's.
DRAWS_PER_SECOND = 4


class Ticker(Protocol):
    """A stage under way."""

    def advance(self, count: int = 1) -> None:
        """`count` more units are done."""
        ...


class Progress(Protocol):
    """Where a run reports its stages; several may be open at once."""

    def stage(self, name: str, total: int | None, unit: str) -> AbstractContextManager[Ticker]:
        """A stage, from entering the context to leaving it.

        Args:
            name: such as `activations`.
            total: how many units it has; None if that is not known.
            unit: what is counted, in the plural, such as `batches`.
        """
        ...


@dataclass(frozen=True, slots=True)
class NoProgress:
    """Reports nothing."""

    @contextmanager
    def stage(self, name: str, total: int | None, unit: str) -> Iterator[Ticker]:  # noqa: ARG002 (the protocol's)
        """A stage that nobody hears of."""
        yield _Silence()


@dataclass(frozen=True, slots=True)
class _Silence:
    def advance(self, count: int = 1) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainProgress:
    """A line when a stage begins and ends, and every `pause` seconds between."""

    stream: TextIO
    clock: Callable[[], float] = time.monotonic
    pause: float = PAUSE

    @contextmanager
    def stage(self, name: str, total: int | None, unit: str) -> Iterator[Ticker]:
        """A stage told in lines."""
        self.say(f"{name} ..." if total is None else f"{name}: {total:,} {unit}")
        start = self.clock()
        lines = _Lines(self, name, total, unit, start=start, last=start)
        yield lines
        lines.finish()

    def say(self, line: str) -> None:
        """Write a line at once."""
        self.stream.write(line + "\n")
        self.stream.flush()


@dataclass(slots=True)
class _Lines:
    """A stage of `PlainProgress`."""

    told: PlainProgress
    name: str
    total: int | None
    unit: str
    start: float = field(kw_only=True)
    last: float = field(kw_only=True)
    done: int = 0
    finished: bool = False

    def advance(self, count: int = 1) -> None:
        self.done += count
        now = self.told.clock()
        if self.total is not None and self.done >= self.total:
            # Stages may be open at once and leave together; this one is over now.
            self.finish()
        elif now - self.last >= self.told.pause:
            self.last = now
            self.told.say(f"{self.name}: {self._state(now - self.start)}")

    def finish(self) -> None:
        """Say once that the stage is over."""
        if self.finished:
            return
        self.finished = True
        took = duration(self.told.clock() - self.start)
        done = f"{self.done:,} {self.unit} in {took}" if self.total else took
        self.told.say(f"{self.name}: done, {done}")

    def _state(self, elapsed: float) -> str:
        if self.total is None:
            return f"{self.done:,} {self.unit}, {duration(elapsed)}"
        left = elapsed * (self.total - self.done) / max(1, self.done)
        return (
            f"{self.done:,} of {self.total:,} {self.unit}, {duration(elapsed)},"
            f" about {duration(left)} left"
        )


class RichProgress:
    """A bar per stage: the time left, or taken once it is done, and counts.

    Stages that are open at once share one display.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._display: Display | None = None
        self._open = 0

    @contextmanager
    def stage(self, name: str, total: int | None, unit: str) -> Iterator[Ticker]:
        """A stage shown as a bar."""
        display = self._display or _display(self._stream)
        if self._display is None:
            self._display = display
            display.start()
        self._open += 1
        bar = _Bar(display, display.add_task(name.ljust(NAME_WIDTH), total=total, counts=""))
        bar.total, bar.unit = total, unit
        bar.advance(0)
        try:
            yield bar
            bar.finish()
        finally:
            self._open -= 1
            if not self._open:
                display.stop()
                self._display = None


def _display(stream: TextIO) -> Display:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    return Bars(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        TextColumn("{task.fields[counts]}", markup=False),
        console=Console(file=stream),
        refresh_per_second=DRAWS_PER_SECOND,
    )


@dataclass(slots=True)
class _Bar:
    """A stage of `RichProgress`."""

    display: Display
    task: TaskID
    total: int | None = None
    unit: str = ""
    done: int = 0

    def advance(self, count: int = 1) -> None:
        self.done += count
        of = "" if self.total is None else f"{self.done:,}/{self.total:,} {self.unit}"
        self.display.update(self.task, advance=count, counts=of)

    def finish(self) -> None:
        """Fill the bar: there may have been less to do than was planned at most."""
        self.display.update(self.task, total=self.done or 1, completed=self.done or 1)


def duration(seconds: float) -> str:
    """A time for people: `3.2 s`, `48 s`, `2 min 5 s`, `1 h 20 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"
