"""How cost grows with pairs, positions, layers and verified nodes.

Each line has the cost per unit over that of the smallest size: 1 is linear. The exponent is
fitted to all sizes, on logarithmic scales; AtP* grows with the square of the layers, because
each layer is dropped in turn.

    python -m benchmarks.scaling [--sizes small] [--rounds 3] [--short] [--executors native]
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from statistics import median

from benchmarks.experiments import ATP, ATP_STAR, QUESTIONS, Question, present, work
from benchmarks.measuring import Measured, Ratio, Record, Work, contest
from benchmarks.models import loaded
from benchmarks.options import Defaults, Options, read
from benchmarks.prompts import random_pairs
from benchmarks.tables import Report

PLAIN = "AtP, heads q/k/v/z + MLPs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """Something that grows.

    Attributes:
        work: options, executor and size -> what is run.
        beside: what is run too and is taken off: the part of the cost that does not grow.
    """

    name: str
    sizes: tuple[int, ...]
    work: Callable[[Options, str, int], Work]
    beside: Callable[[Options, str], Work] | None = None


def asked_of(
    asked: str | Question,
    options: Options,
    executor: str,
    *,
    pairs: int | None = None,
    tokens: int | None = None,
    layers: int | None = None,
) -> Work:
    """One plan at one size."""
    sizes = replace(options.sizes, layers=layers or options.sizes.layers)
    prompts = random_pairs(pairs or options.pairs, tokens or options.tokens, sizes.vocabulary)
    question = QUESTIONS[asked] if isinstance(asked, str) else asked
    return work(question, prompts, loaded(sizes), executor)


def verified(options: Options, executor: str, nodes: int) -> Work:
    """AtP with so many nodes patched exactly after it."""
    return asked_of(replace(QUESTIONS[PLAIN], verified=nodes), options, executor)


AXES = (
    Axis(
        name="AtP, pairs",
        sizes=(8, 32, 128, 512),
        work=lambda options, who, size: asked_of(ATP, options, who, pairs=size),
    ),
    Axis(
        name="AtP, positions",
        sizes=(8, 16, 32, 64, 128),
        work=lambda options, who, size: asked_of(ATP, options, who, tokens=size),
    ),
    Axis(
        name="AtP, layers",
        sizes=(3, 6, 12, 24),
        work=lambda options, who, size: asked_of(ATP, options, who, layers=size),
    ),
    Axis(
        name="AtP*, layers",
        sizes=(3, 6, 12, 24),
        work=lambda options, who, size: asked_of(ATP_STAR, options, who, layers=size),
    ),
    Axis(
        name="nodes verified",
        sizes=(16, 64, 256, 1024),
        work=verified,
        beside=lambda options, who: asked_of(PLAIN, options, who),
    ),
)
BESIDE = "beside"


def main() -> None:
    """Measure and print."""
    options = read(
        __doc__, rounds=3, short=1, defaults=Defaults(sizes="small", pairs=8, tokens=16)
    )
    report = Report("scaling", "Cost per unit over that of the smallest size", options)
    for axis in AXES:
        for executor in present(options.executors):
            measure(report, options, axis, executor)
    report.finish()


def measure(report: Report, options: Options, axis: Axis, executor: str) -> None:
    """A line for each size, and the exponent."""
    sizes = axis.sizes[: 3 if options.short else None]
    contestants = {str(size): axis.work(options, executor, size) for size in sizes}
    if axis.beside is not None:
        contestants[BESIDE] = axis.beside(options, executor)
    costs = grown(contest(contestants, options.rounds))
    least = sizes[0]
    for size in sizes:
        seconds = costs[size]
        per_unit = [
            (now / size) / (then / least)
            for now, then in zip(seconds, costs[least], strict=True)
        ]
        report.add(
            Record(
                claim=report.claim,
                work=f"{axis.name}: {size}",
                who=executor,
                setting=report.setting,
                seconds=median(seconds),
                reference=f"cost per unit at {least}",
                ratio=Ratio.of(per_unit),
            )
        )
    power = exponent({size: median(seconds) for size, seconds in costs.items()})
    report.note(f"{axis.name}, {executor}: cost grows as size^{power:.2f}")


def grown(times: Mapping[str, Measured]) -> dict[int, list[float]]:
    """The cost of each size by round, without what does not grow."""
    rounds = len(next(iter(times.values())).seconds)
    fixed = times[BESIDE].seconds if BESIDE in times else (0.0,) * rounds
    return {
        int(name): [max(a - b, 1e-9) for a, b in zip(one.seconds, fixed, strict=True)]
        for name, one in times.items()
        if name != BESIDE
    }


def exponent(costs: Mapping[int, float]) -> float:
    """The slope of a straight line through the logarithms, by least squares."""
    points = [(math.log(size), math.log(cost)) for size, cost in costs.items()]
    x, y = (sum(values) / len(points) for values in zip(*points, strict=True))
    return float(
        sum((a - x) * (b - y) for a, b in points) / sum((a - x) ** 2 for a, _ in points)
    )


if __name__ == "__main__":
    main()
