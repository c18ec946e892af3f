"""How much memory there is, before it is asked for."""

from __future__ import annotations

import os
from pathlib import Path

from atpdsl.planning.memory import activation_bytes
from atpdsl.planning.plan import Plan
from atpdsl.problems import Label, Problem, RunError

MEMINFO = Path("/proc/meminfo")
CGROUP = Path("/sys/fs/cgroup")


def available_bytes() -> int | None:
    """Memory that this process may still take without swapping; None if nothing tells.

    The smaller of what the machine has free and what the container's limit leaves.
    """
    known = [n for n in (_machine(), _container()) if n is not None]
    return min(known) if known else None


def _machine() -> int | None:
    """Free memory of the machine; all of its memory where only that is told."""
    try:
        for line in MEMINFO.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def _container() -> int | None:
    """What the control group's limit leaves; None without a limit.

    The group's use counts cached files, which make room when asked; they are not counted.
    """
    for limit, usage, statistics in (
        ("memory.max", "memory.current", "memory.stat"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"),
    ):
        try:
            allowed = int((CGROUP / limit).read_text(encoding="ascii"))
            used = int((CGROUP / usage).read_text(encoding="ascii"))
            rows = (CGROUP / statistics).read_text(encoding="ascii").splitlines()
        except (OSError, ValueError):
            continue
        cached = sum(int(row.split()[1]) for row in rows if row.startswith("inactive_file "))
        return max(0, allowed - max(0, used - cached))
    return None


def readable(n_bytes: float) -> str:
    """A number of bytes as a person writes it: `1.1 GB`."""
    for unit in ("B", "kB", "MB"):
        if n_bytes < 999.5:
            return f"{n_bytes:.0f} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.1f} GB"


def check_activations(plan: Plan) -> None:
    """Whether the activations fit, before any run. Weights are looked at when loading.

    Raises:
        RunError: ATP423 when they clearly do not.
    """
    experiment = plan.bound.experiment
    if experiment.run.device not in {"cpu", "auto"}:
        return
    needed, free = activation_bytes(plan), available_bytes()
    if free is None or needed <= free:
        return
    kept = any(plan.verifications)
    raise RunError(
        [
            Problem(
                code="ATP423",
                message=f"not enough memory: this run needs about {readable(needed)} for "
                f"activations, and {readable(free)} are free",
                at=Label(experiment.nodes[0].span, f"{plan.bound.node_count:,} nodes in all"),
                help="choose fewer nodes"
                + (" or pairs (what is verified is kept for all pairs)" if kept else "")
                + ", or a smaller `batch` in `run { ... }`",
            )
        ]
    )


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory could not be had; torch says it in several ways."""
    if isinstance(error, MemoryError):
        return True
    text = str(error)
    return "out of memory" in text or "can't allocate memory" in text
