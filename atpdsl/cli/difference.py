"""Two results side by side for people, and as values for JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from atpdsl.cli.points import spell
from atpdsl.cli.terminal import can_show, columns, count, facts
from atpdsl.problems.clean import clean
from atpdsl.results.difference import Difference
from atpdsl.results.method_difference import MethodDifference, Moved
from atpdsl.results.result import Result

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

# What is shown of a list at most; `--json` has all of it.
ROWS, MOST_LINES, LONGEST, LONGEST_NAME = 10, 24, 150, 30


def report(found: Difference) -> Iterator[RenderableType]:
    """Everything that `diff` prints, part by part."""
    yield from _titles(found)
    yield ""
    yield from _asked(found)
    yield from _facts(found)
    for method in found.methods:
        yield from _method(method)
    for side, labels in (("first", found.only_first), ("second", found.only_second)):
        if labels:
            yield f"only the {side} has {clean(', '.join(labels))}"
            yield ""
    yield from _verdict(found)


def _titles(found: Difference) -> Iterator[RenderableType]:
    """Which result is which; where both are called the same, their folders tell them apart."""
    yield facts(
        (word, _title(result))
        for word, result in (("first", found.first), ("second", found.second))
    )


def _title(result: Result) -> str:
    record = result.record
    point = f" ({spell(record.spec.point.items())})" if record.spec.point else ""
    place = "" if result.directory is None else f"  {result.directory}"
    pairs = count(len(record.pairs), "pair")
    name, model = record.spec.name, record.provenance.model.name
    return clean(f"{name}{point} on {model}, {record.metric.title}, {pairs}{place}")


def _asked(found: Difference) -> Iterator[RenderableType]:
    if not found.spec:
        yield "the specs ask for the same"
        yield ""
        return
    yield f"the specs ask for other things ({len(found.spec)})"
    yield ""
    yield _changes([(one.name, one.first, one.second) for one in found.spec])
    yield ""


def _facts(found: Difference) -> Iterator[RenderableType]:
    if not found.facts:
        yield "model, prompts, software and device are the same"
        yield ""
        return
    yield "what else is not alike"
    yield ""
    yield _changes([(one.name, one.first, one.second) for one in found.facts])
    yield ""


def _changes(rows: Sequence[tuple[str, str | None, str | None]]) -> RenderableType:
    lines = [(_cut(name, LONGEST_NAME), _change(*sides)) for name, *sides in rows[:MOST_LINES]]
    if len(rows) > MOST_LINES:
        lines.append(("", f"and {len(rows) - MOST_LINES:,} more (`--json` has all)"))
    return facts(lines)


def _change(first: str | None, second: str | None) -> str:
    """`32 -> 24`; `- 32` where only the first has it, `+ 24` where only the second has."""
    if second is None:
        return f"- {_cut(first or '', LONGEST)}"
    if first is None:
        return f"+ {_cut(second, LONGEST)}"
    return f"{_cut(first, LONGEST)} {_arrow()} {_cut(second, LONGEST)}"


def _cut(text: str, longest: int) -> str:
    shown = clean(text)
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}~"


def _arrow() -> str:
    return "\u2192" if can_show("\u2192") else "->"


# ---- one method ----


def _method(method: MethodDifference) -> Iterator[RenderableType]:
    yield f"{clean(method.label)}: {_alike(method)}"
    yield ""
    if method.identical:
        return
    yield facts(_numbers(method))
    yield ""
    best = _union(method)
    if best:
        yield _table(best)
        yield ""


def _alike(method: MethodDifference) -> str:
    nodes = count(method.common, "node")
    if method.identical:
        return f"identical, all numbers of {nodes}"
    if not method.common:
        return "no node in common"
    if method.largest == 0:
        return f"the same scores and signs of {nodes}, other numbers differ"
    return f"{nodes} in common, largest relative change {method.largest:.3g}"


def _numbers(method: MethodDifference) -> Iterator[tuple[str, str]]:
    if method.correlation is not None:
        yield (
            "ranks",
            f"correlation {_correlation(method.correlation)}"
            f" (Spearman, over {count(method.compared, 'node')} with a score)",
        )
    either = method.shared + len(method.entered) + len(method.left)
    yield (
        f"top {method.top:,}",
        f"{method.shared:,} in both of {either:,} in either, overlap {method.jaccard:.2f}",
    )
    for word, nodes in (("entered", method.entered), ("left", method.left)):
        if nodes:
            yield word, _named(nodes)
    if method.flips:
        yield "flipped", f"the sign of {_named(method.flips)}"
    for number, side in ((method.only_first, "first"), (method.only_second, "second")):
        if number:
            yield f"only {side}", count(number, "node")
    if method.common and method.largest == 0 and method.differing:
        yield "differing", clean(", ".join(method.differing))


def _correlation(value: float) -> str:
    """1.000 only where it is 1."""
    return f"{value:.3f}" if value in (1.0, -1.0) or abs(value) < 0.9995 else f"{value:.6f}"


def _named(nodes: Sequence[Moved]) -> str:
    shown = ", ".join(clean(node.node) for node in nodes[:ROWS])
    more = len(nodes) - ROWS
    return f"{shown} and {more:,} more" if more > 0 else shown


def _union(method: MethodDifference) -> list[Moved]:
    """What changed most among the nodes to look at, each once: entered, left, moved."""
    rows = (*method.entered, *method.left, *method.flips, *method.changes)
    different = {node.node: node for node in rows}
    return sorted(different.values(), key=_size, reverse=True)[:ROWS]


def _size(node: Moved) -> float:
    """How much a node changed; one that is in one result only by its whole score."""
    scores = [node.first_score or 0.0, node.second_score or 0.0]
    signed = [node.first_signed or 0.0, node.second_signed or 0.0]
    return max(abs(scores[1] - scores[0]), abs(signed[1] - signed[0]))


def _table(nodes: Sequence[Moved]) -> Table:
    """Ranks, scores and signed values of nodes; the largest changes first."""
    table = columns("largest changes", "rank", "score", "signed", fixed=("largest changes",))
    cells = (
        _both([(_rank(n.first_rank), _rank(n.second_rank)) for n in nodes]),
        _both([(_number(n.first_score), _number(n.second_score)) for n in nodes]),
        _both([(_number(n.first_signed, "+"), _number(n.second_signed, "+")) for n in nodes]),
    )
    for node, *texts in zip(nodes, *cells, strict=True):
        table.add_row(clean(node.node), *texts, style="bold" if node.flips else "")
    return table


def _both(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Numbers with arrows between them, the arrows under each other."""
    widest = max(len(first) for first, _ in pairs)
    return [f"{first:>{widest}} {_arrow()} {second}" for first, second in pairs]


