"""The executor that is tested beside the one on the bridge, which works on every model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from atpdsl.selftesting.against_twins import Bench
from atpdsl.selftesting.checks import Check, Compared, judged
from atpdsl.selftesting.subject import PATCHING, STAR, Asked, measured, name_of, signed


def executors(bench: Bench, *, estimated: bool) -> Iterator[Check]:
    """All nodes in all pairs, by both executors.

    Args:
        estimated: whether the metric has a gradient.
    """
    if estimated:
        yield from _both(bench, STAR, "AtP*, through the bridge", bench.precision.relative)
    yield from _both(bench, PATCHING, "patching, through the bridge", 0.0)


def _both(bench: Bench, asked: Asked, name: str, relative: float) -> Iterator[Check]:
    bridged = replace(bench.subject, executor="bridge")
    mine, theirs = (
        measured(subject, bench.nodes, asked) for subject in (bench.subject, bridged)
    )
    for kind in bench.kinds():
        numbers = [n for n, node in enumerate(bench.nodes) if node.kind == kind]
        compared = [
            Compared(name_of(bench.nodes[number]), float(one), float(other))
            for number in numbers
            for one, other in zip(signed(mine, number), signed(theirs, number), strict=True)
            if not (np.isnan(one) and np.isnan(other))
        ]
        rounding = bench.precision.rounding
        yield judged(name, kind, compared, relative=relative, rounding=rounding)
