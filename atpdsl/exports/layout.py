"""Where the nodes of a circuit stand: tokens from left to right, layers upwards.

A column is a token of the prompt, a row a layer. In a row stand, from below, what reads the
stream, what attention writes, and what the MLP writes, so that edges go upwards. Distances
are in points (1/72 inch); y grows upwards.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from atpdsl.nodes import NODE_KINDS
from atpdsl.results.names import INPUT, LOGITS

if TYPE_CHECKING:
    import networkx

# Between the middles of neighbours.
STEP = 25.0
# Lines of nodes are closer where there are many, for all to be on one page.
LOW, HIGH, PAGE = 21.0, 30.0, 600.0
# Columns with and without nodes are at least so wide.
WIDE, NARROW = 30.0, 17.0
# So many nodes stand beside each other before a new line begins.
ABREAST = 6
SMALLEST = 3.0
# Where layers or tokens are left out.
GAP = 12.0
# Prompts up to this length are shown whole, longer ones where they have nodes.
MOST_TOKENS = 24
_ORDER = {name: place for place, name in enumerate(NODE_KINDS.names)}

Attributes = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A node: its middle, and its radius, whose square grows with the score."""

    node: str
    x: float
    y: float
    radius: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """The nodes at one token.

    Attributes:
        index: of the token in the prompt; None for nodes over the whole prompt.
        names: the positions that stand there, as the spec calls them; indices are left out.
        x: its middle.
        used: whether it has nodes.
        after_gap: whether tokens before it are left out.
    """

    index: int | None
    names: tuple[str, ...]
    token: str | None
    varies: bool
    x: float
    width: float
    used: bool
    after_gap: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The nodes of one layer, None for those before the first; `y` is its lower edge."""

    layer: int | None
    y: float
    height: float
    after_gap: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A circuit on its grid; the two ends have dots below and above it."""

    dots: Mapping[str, Dot]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class _Scale:
    """How far apart lines of nodes are, and what follows from it."""

    line: float

    @property
    def margin(self) -> float:
        """Between the edge of a layer and its nodes."""
        return self.line * 0.2

    @property
    def largest(self) -> float:
        """The radius of the node with the largest score."""
        return self.line * 0.36


def lay_out(graph: networkx.MultiDiGraph, tokens: Sequence[str] = ()) -> Layout:
    """Places for all nodes of a circuit; the same for the same graph.

    Args:
        graph: as `Result.graph`.
        tokens: of a prompt, to show those without nodes as well.
    """
    nodes = {n: facts for n, facts in graph.nodes(data=True) if n not in (INPUT, LOGITS)}
    last = graph.nodes[LOGITS].get("token_index") if LOGITS in graph else None
    lines = _lines(nodes)
    scale = _Scale(min(max(PAGE / max(len({p[:3] for p in lines}), 1), LOW), HIGH))
    columns = _columns(nodes, lines, last, tokens)
    rows, levels = _rows(lines, scale)
    x = {column.index: column.x for column in columns}
    largest = max((facts.get("score") or 0.0 for facts in nodes.values()), default=0.0) or 1.0
    dots = {}
    for (row, stage, line, index), names in lines.items():
        left = x[index] - STEP * (len(names) - 1) / 2
        for place, name in enumerate(names):
            share = max(nodes[name].get("score") or 0.0, 0.0) / largest
            dots[name] = Dot(
                node=name,
                x=left + STEP * place,
                y=levels[row, stage, line],
                radius=SMALLEST + (scale.largest - SMALLEST) * math.sqrt(share),
            )
    width = columns[-1].x + columns[-1].width / 2 if columns else WIDE
    height = rows[-1].y + rows[-1].height if rows else HIGH
    over = height + 0.8 * HIGH
    ends = {
        INPUT: Dot(node=INPUT, x=width / 2, y=-HIGH, radius=scale.largest),
        LOGITS: Dot(node=LOGITS, x=x.get(last, width / 2), y=over, radius=scale.largest),
    }
    dots |= {name: end for name, end in ends.items() if name in graph}
    return Layout(dots=dots, columns=columns, rows=rows, width=width, height=height)


