"""A result for people: the best nodes, how far to trust them, and what to do next."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from atpdsl.cli.marks import legend, marks, tick
from atpdsl.cli.points import spell
from atpdsl.cli.terminal import columns, count, facts, word
from atpdsl.cli.trust import trust
from atpdsl.problems.clean import clean
from atpdsl.results.names import short_name
from atpdsl.results.progress import duration
from atpdsl.results.record import MethodRecord, MetricRecord, PositionRecord, Record

if TYPE_CHECKING:
    from rich.console import RenderableType

    from atpdsl.results.result import Result
    from atpdsl.results.scores import ScoreRow

# Rows of the table where there is one, and of each where there are several.
ROWS, FEWER_ROWS = 20, 10
LONGEST_TOKEN = 12
# Below this three decimals would say little.
SMALL = 0.01


def report(
    result: Result,
    *,
    rows: int | None = None,
    method: str | None = None,
    drawn: Sequence[RenderableType] = (),
) -> Iterator[RenderableType]:
    """Everything that `run` and `show` print, part by part.

    Args:
        result: what to show.
        rows: how many nodes of each method; for None as many as are read at a glance.
        method: the label of the only method to show.
        drawn: what stands between the nodes and what is said of them.
    """
    record = result.record
    labels = [m.label for m in record.methods] if method is None else [result.label(method)]
    methods = [m for m in record.methods if m.label in labels]
    each = rows or (ROWS if len(methods) == 1 else FEWER_ROWS)
    place = {position.label: position for position in record.positions}
    shown = [(one, result.top_rows(each, one.label)) for one in methods]
    if not any(best for _, best in shown):
        yield f"{_title(record)}: no scores, the executor `{_executor(record)}` gave none"
        yield ""
        return
    yield heading(record)
    for one, best in shown:
        yield ""
        yield from _method(result, one, best)
    yield ""
    listed = [row for _, best in shown for row in best]
    varied = any(_varies(place[row.position]) for row in listed)
    yield from _legend(record, methods, listed, varied=varied)
    yield from drawn
    yield ""
    yield facts(trust(record, labels))
    yield from expected(record)


def expected(record: Record) -> Iterator[RenderableType]:
    """How many expectations hold, and of each that does not what was found instead."""
    if not record.expectations:
        return
    held = len(record.expectations) - len(record.unmet)
    lines = [("expect", f"{held} of {len(record.expectations)} hold")]
    for one in record.unmet:
        reasons = [*one.found, one.undecided] if one.undecided else one.found
        what = "cannot be decided" if one.undecided else "does not hold"
        lines.append(("", clean(f"{one.text} {what}: {'; '.join(reasons)}")))
    yield facts(lines)


def closing(result: Result) -> RenderableType:
    """What the run cost, where the result is, and what to do with it."""
    return facts(_closing(result))


def _title(record: Record) -> str:
    point = f" ({spell(record.spec.point.items())})" if record.spec.point else ""
    return f"{clean(record.spec.name)}{point} on {clean(record.provenance.model.name)}"


def _executor(record: Record) -> str:
    return clean(record.provenance.executor)


def heading(record: Record) -> str:
    """The line above everything: spec, model, metric, pairs, and the unpatched metric."""
    metric = record.metric
    means = [value for value in (metric.clean, metric.corrupted) if value is not None]
    tiny = max(map(abs, means), default=1.0) < SMALL
    decimals = _decimals(iter(means)) if tiny else 3
    return (
        f"{_title(record)}: {clean(metric.title)} at {clean(metric.position)},"
        f" {count(len(record.pairs), 'pair')},"
        f" clean {_number(metric.clean, decimals)},"
        f" corrupted {_number(metric.corrupted, decimals)}"
    )


def _method(
    result: Result, method: MethodRecord, shown: Sequence[ScoreRow]
) -> Iterator[RenderableType]:
    of = sum(nodes.nodes for nodes in result.record.nodes)
    kind = "exact effects" if method.exact else "estimates"
    label = clean(method.label)
    yield f"top {len(shown):,} of {of:,} nodes by {label} ({kind}, {method.direction})"
    yield ""
    yield _table(result.record, method, shown)


def _table(record: Record, method: MethodRecord, shown: Sequence[ScoreRow]) -> RenderableType:
    """Effects have their columns only where some were measured."""
    positions = {position.label: position for position in record.positions}
    measured = ("|effect|", "effect") if any(row.verified for row in shown) else ()
    estimated = () if method.exact else ("estimate",)
    numbers = (*estimated, *measured)
    ticks = (tick(),) if estimated and measured else ()
    warned = ("marks",) if any(marks(row) for row in shown) else ()
    headings = ("#", "node", "position", *numbers, *ticks, *warned)
    table = columns(*headings, right=("#", *numbers), fixed=("node",))
    decimals = _decimals(row.score for row in shown)
    for row in shown:
        values = {
            "estimate": _number(row.estimate, decimals),
            "|effect|": _number(row.effect_abs, decimals),
            "effect": _number(row.effect, decimals, sign="+"),
        }
        table.add_row(
            str(row.rank),
            clean(short_name(row.kind, row.layer, row.index)),
            _place(positions[row.position]),
            *(values[name] for name in numbers),
            *(one * row.verified for one in ticks),
            *(marks(row) for _ in warned),
            style="" if row.verified else "dim",
        )
    return table


def _place(position: PositionRecord) -> str:
    """`14 " to"`; three dots where other pairs have other tokens there."""
    if position.index is None:
        return "whole prompt"
    token = clean(position.token or "")
    if len(token) > LONGEST_TOKEN:
        token = token[: LONGEST_TOKEN - 1] + "~"
    more = ".." if _varies(position) else ""
    return f'{clean(position.label)} "{token}"{more}'


def _varies(position: PositionRecord) -> bool:
    """Whether one token has to stand for several."""
    return position.index is not None and not position.same_token


def _legend(
    record: Record,
    methods: Sequence[MethodRecord],
    shown: Sequence[ScoreRow],
    *,
    varied: bool,
) -> Iterator[RenderableType]:
    """What the columns mean, once for each direction; `varied` where a position has dots."""
    from rich.text import Text

    metric = _measured(record.metric)
    checked = {v.label for v in record.verification}
    directions = dict.fromkeys(m.direction for m in methods)
    texts: list[str] = []
    for direction in directions:
        these = [m for m in methods if m.direction == direction]
        named = ", ".join(clean(m.label) for m in these)
        start = "Changes" if len(directions) == 1 else f"In {named}: changes"
        text = (
            f"{start} of {metric} when the node, in the {these[0].base} run, is set to its"
            f" {these[0].donor} value: means over pairs, of absolute values for estimate and"
            " |effect|, with their sign for effect."
        )
        if any(not m.exact and m.label in checked for m in these):
            text += f" {tick()} is measured, by patching the node alone."
        texts.append(text)
    if varied:
        texts[-1] += ' "a".. has other tokens in other pairs.'
    texts += legend(shown)
    yield from (Text(text, style="dim") for text in texts)


def _measured(metric: MetricRecord) -> str:
    """The metric and the unit of its changes: `kl (nats)`."""
    title, unit = clean(metric.title), clean(metric.unit)
    if not metric.normalized:
        return f"{title} ({unit})"
    return f"{title}, in parts of its mean gap, {_number(metric.gap, 3)} ({unit}),"


def _closing(result: Result) -> Iterator[tuple[str, str]]:
    passes, seconds = result.record.passes, result.record.host.seconds
    cost = f"{count(passes.forward_sequences, 'sequence')} forward"
    if passes.backward_sequences:
        cost += f", {passes.backward_sequences:,} backward"
    plain = passes.backward_sequences * result.record.provenance.model.shape.n_layers
    if passes.layer_backwards > plain:
        cost += f" ({passes.layer_backwards:,} layer-backwards)"
    yield "cost", f"{cost}, {duration(seconds)}"
    if result.directory is None:
        return
    folder = word(result.directory)
    yield "results", clean(str(result.directory))
    yield "next", f"atpdsl view {folder}"
    yield "", f"atpdsl show {folder} --top 50"


def _decimals(values: Iterator[float | None]) -> int:
    """As many decimals as give the largest number four digits, and the others three."""
    largest = max((abs(v) for v in values if v is not None), default=0.0)
    if not largest or not math.isfinite(largest):
        return 3
    wanted = 3 - math.floor(math.log10(largest))
    return min(8, max(3 if largest < 1000 else 0, wanted))


def _number(value: float | None, decimals: int = 3, sign: str = "") -> str:
    return "" if value is None else f"{value:{sign}.{decimals}f}"