def _rank(rank: int | None) -> str:
    return "-" if rank is None else f"{rank:,}"


def _number(value: float | None, sign: str = "") -> str:
    return "-" if value is None else f"{value:{sign}.4g}"


def _verdict(found: Difference) -> Iterator[RenderableType]:
    if found.identical:
        yield "identical"
    elif found.within:
        yield f"alike: {_asked_for(found)}"
    else:
        yield facts(
            ("different" if number == 0 else "", clean(reason))
            for number, reason in enumerate(found.outside)
        )


def _asked_for(found: Difference) -> str:
    limits = found.tolerance
    parts = []
    if limits.change is not None:
        parts.append(f"no relative change above {limits.change:g}")
    if limits.overlap is not None:
        parts.append(f"overlap {limits.overlap:g} or more")
    if limits.correlation is not None:
        parts.append(f"rank correlation {limits.correlation:g} or more")
    return ", ".join(parts) or "nothing was asked"


# ---- JSON ----


def document(found: Difference) -> dict[str, object]:
    """A difference as values; docs/terminal.md says what they mean."""
    return {
        "first": _side(found.first),
        "second": _side(found.second),
        "identical": found.identical,
        "within": found.within,
        "outside": list(found.outside),
        "tolerance": found.tolerance,
        "spec": found.spec,
        "facts": found.facts,
        "methods": [_values(method) for method in found.methods],
        "only_first": list(found.only_first),
        "only_second": list(found.only_second),
    }


def _side(result: Result) -> dict[str, object]:
    place = result.directory
    return {
        "directory": None if place is None else str(place),
        "spec": result.record.spec.name,
        "model": result.record.provenance.model.name,
    }


def _values(method: MethodDifference) -> dict[str, Any]:
    plain = (
        *("label", "first", "second", "identical", "common", "only_first", "only_second"),
        *("differing", "correlation", "compared", "top", "shared", "jaccard"),
        *("entered", "left", "flips", "changes", "largest"),
    )
    return {name: getattr(method, name) for name in plain}
