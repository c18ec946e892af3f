"""The engine's numbers for single nodes beside those of the slow twins."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from atpdsl.binding.nodeset import NodeSet
from atpdsl.nodes import ATTENDING, NODE_KINDS, Role
from atpdsl.planning.ops import Place
from atpdsl.selftesting.alone import Alone, Change
from atpdsl.selftesting.checks import Check, Compared, judged
from atpdsl.selftesting.lines import Line, line_through_attention, line_to_donor, slopes
from atpdsl.selftesting.plain_hooks import patched_plainly
from atpdsl.selftesting.precision import Precision
from atpdsl.selftesting.subject import (
    FIXED,
    PATCHING,
    PLAIN,
    STAR,
    Asked,
    Subject,
    measured,
    name_of,
    signed,
    verified,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What the checks share.

    Attributes:
        nodes: the single nodes that were drawn.
        alones: the runs of each pair by itself.
        tick: called after each node.
    """

    subject: Subject
    nodes: tuple[NodeSet, ...]
    alones: tuple[Alone, ...]
    precision: Precision
    tick: Callable[[], None]

    @property
    def dtype(self) -> str:
        """In which the model runs."""
        return self.subject.model.dtype

    def kinds(self) -> tuple[str, ...]:
        """The kinds of the nodes, in the order of the spec."""
        return tuple(dict.fromkeys(node.kind for node in self.nodes))

    def lines(self, kind: str) -> Iterator[tuple[int, int, Line]]:
        """(number of the node, number of the pair, its line), where the pair has the node."""
        for number, node in enumerate(self.nodes):
            if node.kind != kind:
                continue
            for pair, alone in enumerate(self.alones):
                line = line_to_donor(self.subject, pair, node, alone)
                if line is not None:
                    yield number, pair, line


def places_needed(n_layers: int, kinds: Sequence[str]) -> tuple[Place, ...]:
    """Where the twins need activations: those of the kinds, and what layers add."""
    wanted = dict.fromkeys((*kinds, "heads.z", "attn", "mlp"))
    return tuple(
        Place(kind, layer)
        for kind in wanted
        for layer in (range(n_layers) if NODE_KINDS[kind].layered else (0,))
    )


def first_order(bench: Bench) -> Iterator[Check]:
    """AtP against finite differences towards the donor (Kramar et al. 2024, eq. 4)."""
    yield from _slopes(bench, "AtP, finite differences", PLAIN, bench.kinds())


def qk_fix(bench: Bench) -> Iterator[Check]:
    """The QK fix against the model's own softmax, and finite differences after it."""
    kinds = [kind for kind in bench.kinds() if kind in ATTENDING]
    if kinds:
        yield from _slopes(bench, "QK fix, softmax anew", FIXED, kinds)


def _slopes(bench: Bench, name: str, asked: Asked, kinds: Sequence[str]) -> Iterator[Check]:
    outcome = measured(bench.subject, bench.nodes, asked)
    for kind in kinds:
        compared = []
        for pair, alone in enumerate(bench.alones):
            mine = [(number, line) for number, at, line in bench.lines(kind) if at == pair]
            ways: list[tuple[Line, Sequence[Change]]] = [
                (line_through_attention(alone, line) if asked is FIXED else line, ())
                for _, line in mine
            ]
            for (number, _), slope in zip(mine, slopes(alone, ways, bench.dtype), strict=True):
                value = float(signed(outcome, number)[pair])
                node = name_of(bench.nodes[number])
                compared.append(Compared(node, value, slope.value, slope.uncertainty))
                bench.tick()
        yield _judged(name, kind, compared, bench.precision)


