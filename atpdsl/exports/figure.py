"""The circuit as a figure: tokens along the bottom, layers upwards, the strongest edges.

It is made for print: everything that its marks mean is said in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from atpdsl.exports.layout import Column, Layout, Row, lay_out
from atpdsl.exports.legend import legend
from atpdsl.exports.marks import FAINT, INK, SOFT, WHITE, mark, signed
from atpdsl.exports.picture import Picture, Shape, Step, Words, box, line
from atpdsl.exports.strongest import strongest
from atpdsl.nodes import NODE_KINDS, Unit
from atpdsl.results.harmless import harmless
from atpdsl.results.names import INPUT, LOGITS

if TYPE_CHECKING:
    import networkx

    from atpdsl.results.result import Result

PAD, LEFT, LEGEND = 14.0, 30.0, 150.0
TITLE, LETTER = 12.0, 8.0
# About how wide a letter is, in sizes of the font.
_WIDE = 0.52
_EDGE, _EDGE_DARK = "#9aa5b1", "#5f6b7a"
_LONGEST_TOKEN = 16
_LETTERS = {Unit.HEAD: "H", Unit.KV_HEAD: "KV", Unit.NEURON: "N"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """Where the grid is on the page: its left edge, and where its height 0 is."""

    left: float
    base: float

    def at(self, x: float, y: float) -> tuple[float, float]:
        """A place of the grid on the page."""
        return self.left + x, self.base - y


def figure(result: Result) -> Picture:
    """The circuit of a result as a picture."""
    graph = result.graph
    pairs = result.record.pairs
    layout = lay_out(graph, pairs[0].clean.tokens if pairs else ())
    heading = _heading(result)
    labels = max((_wide(_token(c), LETTER) for c in layout.columns), default=0.0)
    # Tokens are written slantwise, at 45 degrees.
    below = 0.71 * labels + 18
    top = PAD + TITLE + 6 + 11 * (len(heading) - 1)
    frame = _Frame(left=PAD + LEFT + 0.4 * labels, base=top + 36 + layout.height)
    drawn = strongest(graph)
    marks = legend(graph, drawn=len(drawn), normalized=result.record.metric.normalized)
    right = frame.left + layout.width + 26
    width = max(right + LEGEND + PAD, *(2 * PAD + _wide(t, 8.5) for t in heading[1:]))
    height = max(frame.base + below, top + 24 + marks.height) + PAD
    items = (
        *_title(heading),
        *_grid(layout, frame),
        *_edges(graph, layout, frame, drawn),
        *_nodes(graph, layout, frame),
        *_end(result, layout, frame),
        *_tokens(layout, frame),
        *marks.at(right, top + 20),
    )
    return Picture(
        width=width,
        height=height,
        items=items,
        title=heading[0],
        about=" ".join((*heading[1:], *(_tip(f) for _, f in _best(graph, 10)))),
    )


def _heading(result: Result) -> tuple[str, ...]:
    """What was done, and by which convention."""
    record, graph = result.record, result.graph
    described = record.method(str(graph.graph["method"]))
    metric = f"{record.metric.title} at {record.metric.position}"
    title = f"{record.spec.name} on {record.provenance.model.name}: {metric}"
    if described is None:
        return (harmless(title),)
    pairs = len(record.pairs)
    how = (
        f"{described.label}, {described.direction}: the {described.base} run with one node set "
        f"to its value in the {described.donor} run; means over {pairs:,} pair"
        f"{'' if pairs == 1 else 's'}"
    )
    unit = record.metric.effect_unit
    size = "shares of the gap" if record.metric.normalized else f"in {unit}"
    what = f"sizes are means of |effect|, {size}; an effect is patched minus unpatched metric"
    return harmless(title), harmless(how), harmless(what)


def _title(heading: Sequence[str]) -> Iterator[Words]:
    y = PAD + TITLE
    yield Words(text=heading[0], x=PAD, y=y, size=TITLE, bold=True)
    for text in heading[1:]:
        y += 12
        yield Words(text=text, x=PAD, y=y, size=8.5, colour=SOFT)


def _grid(layout: Layout, frame: _Frame) -> Iterator[Shape | Words]:
    """Bands for layers, a thin line at each token that has nodes."""
    for number, row in enumerate(layout.rows):
        x, y = frame.at(0, row.y + row.height)
        if number % 2 == 0:
            fill = "#f6f7f9"
            yield Shape(steps=box(x, y, layout.width, row.height), fill=fill)
        yield from _layer(row, frame)
    low = frame.base
    for column in layout.columns:
        x = frame.left + column.x
        if column.used:
            ends = [(x, low), (x, low - layout.height)]
            yield Shape(steps=line(ends), stroke=FAINT, width=0.6)


def _layer(row: Row, frame: _Frame) -> Iterator[Words]:
    name = "embed" if row.layer is None else f"L{row.layer}"
    x, y = frame.at(-7, row.y + row.height / 2)
    yield Words(text=name, x=x, y=y + 3, size=9, anchor="end", bold=True, colour=INK)
    if row.after_gap:
        x, y = frame.at(-9, row.y - 6)
        yield Words(text="⋮", x=x, y=y + 3, size=9, anchor="end", colour=SOFT)


def _edges(
    graph: networkx.MultiDiGraph,
    layout: Layout,
    frame: _Frame,
    drawn: Sequence[tuple[str, str, str]],
) -> Iterator[Shape]:
    """Curves from the upper side of one node to the lower side of the other."""
    weights = {edge: graph.edges[edge]["weight"] or 0.0 for edge in drawn}
    most = max(weights.values(), default=0.0) or 1.0
    for edge in reversed(drawn):
        first, second = layout.dots[edge[0]], layout.dots[edge[1]]
        start = frame.at(first.x, first.y + first.radius)
        end = frame.at(second.x, second.y - second.radius)
        share = (weights[edge] / most) ** 0.5
        between = graph.edges[edge]["via"] == "attention"
        yield Shape(
            steps=_curve(start, end),
            stroke=_EDGE_DARK if between else _EDGE,
            width=0.5 + 1.7 * share,
            opacity=0.4 + 0.45 * share,
            tip=f"{harmless(edge[0])} → {harmless(edge[1])} ({edge[2]})",
        )


def _curve(start: tuple[float, float], end: tuple[float, float]) -> tuple[Step, ...]:
    """Out upwards, in from below; a bow to the side where both stand above each other."""
    (x, y), (to_x, to_y) = start, end
    rise = max(abs(y - to_y) * 0.45, 8.0)
    long_way = abs(x - to_x) < 4 and y - to_y > 60
    aside = min(8.0 + 0.06 * (y - to_y), 34.0) if long_way else 0.0
    return ("M", start), ("C", (x + aside, y - rise, to_x + aside, to_y + rise, to_x, to_y))


def _nodes(
    graph: networkx.MultiDiGraph, layout: Layout, frame: _Frame
) -> Iterator[Shape | Words]:
    for name, facts in graph.nodes(data=True):
        if name in (INPUT, LOGITS):
            continue
        dot = layout.dots[name]
        x, y = frame.at(dot.x, dot.y)
        yield from mark(facts, (x, y, dot.radius), tip=_tip(facts))
        text = short(facts)
        if text:
            yield Words(
                text=text,
                x=x,
                y=y + dot.radius + 7,
                size=6.5,
                anchor="middle",
                colour=SOFT,
                halo=True,
            )


def short(facts: Mapping[str, Any]) -> str:
    """What a node is called beside its shape, its layer and its token."""
    kind, index = facts["kind"], facts.get("index")
    if kind not in NODE_KINDS:
        return harmless(str(facts.get("label") or kind))
    if index is None:
        return str(kind).rpartition(".")[2]
    return f"{_LETTERS.get(NODE_KINDS[kind].unit, '')}{index}"


def _tip(facts: Mapping[str, Any]) -> str:
    known = "measured" if facts.get("verified") else "estimated"
    flags = "".join(f", {flag}" for flag in facts.get("flags") or ())
    return harmless(f"{facts['label']}: {signed(facts):+.4g} {known}{flags}.")


def _end(result: Result, layout: Layout, frame: _Frame) -> Iterator[Shape | Words]:
    """The metric, above the token where it is read."""
    if LOGITS not in layout.dots:
        return
    dot = layout.dots[LOGITS]
    text = _cut(harmless(result.record.metric.title), 28)
    x, y = frame.at(dot.x, dot.y - 8)
    wide = _wide(text, 8) + 12
    x = max(frame.left + wide / 2 - 20, min(x, frame.left + layout.width + 20 - wide / 2))
    outer = box(x - wide / 2, y - 8, wide, 16, 4)
    yield Shape(steps=outer, fill=WHITE, stroke=INK, width=0.9, tip=text)
    yield Words(text=text, x=x, y=y + 2.8, size=8, anchor="middle")


def _tokens(layout: Layout, frame: _Frame) -> Iterator[Shape | Words]:
    ends = [frame.at(0, 0), frame.at(layout.width, 0)]
    yield Shape(steps=line(ends), stroke=INK, width=0.8)
    for column in layout.columns:
        x, y = frame.at(column.x, 0)
        yield Shape(steps=line([(x, y), (x, y + 3)]), stroke=INK, width=0.8)
        words = Words(
            text=_token(column),
            x=x + 3,
            y=y + 11,
            size=LETTER,
            anchor="end",
            angle=-45,
            colour=INK if column.used else "#9a9a9a",
        )
        yield words
        if column.after_gap:
            yield replace(words, text="…", x=x - column.width / 2 - 5, y=y + 9, angle=0)


def _token(column: Column) -> str:
    """The token, with the name of its position; `…` where other pairs have other tokens."""
    if column.index is None:
        return "whole prompt"
    token = _cut(harmless(column.token or "").replace(" ", "␣", 1), _LONGEST_TOKEN)
    text = token.removeprefix("␣") or token or str(column.index)
    name = f"{harmless(', '.join(column.names))}: " if column.names else ""
    more = "…" if column.varies and not text.endswith("…") else ""
    return f"{name}{text}{more}"


def _best(graph: networkx.MultiDiGraph, most: int) -> list[tuple[str, Mapping[str, Any]]]:
    ranked = [
        (n, facts) for n, facts in graph.nodes(data=True) if facts.get("rank") is not None
    ]
    return sorted(ranked, key=lambda item: item[1]["rank"])[:most]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _wide(text: str, size: float) -> float:
    """About how wide a text is; East Asian letters are twice as wide as others."""
    return size * sum(1.0 if ord(letter) > 0x2E7F else _WIDE for letter in text)
