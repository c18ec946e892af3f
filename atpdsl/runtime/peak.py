"""How much memory a piece of work takes at most, beyond what was taken before.

On a CUDA device the allocator tells. Elsewhere it is the resident memory of the process: Linux
keeps its high-water mark, and lets it be set back; where that is not allowed a thread looks
every few milliseconds. Other systems only tell the highest mark ever, so that work that stays
below what came before it counts as nothing.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import threading
from pathlib import Path
from typing import Protocol

CLEAR_REFS = Path("/proc/self/clear_refs")
STATM = Path("/proc/self/statm")
STATUS = Path("/proc/self/status")
# What to write there to set the high-water mark back (proc_pid_clear_refs(5)).
RESET_HIGHEST = b"5"
PAUSE = 0.002
"""Seconds between two looks of the thread."""


class Peak(Protocol):
    """The most memory since it was last set back."""

    def reset(self) -> None:
        """Forget what was the most so far."""
        ...

    def highest(self) -> int:
        """Bytes beyond those when the watch began, at most since the last `reset`."""
        ...

    def close(self) -> None:
        """Stop watching."""
        ...


def watch(device: str = "cpu") -> Peak:
    """The best way there is to watch the memory of a device."""
    if device.startswith("cuda"):
        return _Cuda(device)
    if not STATM.is_file():
        return _Grown()
    return _Resident() if _set_back() else _Sampled()


def _resident() -> int:
    """Resident bytes of this process, now."""
    pages = int(STATM.read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _trim() -> None:
    """Give back what the C library keeps of memory that was freed.

    Otherwise new work would use it, and seem to take less than it does.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _set_back() -> bool:
    """Set the high-water mark to what is resident now; False where that is not allowed."""
    try:
        descriptor = os.open(CLEAR_REFS, os.O_WRONLY)
    except OSError:
        return False
    try:
        return os.write(descriptor, RESET_HIGHEST) > 0
    except OSError:
        return False
    finally:
        os.close(descriptor)


def _marked() -> int:
    """The high-water mark since it was set back, in bytes.

    `getrusage` knows it too, but takes over what the parent process had at most (execve(2)
    keeps it), and never forgets.
    """
    lines = STATUS.read_text(encoding="ascii", errors="replace").splitlines()
    mark = next((line for line in lines if line.startswith("VmHWM:")), "VmHWM: 0 kB")
    return int(mark.split()[1]) * 1024


def _high_water() -> int:
    """The largest resident size so far in bytes; 0 where nothing tells."""
    if sys.platform == "win32":
        return 0
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # macOS says bytes, others kilobytes.
    return most if sys.platform == "darwin" else most * 1024


class _Resident:
    """The kernel's high-water mark, set back before each piece of work."""

    def __init__(self) -> None:
        _trim()
        self._before = _resident()

    def reset(self) -> None:
        _set_back()

    def highest(self) -> int:
        return max(0, _marked() - self._before)

    def close(self) -> None:
        """Nothing goes on by itself."""


class _Grown:
    """The high-water mark where it cannot be set back."""

    def __init__(self) -> None:
        self._before = self._mark = _high_water()

    def reset(self) -> None:
        self._mark = _high_water()

    def highest(self) -> int:
        now = _high_water()
        return now - self._before if now > self._mark else 0

    def close(self) -> None:
        """Nothing goes on by itself."""


class _Sampled:
    """A thread that looks again and again."""

    def __init__(self) -> None:
        _trim()
        self._before = self._most = _resident()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True, name="peak memory")
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(PAUSE):
            self._most = max(self._most, _resident())

    def reset(self) -> None:
        self._most = _resident()

    def highest(self) -> int:
        return max(0, max(self._most, _resident()) - self._before)

    def close(self) -> None:
        self._over.set()
        self._thread.join()


class _Cuda:
    """What torch's allocator says of a device; what it keeps for later does not count."""

    def __init__(self, device: str) -> None:
        import torch

        self._cuda = torch.cuda
        self._device = device
        self._before = torch.cuda.memory_allocated(device)

    def reset(self) -> None:
        self._cuda.reset_peak_memory_stats(self._device)

    def highest(self) -> int:
        return max(0, self._cuda.max_memory_allocated(self._device) - self._before)

    def close(self) -> None:
        """Nothing goes on by itself."""
