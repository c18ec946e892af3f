"""Devices that share the pairs of a run: an engine each, and a thread to work with it.

A batch belongs to one device from its first run to its last, and what is computed of it is
computed there. Only sums over pairs meet, in the order of the batches, in the thread that asked
for them. So the numbers do not depend on how many devices there are, as far as the devices
themselves round alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import TypeVar

import torch

from atpdsl.planning.plan import Batch, Plan
from atpdsl.runtime.engine import Engine
from atpdsl.runtime.halving import UNLIMITED, Halving

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Worker:
    """One device.

    Attributes:
        rows: tokens of the patched rows in one call.
        streams: numbers in GradDrop's gradients that go through a block together.
    """

    engine: Engine
    rows: Halving
    streams: Halving

    @property
    def device(self) -> str:
        """As torch writes it."""
        return self.engine.model.device


class Workers:
    """All devices of a run. With one of them everything happens in the calling thread.

    Args:
        plan: whose batches are dealt out, one after the other.
    """

    def __init__(self, engines: Sequence[Engine], plan: Plan) -> None:
        self.all = tuple(_worker(engine, plan) for engine in engines)
        # By pair: batches may be cut on the way, and what is there of them stays where it is.
        self._of_pair = {
            pair: batch.number % len(engines) for batch in plan.batches for pair in batch.pairs
        }
        self._threads: list[ThreadPoolExecutor] = []
        self._stack = ExitStack()

    def __enter__(self) -> Workers:
        """Start the threads."""
        if len(self.all) > 1:
            count = torch.get_num_threads()
            self._threads = [
                self._stack.enter_context(
                    ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(count,))
                )
                for _ in self.all
            ]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End them."""
        self._stack.close()

    def of(self, batch: Batch) -> Worker:
        """The device of a batch."""
        return self.all[self._of_pair[batch.pairs[0]]]

    def in_order(self, jobs: Sequence[tuple[Batch, Callable[[], T]]]) -> Iterator[T]:
        """What each job gives, in their order; each is done by the device of its batch.

        A job that fails ends the others that have not begun.
        """
        if not self._threads:
            for _, job in jobs:
                yield job()
            return
        futures = [
            self._threads[self._of_pair[batch.pairs[0]]].submit(_without_graphs, job)
            for batch, job in jobs
        ]
        try:
            for future in futures:
                yield future.result()
        finally:
            for future in futures:
                future.cancel()
            wait(futures)


def _worker(engine: Engine, plan: Plan) -> Worker:
    device = engine.model.device
    streams = engine.streams_at_once if plan.streams_per_call is None else plan.streams_per_call
    return Worker(engine, Halving(UNLIMITED, device), Halving(max(1, streams), device))


def _without_graphs(job: Callable[[], T]) -> T:
    # Gradient modes belong to a thread.
    with torch.inference_mode(mode=False), torch.no_grad():
        return job()
