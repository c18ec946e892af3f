"""Prompts and node sets on which engine and oracle are compared, and the call of each."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from atpdsl.binding.nodeset import WHOLE, NodeSet
from atpdsl.metrics import METRICS
from atpdsl.semantics.experiment import Direction
from tests.engine import run_engine
from tests.metrics.formulas import metric_call
from tests.oracle import metrics
from tests.oracle.families import KINDS, VECTOR_KINDS
from tests.oracle.plain import capture, every_effect, every_finite_difference, run
from tests.small_models import FAMILIES, PARALLEL

Floats = NDArray[np.float64]

FAMILIES_AND_KINDS = [
    (family, kind)
    for family in FAMILIES
    for kind in KINDS
    if not (kind == "resid.mid" and family in PARALLEL)
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Prompt pairs with one answer and one foil each."""

    clean: list[list[int]]
    corrupted: list[list[int]]
    answers: list[int]
    foils: list[int]

    def only(self, pair: int) -> Pairs:
        """One pair alone."""
        here = slice(pair, pair + 1)
        return Pairs(
            clean=self.clean[here],
            corrupted=self.corrupted[here],
            answers=self.answers[here],
            foils=self.foils[here],
        )

    def sides(self, direction: Direction) -> tuple[torch.Tensor, torch.Tensor]:
        """Base and donor tokens, [pair, pos]; all prompts must have one length."""
        clean, corrupted = torch.tensor(self.clean), torch.tensor(self.corrupted)
        return (clean, corrupted) if direction is Direction.NOISING else (corrupted, clean)

    @property
    def longest(self) -> int:
        """Tokens of the longest prompt."""
        return max(map(len, self.clean))


# A prompt has the token 0 inside, which is what shorter prompts are filled up with; sliding
# windows of 4 tokens are shorter than the prompts.
SAME_LENGTH = Pairs(
    clean=[[0, 11, 23, 7, 42, 5], [0, 19, 3, 3, 8, 51], [0, 2, 31, 0, 60, 14]],
    corrupted=[[0, 11, 58, 7, 42, 5], [0, 30, 3, 9, 8, 2], [0, 2, 31, 44, 0, 14]],
    answers=[4, 17, 25],
    foils=[9, 33, 50],
)
UNEQUAL = Pairs(
    clean=[[0, 11, 23, 7, 0, 5], [0, 19, 3], [0, 2, 31, 8, 60, 14, 21, 0], [0, 5, 6, 7]],
    corrupted=[[0, 11, 58, 7, 0, 5], [0, 30, 4], [0, 2, 9, 8, 0, 14, 27, 0], [0, 6, 5, 7]],
    answers=[4, 17, 25, 60],
    foils=[9, 33, 50, 1],
)
EQUAL_PROMPTS = replace(SAME_LENGTH, corrupted=SAME_LENGTH.clean)


def engine(
    model: nn.Module,
    pairs: Pairs,
    nodes: Sequence[NodeSet],
    *,
    metric: str = "logit_diff",
    method: str = "ap",
    direction: Direction = Direction.NOISING,
    batch: int | None = None,
    executor: str = "bridge",
) -> list[Floats]:
    """The engine's values; it gets a copy of the model, which stays plain for the oracle."""
    return run_engine(
        copy.deepcopy(model),
        type(model).__name__,
        pairs.clean,
        pairs.corrupted,
        pairs.answers,
        pairs.foils,
        metric if metric in METRICS else metric_call(metric),
        list(nodes),
        method,
        direction,
        batch,
        executor=executor,
    )


def kinds_of(model: nn.Module) -> list[str]:
    """The kinds that a model has."""
    found = {kind for kind, _ in capture(model, torch.tensor([[0, 1]]))}
    return [kind for kind in KINDS if kind in found]


def node_set(model: nn.Module, kind: str, positions: Sequence[str]) -> NodeSet:
    """All layers and indices of a kind at some positions."""
    found = capture(model, torch.tensor([[0, 1]]))
    indices = 1 if kind in VECTOR_KINDS else found[kind, 0].shape[2]
    return NodeSet(
        kind=kind,
        layers=tuple(layer for name, layer in sorted(found) if name == kind),
        indices=tuple(range(indices)),
        positions=tuple(positions),
    )


def every_position(pairs: Pairs) -> tuple[str, ...]:
    """The label of each position of the longest prompt."""
    return tuple(str(position) for position in range(pairs.longest))


def node_sets(model: nn.Module, pairs: Pairs, *, whole: bool = False) -> list[NodeSet]:
    """Every node of every kind; one node per sequence if `whole`."""
    positions = (WHOLE,) if whole else every_position(pairs)
    return [node_set(model, kind, positions) for kind in kinds_of(model)]


def oracle_metric(model: nn.Module, pairs: Pairs, name: str) -> metrics.Metric:
    """A metric by hand; divergence is from the clean run whatever is patched."""
    clean, _ = pairs.sides(Direction.NOISING)
    answers = [[token] for token in pairs.answers]
    foils = [[token] for token in pairs.foils]
    return {
        "logit_diff": lambda: metrics.logit_diff(answers, foils),
        "prob_diff": lambda: metrics.prob_diff(answers, foils),
        "logprob": lambda: metrics.logprob(answers),
        "nll": lambda: metrics.nll(answers),
        "kl": lambda: metrics.kl(run(model, clean)),
        "entropy": metrics.entropy,
    }.get(name, lambda: metrics.computed(name, answers, foils, run(model, clean)))()


def oracle(
    model: nn.Module,
    pairs: Pairs,
    kind: str,
    *,
    metric: str = "logit_diff",
    method: str = "ap",
    direction: Direction = Direction.NOISING,
    whole: bool = False,
) -> Floats:
    """The oracle's values for every node of a kind, [pair, layer, index, position].

    Prompts of unequal length go through one pair at a time, with nan for positions that a
    prompt does not have: there is no padding in the oracle.
    """
    table = every_effect if method == "ap" else every_finite_difference

    def values(some: Pairs) -> Floats:
        base, donor = some.sides(direction)
        by_hand = oracle_metric(model, some, metric)
        return table(model, base, donor, kind, by_hand, whole=whole).numpy()

    if len({len(prompt) for prompt in pairs.clean}) == 1:
        return values(pairs)
    each = [values(pairs.only(pair)) for pair in range(len(pairs.clean))]
    longest = max(found.shape[-1] for found in each)
    padding = [((0, 0), (0, 0), (0, 0), (0, longest - found.shape[-1])) for found in each]
    return np.concatenate(
        [np.pad(f, p, constant_values=np.nan) for f, p in zip(each, padding, strict=True)]
    )
