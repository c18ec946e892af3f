"""Where measured rates are kept: a file in the user's cache, by machine and model.

Reading needs no torch, so that a plan can be estimated in no time. A file, or an entry, that
makes no sense counts as not there, and is written anew after the next measurement.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import platform
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from atpdsl.models.files import cache_folder
from atpdsl.models.shape import ModelShape
from atpdsl.planning.rates import Curve, Rates
from atpdsl.planning.work import Kind

NAME = "rates.json"
# Raised when what the numbers mean changes; entries of others are not read.
FORMAT = 1
MOST_ENTRIES = 200
CPUINFO = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What rates depend on.

    Attributes:
        device: as the spec asks for it; what `auto` is on this machine does not change.
        threads: processor threads.
    """

    shape: ModelShape
    dtype: str
    executor: str
    device: str
    threads: int

    @property
    def key(self) -> str:
        """The entry of the file, readable for people."""
        s = self.shape
        sizes = (s.n_layers, s.n_heads, s.n_kv_heads, s.d_model, s.d_head, s.d_mlp, s.d_vocab)
        model = f"{s.architecture} {'x'.join(map(str, sizes))} {self.dtype}"
        return f"{machine()}; {model}; {self.executor} on {self.device}, {self.threads} threads"


@cache
def machine() -> str:
    """Processor, cores, and the version of torch."""
    cores = os.cpu_count() or 1
    try:
        torch = metadata.version("torch")
    except metadata.PackageNotFoundError:
        torch = "none"
    return f"{_processor()}, {cores} cores, torch {torch}"


def _processor() -> str:
    try:
        lines = CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()


def read_rates(setup: Setup) -> Rates | None:
    """What is known of a setup, None if nothing is."""
    return _rates(_entries().get(setup.key))


def write_rates(setup: Setup, rates: Rates) -> None:
    """Keep rates; the file is written whole or not at all, and need not be writable."""
    entries = {key: entry for key, entry in _entries().items() if _rates(entry) is not None}
    entries.pop(setup.key, None)
    while len(entries) >= MOST_ENTRIES:
        entries.pop(next(iter(entries)))
    entries[setup.key] = {
        "curves": {kind.value: curve for kind, curve in rates.curves.items()},
        "factors": dict(rates.factors),
        "measured": rates.measured,
        "device": rates.device,
        "runs": rates.runs,
    }
    folder = cache_folder()
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=folder, prefix="rates.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"format": FORMAT, "entries": entries}, file, indent=1)
        os.replace(name, folder / NAME)


def _entries() -> dict[str, Any]:
    try:
        data = json.loads((cache_folder() / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        return {}
    entries = data.get("entries")
    return entries if isinstance(entries, dict) else {}


def _rates(entry: object) -> Rates | None:
    """An entry as rates; None where anything in it is not as it was written."""
    if not isinstance(entry, Mapping):
        return None
    curves, factors = entry.get("curves"), entry.get("factors")
    runs, device = entry.get("runs"), entry.get("device")
    if not (isinstance(curves, Mapping) and isinstance(factors, Mapping)):
        return None
    if not (isinstance(runs, int) and isinstance(device, str)):
        return None
    found = {kind: _curve(curves.get(kind.value)) for kind in Kind}
    if not all(_positive(factor) for factor in factors.values()):
        return None
    read = {kind: curve for kind, curve in found.items() if curve is not None}
    if len(read) < len(Kind):
        return None
    return Rates(
        curves=read,
        factors={str(stage): float(factor) for stage, factor in factors.items()},
        measured=entry.get("measured") is True,
        device=device,
        runs=runs,
    )


def _curve(points: object) -> Curve | None:
    """Points with rising loads and positive seconds; None for anything else."""
    if not isinstance(points, list) or not points:
        return None
    found: list[tuple[float, float]] = []
    for point in points:
        if not isinstance(point, list) or len(point) != 2:
            return None
        load, seconds = point
        if not (_number(load) and _positive(seconds)) or load < 0:
            return None
        if found and load <= found[-1][0]:
            return None
        found.append((float(load), float(seconds)))
    return tuple(found) if found[-1][0] > 0 else None


def _number(value: object) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    )


def _positive(value: object) -> bool:
    return isinstance(value, int | float) and _number(value) and value > 0
