"""Estimates and exact effects of a handful of nodes, made by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from atpdsl.binding.nodeset import NodeSet
from atpdsl.planning.outcome import Counts, MethodOutcome, Outcome, Stage, Visits
from atpdsl.results.compare_methods import Estimation
from atpdsl.semantics.experiment import Direction
from tests.results.samples import call, statistics

PAIRS = 4


def nodes(count: int) -> tuple[NodeSet, NodeSet]:
    """Two node sets with `count` nodes in all, the first has one."""
    first = NodeSet(kind="heads.z", layers=(0,), indices=(0,), positions=("1",))
    others = tuple(str(position) for position in range(1, count))
    return first, NodeSet(kind="mlp", layers=(1,), indices=(0,), positions=others)


def method(
    values: Sequence[float],
    label: str = "atp",
    name: str = "atp",
    *,
    visits: tuple[Sequence[int], Sequence[int]] | None = None,
    direction: str = "noising",
    means: Sequence[float] | None = None,
) -> MethodOutcome:
    """A method with the values as `mean_abs`; `means` are a third of them if left out."""
    array = np.asarray(values, float)
    sets = nodes(len(array))
    parts = [
        statistics(part.reshape(s.shape)) for part, s in zip(split(array), sets, strict=True)
    ]
    if means is not None:
        signed = split(np.asarray(means, float))
        for part, mean in zip(parts, signed, strict=True):
            part.mean[...] = mean.reshape(part.mean.shape)
    return MethodOutcome(
        call=call(label, name, direction),
        exact=name == "ap",
        sets=sets,
        statistics=tuple(parts),
        visits=None
        if visits is None
        else Visits(nodes=np.array(visits[0]), spent=np.array(visits[1])),
    )


def split(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return values[:1], values[1:]


def outcome(*methods: MethodOutcome) -> Outcome:
    return Outcome(
        methods=methods,
        verified=(),
        clean_metric=np.full(PAIRS, 3.0),
        corrupted_metric=np.full(PAIRS, -3.0),
        stages=(Stage(name="patching", counts=Counts(forward_sequences=9), seconds=0.1),),
    )


def estimation(runs: float = 4.0, sets: float = 0.0) -> Estimation:
    return Estimation(runs=runs, sets=sets, counts=Counts(forward_sequences=2))


def everywhere(count: int, without: Sequence[int] = ()) -> Mapping[Direction, np.ndarray]:
    mask = np.ones(count, bool)
    mask[list(without)] = False
    return dict.fromkeys(Direction, mask)
