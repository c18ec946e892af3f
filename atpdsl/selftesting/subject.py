"""What is tested: a model with a few pairs, and the engine's numbers for single nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from atpdsl.binding.bind import Bound
from atpdsl.binding.nodeset import NodeSet
from atpdsl.binding.pairs import TokenPair
from atpdsl.methods import METHODS
from atpdsl.methods.lower import lower
from atpdsl.passes import optimize
from atpdsl.planning.ops import Side
from atpdsl.planning.outcome import Outcome
from atpdsl.planning.positions import exists, is_zero
from atpdsl.planning.target import BRIDGE, NATIVE, Target
from atpdsl.results.names import node_id, set_member
from atpdsl.runtime.bridge import BridgeExecutor
from atpdsl.runtime.executor import Executor, Silent
from atpdsl.runtime.load import LoadedModel
from atpdsl.runtime.native.executor import NativeExecutor
from atpdsl.semantics.diagnosis import Diagnosis
from atpdsl.semantics.experiment import Direction, MethodCall, Setting, VerifyCall

if TYPE_CHECKING:
    from atpdsl.planning.outcome import Floats, Integers


MAKE: dict[str, tuple[Target, Callable[[], Executor]]] = {
    "native": (NATIVE, NativeExecutor),
    "bridge": (BRIDGE, BridgeExecutor),
}
"""The executors that can be tested, and what passes may make of their plans."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A model, some of a spec's pairs, and the direction of its first method.

    Attributes:
        executor: whose numbers are tested: a name of `MAKE`.
    """

    bound: Bound
    model: LoadedModel
    direction: Direction
    executor: str

    @property
    def side(self) -> Side:
        """The run that is patched."""
        return Side.CLEAN if self.direction is Direction.NOISING else Side.CORRUPTED

    @property
    def donor_side(self) -> Side:
        """The run that values are taken from."""
        return Side.CORRUPTED if self.side is Side.CLEAN else Side.CLEAN

    @property
    def pairs(self) -> tuple[TokenPair, ...]:
        """The pairs."""
        return self.bound.pairs.pairs

    def with_pairs(self, pairs: Sequence[TokenPair]) -> Subject:
        """The same with other pairs."""
        tokens = replace(self.bound.pairs, pairs=tuple(pairs))
        return replace(self, bound=replace(self.bound, pairs=tokens))

    def matters(self, pair: TokenPair, label: str) -> bool:
        """Whether a pair has a position at which patching is not zero by construction."""
        return exists(pair, label, self.side) and not is_zero(pair, label, self.side)


@dataclass(frozen=True, slots=True)
class Asked:
    """A method as it is run: its name and the settings that are not its defaults."""

    method: str
    settings: tuple[tuple[str, Setting], ...] = ()


PATCHING = Asked("ap")
SCORES = Asked("atp")
PLAIN = Asked("atp", (("qk_fix", False), ("grad_drop", "off")))
FIXED = Asked("atp", (("qk_fix", True), ("grad_drop", "off")))
DROPPED = Asked("atp", (("qk_fix", False), ("grad_drop", "every_layer")))
STAR = Asked("atp*", (("qk_fix", True), ("grad_drop", "every_layer")))


def measured(subject: Subject, sets: Sequence[NodeSet], asked: Asked) -> Outcome:
    """What the engine says of some nodes, by its whole way from plan to numbers.

    Estimates are followed by a verification of every node that is not zero by construction.
    """
    bound = subject.bound
    span = bound.experiment.metric.span
    defaults = {p.name: p.default for p in METHODS[asked.method].signature.params}
    call = MethodCall(
        label="tested",
        method=asked.method,
        direction=subject.direction,
        settings={**defaults, **dict(asked.settings)},
        span=span,
    )
    every = sum(len(nodes) for nodes in sets)
    verify = VerifyCall(top=0, random=every, methods=(call.label,), span=span)
    experiment = replace(
        bound.experiment,
        methods=(call,),
        verify=verify if asked == PLAIN else None,
        diagnosis=Diagnosis(),
        circuit=None,
        run=replace(bound.experiment.run, per_pair=True),
    )
    target, make = MAKE[subject.executor]
    plan = optimize(lower(replace(bound, experiment=experiment, nodes=tuple(sets))), target)
    return make().execute(plan, subject.model, Silent())


def signed(outcome: Outcome, number: int) -> Floats:
    """The signed values of the only node of a set, [pair]; nan where a pair lacks it."""
    kept = outcome.methods[0].per_pair
    if kept is None:
        raise ValueError("the values in each pair were not kept")
    return kept[number].reshape(len(kept[number]))


def verified(outcome: Outcome) -> Iterator[tuple[int, Floats]]:
    """(number of the set, exact effects [pair]) of every verified node."""
    for one in outcome.verified:
        if one.per_pair is None:
            raise ValueError("the values in each pair were not kept")
        for column, (number, _) in enumerate(one.nodes):
            yield int(number), one.per_pair[:, column]


def single(nodes: NodeSet, flat: int) -> NodeSet:
    """One node of a set, as a set of its own."""
    layer, index, position = nodes.at(flat)
    return NodeSet(kind=nodes.kind, layers=(layer,), indices=(index,), positions=(position,))


def sample(subject: Subject, number: int, seed: int, *, estimated: bool) -> tuple[NodeSet, ...]:
    """Single nodes: of each kind half those with the largest AtP estimates, half by lot.

    Nodes that are zero by construction in every pair are left out.

    Args:
        number: of nodes of each kind; fewer where there are not so many.
        estimated: whether the metric has a gradient; without one all are drawn.
    """
    lot = np.random.default_rng(seed)
    sets = subject.bound.nodes
    zeros = [np.zeros(nodes.shape) for nodes in sets]
    scores = _estimates(subject, sets) if estimated else zeros
    found: list[NodeSet] = []
    for kind in dict.fromkeys(nodes.kind for nodes in sets):
        mine = [number for number, nodes in enumerate(sets) if nodes.kind == kind]
        live = [_of_live(subject, sets[one], scores[one]) for one in mine]
        starts = np.cumsum([0, *(len(sets[one]) for one in mine)])
        for flat in _chosen(np.concatenate(live), number, lot):
            which = int(np.searchsorted(starts, flat, side="right")) - 1
            found.append(single(sets[mine[which]], int(flat - starts[which])))
    return tuple(found)


def _estimates(subject: Subject, sets: Sequence[NodeSet]) -> list[Floats]:
    statistics = measured(subject, sets, SCORES).methods[0].statistics
    return [one.mean_abs for one in statistics]


def _of_live(subject: Subject, nodes: NodeSet, scores: Floats) -> Floats:
    """Flat scores, -1 for nodes that cannot matter in any pair; what is nan comes first."""
    live = [
        any(subject.matters(pair, label) for pair in subject.pairs) for label in nodes.positions
    ]
    found: Floats = np.where(live, np.nan_to_num(scores, nan=np.inf), -1.0).reshape(-1)
    return found


def _chosen(scores: Floats, number: int, lot: np.random.Generator) -> Integers:
    """Numbers of the nodes: the best, then some of the others."""
    order = np.argsort(-scores, kind="stable")
    order = order[: int((scores >= 0).sum())]
    best, rest = np.split(order, [(number + 1) // 2 if scores.any() else 0])
    drawn = lot.choice(rest, size=min(number - len(best), len(rest)), replace=False)
    return np.concatenate([best, drawn])


def name_of(node: NodeSet) -> str:
    """The id of a single node."""
    return node_id(node.kind, *set_member(node, 0))
