"""How the C library deals with large blocks of memory while a plan is run.

By default it asks the kernel for each large block and gives it back when it is freed; the
kernel then fills every page with zeros anew. A run frees and takes the same blocks over and
over, so that 5 to 10% of its time went there (GPT-2 small's shape, one core). While a plan is
run freed memory is kept instead, and given back at the end.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

# Numbers of glibc's mallopt.
TRIM_THRESHOLD, MAP_THRESHOLD = -1, -3
DEFAULT = 128 * 1024
KEPT = 2**31 - 1


@contextmanager
def keeping_freed_memory() -> Iterator[None]:
    """Freed memory stays with the process for the length of a `with`, where glibc is there."""
    library = ctypes.CDLL(None)
    change, trim = getattr(library, "mallopt", None), getattr(library, "malloc_trim", None)
    if change is None or trim is None:
        yield
        return
    try:
        change(MAP_THRESHOLD, KEPT)
        change(TRIM_THRESHOLD, KEPT)
        yield
    finally:
        change(MAP_THRESHOLD, DEFAULT)
        change(TRIM_THRESHOLD, DEFAULT)
        trim(0)
