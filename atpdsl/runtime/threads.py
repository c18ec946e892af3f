"""How many threads a model is worth, and how they wait for each other.

torch's threads spin while they wait. On a machine that others use too, that has been measured
to make small models 5 to 45 times slower; waiting passively costs next to nothing. OpenMP
reads the setting once, when torch is imported, so it comes first.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

WAITING: Mapping[str, str] = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0"}
COUNTS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
SMALL = 5_000_000
"""Parameters up to which one thread is fastest: sharing the work costs more than the work."""

MOST = 8
"""Threads beyond which models of the sizes we run hardly gain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadChoice:
    """A number of threads, and who chose it: `spec`, `environment`, `small model`, `cores`.

    Attributes:
        passive: whether threads were told to wait passively, by us or by the user.
    """

    count: int
    chosen_by: str
    passive: bool


def prepare_environment(environment: MutableMapping[str, str] | None = None) -> bool:
    """Asks OpenMP for passive waiting, unless the user set it; before torch is imported.

    Returns:
        Whether it can have an effect: False where torch is imported already.
    """
    settings = os.environ if environment is None else environment
    if not any(name in settings for name in WAITING):
        settings.update(WAITING)
    return "torch" not in sys.modules


def choose_threads(n_parameters: int, *, requested: int | None = None) -> ThreadChoice:
    """The number of threads to run a model of this size with.

    Args:
        n_parameters: the model's size.
        requested: `threads` of the spec, which goes before the environment.
    """
    passive = os.environ.get("OMP_WAIT_POLICY", "").lower() == "passive"
    if requested is not None:
        return ThreadChoice(count=requested, chosen_by="spec", passive=passive)
    if any(name in os.environ for name in COUNTS):
        import torch

        count = torch.get_num_threads()
        return ThreadChoice(count=count, chosen_by="environment", passive=passive)
    if n_parameters <= SMALL:
        return ThreadChoice(count=1, chosen_by="small model", passive=passive)
    return ThreadChoice(count=min(usable_cores(), MOST), chosen_by="cores", passive=passive)


def planned_threads(n_parameters: int, *, requested: int | None = None) -> int:
    """The number that `choose_threads` will choose, without torch."""
    if requested is not None:
        return requested
    for name in COUNTS:
        if name in os.environ:
            # OpenMP takes a list, one number for each level of nesting.
            first = os.environ[name].partition(",")[0].strip()
            return int(first) if first.isdecimal() and int(first) else usable_cores()
    return 1 if n_parameters <= SMALL else min(usable_cores(), MOST)


@contextmanager
def using_threads(choice: ThreadChoice) -> Iterator[None]:
    """Runs torch with a number of threads, and restores the number that was."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(choice.count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def usable_cores() -> int:
    """Physical cores that this process may run on, at least 1; a container's share counts."""
    if hasattr(os, "sched_getaffinity"):
        processors = os.sched_getaffinity(0)
    else:
        processors = set(range(os.cpu_count() or 1))
    cores = {_core(processor) for processor in processors}
    share = _container_share()
    return max(1, len(cores) if share is None else min(len(cores), share))


def _core(processor: int) -> str:
    """The physical core of a processor, as the list of processors that share it."""
    topology = Path(f"/sys/devices/system/cpu/cpu{processor}/topology")
    try:
        return (topology / "thread_siblings_list").read_text(encoding="ascii").strip()
    except OSError:
        return str(processor)


def _container_share(quota: Path = Path("/sys/fs/cgroup/cpu.max")) -> int | None:
    """Whole processors that a container's limit allows, None without a limit."""
    try:
        allowed, period = quota.read_text(encoding="ascii").split()
        return max(1, int(allowed) // int(period))
    except (OSError, ValueError, ZeroDivisionError):
        return None
