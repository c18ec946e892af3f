"""AtP and AtP* on a CUDA device, against the floor, and what limits them.

A random model in the shape of a 1B Llama, in bfloat16 and float32. Times are wall times from an
empty device to an empty device. Beside them stand the time that the device was at work, the sum
of its kernels as the profiler sees them, and how many kernels there were: where the device was
idle for most of the time, the host could not launch kernels fast enough.

    python -m benchmarks.gpu [--sizes llama-1b] [--pairs 32] [--tokens 32] [--rounds 5]
"""

from __future__ import annotations

import gc
import sys
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch.autograd.profiler_util import DeviceType
from torch.profiler import ProfilerActivity, profile

from benchmarks.experiments import ATP, ATP_STAR, QUESTIONS, present, work
from benchmarks.floor import floor
from benchmarks.measuring import Work, contest
from benchmarks.models import DTYPES, hugging_face, loaded
from benchmarks.options import Defaults, Options, read
from benchmarks.plain import plain_model
from benchmarks.prompts import Pairs
from benchmarks.tables import Report

DEVICE = "cuda"
FLOOR = "floor"
NAMES = (ATP, "AtP + QK fix, heads + MLPs + neurons", ATP_STAR)
BUSY = 0.7
"""The share of the time for which a device is at work that is not waiting for its host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a piece of work puts on the device; times in seconds, one run.

    Attributes:
        host: until the host had launched everything; with what it waits for in between.
        whole: until the device had done everything, by events on the device.
        kernels: how many were launched.
        busy: the sum of their times.
        memory: the peak above what was allocated before, in bytes.
    """

    host: float
    whole: float
    kernels: int
    busy: float
    memory: int

    def __str__(self) -> str:
        share = self.busy / self.whole
        verdict = "launch-bound" if share < BUSY else "device-bound"
        return (
            f"host {1e3 * self.host:.1f} ms of {1e3 * self.whole:.1f} ms,"
            f" device at work {1e3 * self.busy:.1f} ms ({share:.0%}, {verdict}),"
            f" {self.kernels:,} kernels, {self.memory / 2**20:,.0f} MiB"
        )


def main() -> None:
    """Measure and print."""
    options = read(__doc__, rounds=5, defaults=Defaults(sizes="llama-1b", pairs=32, tokens=32))
    if not torch.cuda.is_available():
        sys.exit("there is no CUDA device here; nothing was measured")
    # So that float32 is float32.
    torch.backends.cuda.matmul.allow_tf32 = False
    device = torch.cuda.get_device_name()
    report = Report("gpu", device, options, f"{options.sizes}, {device}")
    few = replace(options, pairs=min(4, options.pairs))
    for dtype in (torch.bfloat16, torch.float32):
        measure(report, (options,) if options.short else (few, options), dtype)
        gc.collect()
        torch.cuda.empty_cache()
    report.finish()


def measure(report: Report, several: tuple[Options, ...], dtype: torch.dtype) -> None:
    """Lines for one dtype, for several numbers of pairs of the same model."""
    sizes = several[0].sizes
    plain = plain_model(
        hugging_face(sizes, attention="sdpa", dtype=dtype, device=DEVICE), sizes
    )
    model = loaded(sizes, dtype=dtype, device=DEVICE)
    for options in several:
        pairs = options.random_pairs().to(DEVICE)
        lines(report, options, plain, model, pairs, DTYPES[dtype])


def lines(
    report: Report, options: Options, plain: Any, model: Any, pairs: Pairs, dtype: str
) -> None:
    """The floor, and every question by every executor."""
    contestants: dict[str, Work] = {f"{FLOOR}|plain torch": partial(floor, plain, pairs)}
    for executor in present(options.executors):
        for name in NAMES:
            contestants[f"{name}|{executor}"] = work(QUESTIONS[name], pairs, model, executor)
    times = contest(contestants, options.rounds, clock=wall_seconds)
    base = times[f"{FLOOR}|plain torch"]
    for key, found in times.items():
        name, _, who = key.partition("|")
        report.line(f"{name}, {dtype}, {pairs}", who, found, (FLOOR, base), unit="s")
        report.note(f"{name}, {who}, {dtype}, {pairs}: {load(contestants[key])}")


def wall_seconds(run: Work) -> float:
    """From an empty device to an empty device."""
    torch.cuda.synchronize()
    began = time.perf_counter()
    run()
    torch.cuda.synchronize()
    return time.perf_counter() - began


def load(run: Work) -> Load:
    """What a run puts on the device: once by the clock, and once under the profiler."""
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    began = time.perf_counter()
    start.record()
    run()
    end.record()
    host = time.perf_counter() - began
    torch.cuda.synchronize()
    memory = torch.cuda.max_memory_allocated() - before
    with profile(activities=[ProfilerActivity.CUDA]) as seen:
        run()
        torch.cuda.synchronize()
    kernels = [event for event in seen.events() or () if event.device_type == DeviceType.CUDA]
    return Load(
        host=host,
        whole=start.elapsed_time(end) / 1e3,
        kernels=len(kernels),
        busy=sum(event.time_range.elapsed_us() for event in kernels) / 1e6,
        memory=memory,
    )


if __name__ == "__main__":
    main()
