"""What the marks of a figure mean: only those that are in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from atpdsl.exports.marks import (
    BADGES,
    HATCHED,
    INK,
    RINGS,
    SOFT,
    mark,
    outline,
)
from atpdsl.exports.picture import Shape, Words, line
from atpdsl.nodes import NODE_KINDS
from atpdsl.results.names import INPUT, LOGITS

if TYPE_CHECKING:
    import networkx

LINE, LETTER = 13.5, 7.5
_NAMES = {
    "heads.q": "query",
    "heads.k": "key",
    "heads.v": "value",
    "heads.z": "head output",
    "attn": "attention output",
    "mlp": "MLP output",
    "neurons": "MLP neuron",
    "resid.pre": "residual stream",
    "resid.mid": "residual stream",
    "resid.post": "residual stream",
    "embed": "embedding",
}
_Mark = Callable[[float, float], Iterator[Shape | Words]]


@dataclass(frozen=True, slots=True)
class Legend:
    """Lines of a mark and what it means; None is a space between groups."""

    lines: tuple[tuple[_Mark, str] | None, ...]

    @property
    def height(self) -> float:
        """In points."""
        return sum(LINE if one else LINE / 2 for one in self.lines)

    def at(self, x: float, y: float) -> Iterator[Shape | Words]:
        """The legend with its upper left corner there."""
        for entry in self.lines:
            if entry is None:
                y += LINE / 2
                continue
            draw, text = entry
            yield from draw(x + 8, y + LINE / 2)
            yield Words(text=text, x=x + 23, y=y + LINE / 2 + 2.6, size=LETTER, colour=INK)
            y += LINE


def legend(graph: networkx.MultiDiGraph, *, drawn: int, normalized: bool) -> Legend:
    """What is to be explained in the figure of a graph.

    Args:
        drawn: how many of its edges are in the figure.
        normalized: effects are divided by the gap, which may be below zero.
    """
    nodes = [facts for name, facts in graph.nodes(data=True) if name not in (INPUT, LOGITS)]
    inner = sum(1 for source, _ in graph.edges() if source != INPUT)
    groups = (
        _kinds(nodes),
        _signs(nodes, normalized),
        _measured(nodes),
        _flags(nodes),
        _edges(drawn, inner),
    )
    lines: list[tuple[_Mark, str] | None] = []
    for group in groups:
        lines += [None, *group] if lines and group else group
    return Legend(tuple(lines))


_Lines = list[tuple[_Mark, str]]


def _kinds(nodes: list[Mapping[str, Any]]) -> _Lines:
    present = {str(facts["kind"]) for facts in nodes}
    names: dict[str, str] = {}
    for kind in NODE_KINDS.names:
        if kind in present:
            names.setdefault(_NAMES.get(kind, kind), kind)
    return [(_shape(kind), name) for name, kind in names.items()]


def _shape(kind: str) -> _Mark:
    def draw(x: float, y: float) -> Iterator[Shape]:
        yield Shape(steps=outline(kind, x, y, 4.6), fill="#c9c9c9", stroke=SOFT, width=0.8)

    return draw


def _sample(radius: float, **facts: Any) -> _Mark:
    """A head that has nothing but these attributes."""
    return lambda x, y: mark({"kind": "heads.z", **facts}, (x, y, radius))


def _signs(nodes: list[Mapping[str, Any]], normalized: bool) -> _Lines:
    if not nodes:
        return []
    largest = max(facts.get("score") or 0.0 for facts in nodes)
    texts = ("effect above 0", "effect below 0")
    up, down = texts if normalized else ("raises the metric", "lowers the metric")
    return [
        (_sample(5, effect=1.0, verified=True), up),
        (_sample(5, effect=-1.0, verified=True), down),
        (_sizes, f"area: |effect|, at most {largest:.3g}"),
    ]


def _sizes(x: float, y: float) -> Iterator[Shape | Words]:
    for offset, radius in ((-5.5, 1.8), (0.5, 2.8), (8.0, 4.4)):
        yield Shape(steps=outline("heads.z", x - 2 + offset, y, radius), fill="#9a9a9a")


def _measured(nodes: list[Mapping[str, Any]]) -> _Lines:
    states = {bool(facts.get("verified")) for facts in nodes}
    texts = {True: "measured by patching", False: "estimated only"}
    return [
        (_split(verified=state), texts[state]) for state in (True, False) if state in states
    ]


def _split(*, verified: bool) -> _Mark:
    """The same mark in both colours, for it holds for both."""

    def draw(x: float, y: float) -> Iterator[Shape | Words]:
        for offset, sign in ((-5.0, 1.0), (5.0, -1.0)):
            facts = {"kind": "heads.z", "effect": sign, "verified": verified}
            yield from mark(facts, (x + offset, y, 4.2))

    return draw


def _flags(nodes: list[Mapping[str, Any]]) -> _Lines:
    present = {flag for facts in nodes for flag in facts.get("flags") or ()}
    texts = {flag: text for flag, (text, _) in RINGS.items()}
    texts |= {HATCHED: "saturated attention"}
    texts |= {flag: text for flag, (_, text) in BADGES.items()}
    return [
        (_sample(4, verified=True, flags=[flag]), text)
        for flag, text in texts.items()
        if flag in present
    ]


def _edges(drawn: int, of: int) -> _Lines:
    if not drawn:
        return []
    text = f"can read; the {drawn:,} strongest" if drawn < of else "can read"
    lines: _Lines = [(_stroke, text)]
    if drawn < of:
        lines.append((_nothing, f"of {of:,} edges are drawn"))
    return lines


def _stroke(x: float, y: float) -> Iterator[Shape]:
    yield Shape(steps=line([(x - 8, y), (x + 8, y)]), stroke="#5f6b7a", width=1.4)


def _nothing(_x: float, _y: float) -> Iterator[Shape]:
    return iter(())
