"""How fast a machine runs a model: measured curves, corrected by what runs take."""

from __future__ import annotations

import bisect
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from atpdsl.planning.work import Kind, Work

Curve = tuple[tuple[float, float], ...]
"""(operations of a call through one layer, its seconds), rising."""

ELEMENT = 30
"""Operations in whose time one number is read, changed and written."""
DEFAULT_RATE = 4e10
"""Floating-point operations per second and thread that are assumed before anything is measured:
about what one core with AVX-512 reaches on 256 rows of float32."""
DEFAULT_OVERHEAD: Mapping[str, float] = MappingProxyType({"bridge": 2e-3, "native": 2e-4})
"""Seconds that a call through one layer takes at least, by executor."""
DEVICE_RATE: Mapping[str, float] = MappingProxyType({"cuda": 2e13, "mps": 2e12})
"""The same as `DEFAULT_RATE` for a whole accelerator."""
# How much one run moves a stage's correction that earlier runs have made.
WEIGHT = 0.5
# A correction beyond this is a machine that was busy with something else.
LARGEST_FACTOR = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """How long work takes on a machine.

    Attributes:
        curves: for each kind of work.
        factors: what runs took, as a multiple of what the curves say, by stage.
        measured: the curves are from a calibration, not assumed.
        device: where it was measured, as the hardware calls itself.
        runs: how many runs have corrected it.
    """

    curves: Mapping[Kind, Curve]
    factors: Mapping[str, float] = field(default_factory=dict)
    measured: bool = False
    device: str = ""
    runs: int = 0

    @property
    def calibrated(self) -> bool:
        """Whether anything has been measured on this machine."""
        return self.measured or self.runs > 0

    def seconds(self, work: Work, stage: str) -> float:
        """How long an operation takes as part of a stage."""
        load = work.flops + ELEMENT * work.elements
        curve = self.curves[work.kind]
        # What has no calls of its own comes on top of others.
        calls = work.calls
        seconds = calls * at(curve, load / calls) if calls else load * _slope(curve)
        return seconds * self.factors.get(stage, 1.0)

    def corrected(self, estimated: Mapping[str, float], actual: Mapping[str, float]) -> Rates:
        """What a run's stages have taught; `estimated` is what these rates said of them."""
        factors = dict(self.factors)
        for stage, seconds in actual.items():
            said = estimated.get(stage, 0.0)
            if said <= 0 or seconds <= 0:
                continue
            known = factors.get(stage)
            told = (1.0 if known is None else known) * seconds / said
            weight = 1.0 if known is None else WEIGHT
            mixed = told**weight * (known or 1.0) ** (1 - weight)
            factors[stage] = min(max(mixed, 1 / LARGEST_FACTOR), LARGEST_FACTOR)
        return replace(self, factors=factors, runs=self.runs + 1)


def at(curve: Curve, load: float) -> float:
    """The seconds of a call through one layer, between what was measured on a straight line.

    Below the smallest load a call takes what that took: it is what calling costs. Above the
    largest the last rate holds.
    """
    loads = [one for one, _ in curve]
    number = bisect.bisect_left(loads, load)
    if number == 0:
        return curve[0][1]
    if number == len(curve):
        last, seconds = curve[-1]
        return seconds + (load - last) * _slope(curve)
    (low, fast), (high, slow) = curve[number - 1], curve[number]
    return fast + (slow - fast) * (load - low) / (high - low)


def _slope(curve: Curve) -> float:
    """Seconds per operation at the largest load."""
    load, seconds = curve[-1]
    if len(curve) == 1:
        return seconds / load
    before, less = curve[-2]
    return max((seconds - less) / (load - before), 0.25 * seconds / load)


def assumed(executor: str, device: str, threads: int) -> Rates:
    """Rates before anything is measured."""
    # `all` and `split` are CUDA devices; what they share out takes each as long as one alone.
    kind = "cuda" if device in {"all", "split"} else device.partition(":")[0]
    rate = DEVICE_RATE.get(kind, DEFAULT_RATE * threads)
    overhead = DEFAULT_OVERHEAD.get(executor, DEFAULT_OVERHEAD["native"])
    far = 1e12
    curve = ((0.0, overhead), (far, overhead + far / rate))
    return Rates(curves=dict.fromkeys(Kind, curve))