# (row, stage, line in it, token index) -> nodes from left to right.
_Place = tuple[int, int, int, int | None]
_Lines = Mapping[_Place, tuple[str, ...]]


def row_of(facts: Attributes) -> int:
    """The layer of a node, -1 for what is before the first."""
    layer = facts.get("layer")
    return -1 if layer is None else int(layer)


def stage_of(facts: Attributes) -> int:
    """Where in its layer a node is; 0 for a kind that this version does not know."""
    kind = facts["kind"]
    return NODE_KINDS[kind].stage if kind in NODE_KINDS else 0


def _lines(nodes: Mapping[str, Attributes]) -> _Lines:
    def place(name: str) -> tuple[int, int, float]:
        index = nodes[name].get("token_index")
        return row_of(nodes[name]), stage_of(nodes[name]), -1 if index is None else index

    def order(name: str) -> tuple[Any, ...]:
        facts = nodes[name]
        kind = _ORDER.get(facts["kind"], len(_ORDER))
        return (*place(name), kind, facts.get("index") or 0, facts["position"], name)

    found: dict[_Place, tuple[str, ...]] = {}
    for (row, stage, index), group in groupby(sorted(nodes, key=order), key=place):
        names = list(group)
        lines = math.ceil(len(names) / ABREAST)
        each = math.ceil(len(names) / lines)
        for line in range(lines):
            here = tuple(names[line * each : (line + 1) * each])
            found[row, stage, line, None if index < 0 else int(index)] = here
    return found


def _columns(
    nodes: Mapping[str, Attributes], lines: _Lines, last: int | None, tokens: Sequence[str]
) -> tuple[Column, ...]:
    used = {place[3] for place in lines}
    shown = {index for index in (*used, last) if index is not None}
    if len(tokens) <= MOST_TOKENS:
        shown |= set(range(len(tokens)))
    order = [None] if None in used else []
    columns: list[Column] = []
    x, before = 0.0, -1
    for index in [*order, *sorted(shown)]:
        most = max(
            (len(names) for place, names in lines.items() if place[3] == index), default=0
        )
        width = max(WIDE if index in used else NARROW, STEP * most + 7)
        gap = index is not None and index > before + 1
        x += GAP if gap else 0.0
        at = [facts for facts in nodes.values() if facts.get("token_index") == index]
        columns.append(_column(index, at, tokens, (x + width / 2, width), gap))
        x += width
        before = before if index is None else index
    return tuple(columns)


def _column(
    index: int | None,
    nodes: Sequence[Attributes],
    tokens: Sequence[str],
    place: tuple[float, float],
    gap: bool,
) -> Column:
    positions = dict.fromkeys(str(facts["position"]) for facts in nodes)
    token = next((facts.get("token") for facts in nodes if facts.get("token")), None)
    if token is None and index is not None and index < len(tokens):
        token = tokens[index]
    return Column(
        index=index,
        names=tuple(name for name in positions if not name.isdecimal()),
        token=token,
        varies=any("token-varies" in (facts.get("flags") or ()) for facts in nodes),
        x=place[0],
        width=place[1],
        used=bool(nodes),
        after_gap=gap,
    )


def _rows(
    lines: _Lines, scale: _Scale
) -> tuple[tuple[Row, ...], Mapping[tuple[int, int, int], float]]:
    """The rows from below, and the height of each line of nodes."""
    rows: list[Row] = []
    levels: dict[tuple[int, int, int], float] = {}
    y, before = 0.0, -1
    for row, places in _by_row(place[:3] for place in lines):
        gap = row > before + 1
        y += GAP if gap else 0.0
        for place in places:
            levels[place] = y + scale.margin + scale.line * (places.index(place) + 0.5)
        height = scale.line * len(places) + 2 * scale.margin
        layer = None if row < 0 else row
        rows.append(Row(layer=layer, y=y, height=height, after_gap=gap))
        y += height
        before = row
    return tuple(rows), levels


def _by_row(
    places: Iterable[tuple[int, int, int]],
) -> Iterator[tuple[int, list[tuple[int, int, int]]]]:
    for row, group in groupby(sorted(set(places)), key=lambda place: place[0]):
        yield row, list(group)
