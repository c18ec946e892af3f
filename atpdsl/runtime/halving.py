"""What to do when memory runs out: the same again in smaller pieces.

An interpreter that works on items (rows, pairs, streams) in chunks hands the work over:

    halving = Halving(plan.rows_per_call, model.device)
    parts = halving.over(len(rows), lambda chunk: run(rows[chunk]))

`over` calls the work with a slice of the items and goes on behind it. When the work runs out
of memory its slice is halved and tried again, and no later slice is larger: what did not fit
once will not fit afterwards. What was done before is kept. So the work must leave nothing
behind when it fails, and put its results away only at its end.

Work whose items are of several sizes chunks them itself: see `attempt`.

One `Halving` is kept for each thing that is chunked, over the whole run, so that the size that
fits is found once.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from atpdsl.runtime.memory import out_of_memory

T = TypeVar("T")

UNLIMITED = sys.maxsize
"""The size of chunks where only memory limits it."""


class Halving:
    """The size of chunks, smaller after each time that memory ran out.

    Args:
        most: the size to begin with, at least 1.
        device: whose cached memory is given back before another try.

    Attributes:
        size: the most items in a chunk now.
        halved: how often memory ran out.
    """

    def __init__(self, most: int, device: str = "cpu") -> None:
        if most < 1:
            raise ValueError(f"chunks of {most} items")
        self.size = most
        self.halved = 0
        self._device = device

    def over(self, count: int, work: Callable[[slice], T]) -> list[T]:
        """Do the work on all items, chunk by chunk; what it gives, in their order.

        Args:
            count: how many items there are.
            work: called with the slice of items that it is to be done on.

        Raises:
            MemoryError, RuntimeError: as the work did, when not even one item fits.
        """
        found: list[T] = []
        start = 0
        while start < count:
            chunk = slice(start, min(start + self.size, count))
            size = chunk.stop - chunk.start
            done = self.attempt(size, partial(work, chunk), divisible=size > 1)
            if done is not None:
                found.append(done[0])
                start = chunk.stop
        return found

    def attempt(self, size: int, work: Callable[[], T], *, divisible: bool) -> tuple[T] | None:
        """What the work gives; None after memory ran out, with smaller chunks to come.

        Args:
            size: what of `size` it is working on.
            divisible: whether less could be worked on.

        Raises:
            MemoryError, RuntimeError: as the work did, when it is not divisible.
        """
        try:
            return (work(),)
        except (MemoryError, RuntimeError) as error:
            if not divisible:
                raise
            self.smaller(error, size)
        # The error is let go before this: its traceback holds the tensors that were too large.
        free_caches(self._device)
        return None

    def smaller(self, error: BaseException, size: int | None = None) -> int:
        """The size of chunks after a failure, for those who have a loop of their own.

        Args:
            error: what the work raised.
            size: how many items it was working on; as many as a chunk may have if not given.

        Raises:
            BaseException: the error again, where it is not about memory, or where one item
                was too much.
        """
        tried = self.size if size is None else size
        if not out_of_memory(error) or tried <= 1:
            raise error
        self.size = max(1, tried // 2)
        self.halved += 1
        return self.size


def free_caches(device: str = "cpu") -> None:
    """Give back memory that is held for nobody."""
    gc.collect()
    if device.startswith("cuda"):
        import torch

        torch.cuda.empty_cache()
    elif device.startswith("mps"):
        import torch

        torch.mps.empty_cache()