def exact(bench: Bench) -> Iterator[Check]:
    """Patching many nodes in one call against one node and one row at a time.

    Both ways of the engine: every node of a set, and chosen ones.
    """
    outcome = measured(bench.subject, bench.nodes, PLAIN)
    every = measured(bench.subject, bench.nodes, PATCHING)
    chosen = dict(verified(outcome))
    for kind in bench.kinds():
        compared, plainly = [], []
        for number, pair, line in bench.lines(kind):
            alone, node = bench.alones[pair], name_of(bench.nodes[number])
            change = line.at(1)
            effect = alone.metrics([[change]])[0] - alone.base_metric
            values = [signed(every, number)[pair]]
            if number in chosen:
                values.append(chosen[number][pair])
            compared += [Compared(node, float(value), effect) for value in values]
            by_hand = patched_plainly(bench.subject.model, alone, change)
            if by_hand is not None:
                plainly += [
                    Compared(node, float(value), by_hand - alone.base_metric)
                    for value in values
                ]
            bench.tick()
        rounding = Precision(relative=0.0, rounding=bench.precision.rounding)
        yield _judged("patching, one by one", kind, compared, rounding)
        if plainly:
            yield _judged("patching, module hooks", kind, plainly, rounding)


def graddrop(bench: Bench, most: int) -> Iterator[Check]:
    """AtP* against forwards in which one layer's contribution is frozen, layer by layer.

    Kramar et al. 2024, eq. 11: a slope for each dropped layer, their sizes averaged.

    Args:
        most: of the nodes of each kind; they cost a run of the model per layer and step.
    """
    subject, alone = bench.subject, bench.alones[0]
    outcome = measured(subject.with_pairs(subject.pairs[:1]), bench.nodes, STAR)
    for kind in bench.kinds():
        found = [(n, line) for n, pair, line in bench.lines(kind) if pair == 0]
        compared = []
        for number, line in found[:most]:
            way = line_through_attention(alone, line) if kind in ATTENDING else line
            magnitude = outcome.methods[0].statistics[number].mean_abs
            node = name_of(bench.nodes[number])
            expected, uncertainty = _dropped(bench, kind, line.place.layer, way)
            compared.append(Compared(node, float(magnitude[0, 0, 0]), expected, uncertainty))
            bench.tick()
        if compared:
            yield _judged("AtP*, frozen layers", kind, compared, bench.precision)


def _dropped(bench: Bench, kind: str, layer: int, line: Line) -> tuple[float, float]:
    """GradDrop's magnitude by frozen layers, and how certain it is."""
    alone, n_layers = bench.alones[0], bench.subject.bound.shape.n_layers
    streams = not NODE_KINDS[kind].layered or NODE_KINDS[kind].role is Role.STREAM
    lines: list[tuple[Line, Sequence[Change]]] = [(line, ())]
    lines += [(line, _frozen(alone, kind, layer, one)) for one in range(layer, n_layers)]
    plain, *dropped = slopes(alone, lines, bench.dtype)
    if n_layers == 1 and not streams:
        return abs(plain.value), plain.uncertainty
    # Layers before the node read nothing of it: without them the slope is the plain one.
    every = [plain] * layer + dropped
    divisor = n_layers if streams else n_layers - 1
    return (
        sum(abs(one.value) for one in every) / divisor,
        sum(one.uncertainty for one in every) / divisor,
    )


def _frozen(alone: Alone, kind: str, own: int, layer: int) -> list[Change]:
    """What a layer adds to the stream, held at its values in the base run."""
    # `resid.mid` of the layer comes after its attention.
    held = ("mlp",) if kind == "resid.mid" and own == layer else ("attn", "mlp")
    return [
        Change(
            place=Place(one, layer),
            unit=None,
            positions=tuple(range(alone.length)),
            values=alone.base_run.values[Place(one, layer)][0],
        )
        for one in held
    ]


def _judged(name: str, kind: str, compared: list[Compared], precision: Precision) -> Check:
    known = [one for one in compared if not np.isnan(one.expected) or not np.isnan(one.found)]
    return judged(name, kind, known, relative=precision.relative, rounding=precision.rounding)
