"""Markdown: a report to read, print, or put into an issue."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from atpdsl.exports.exporter import Exporter
from atpdsl.exports.trust_lines import trust_lines
from atpdsl.results.harmless import harmless
from atpdsl.results.names import short_name

if TYPE_CHECKING:
    from atpdsl.results.record import MethodRecord, Record
    from atpdsl.results.result import Result
    from atpdsl.results.scores import ScoreRow

TOP = 20
# What Markdown, or HTML in it, takes for more than a letter wherever it stands; and what it
# does at the beginning of a line, or in addresses.
_MARKS = {ord(c): f"\\{c}" for c in "\\`*_{}[]#|~^$@!"}
_ESCAPED = {**_MARKS, ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;"}
_FIRST = re.compile(r"^([-+=]|\d{1,9}[.)](?=\s|$))")
_ADDRESS = re.compile(r"(?i)(:)(?=//)|(?<=www)(\.)|(?<=mailto)(:)|(?<=xmpp)(:)")


def write(result: Result, path: Path) -> None:
    """Write the report."""
    path.write_text("\n".join(_lines(result)) + "\n", encoding="utf-8", errors="replace")


def escaped(text: object) -> str:
    """A text of a spec or a model that stays what it is, on one line."""
    plain = harmless(str(text)).translate(_ESCAPED)
    plain = _FIRST.sub(lambda found: f"{found[0][:-1]}\\{found[0][-1]}", plain)
    return _ADDRESS.sub(lambda found: f"\\{found[0]}", plain)


def _lines(result: Result) -> Iterator[str]:
    record, method = result.record, result.record.method(str(result.graph.graph["method"]))
    yield f"# {escaped(record.spec.name)}"
    for paragraph in filter(None, (p.strip() for p in record.spec.doc.split("\n\n"))):
        yield ""
        yield escaped(paragraph.replace("\n", " "))
    yield from _section("What was asked", _asked(record))
    for label in (one.label for one in record.methods):
        yield from _section(f"Top nodes by {escaped(label)}", _top(result, label))
    yield from _section("How far to trust it", _trust(record))
    if method is not None:
        yield from _section("Conventions", _conventions(record))
    if record.warnings:
        yield from _section("Warnings", _warnings(record))
    yield from _section("What made the numbers", _provenance(record))


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    yield from ("", f"## {title}", "")
    yield from lines


def _table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], right: int = 0
) -> Iterator[str]:
    """A table whose last `right` columns are numbers."""
    plain = len(headings) - right
    yield _row(headings)
    yield _row(["---" if place < plain else "--:" for place in range(len(headings))])
    for row in rows:
        yield _row(row)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _asked(record: Record) -> Iterator[str]:
    metric, model = record.metric, record.provenance.model
    formula = f": {metric.formula}" if metric.formula and metric.formula != metric.title else ""
    facts = {
        "model": f"{model.name} ({model.shape.n_layers} layers of {model.shape.n_heads} heads)",
        "pairs of prompts": f"{len(record.pairs):,}",
        "metric": f"{metric.title} at {metric.position}, in {metric.unit}{formula}",
        "mean of the clean prompts": _number(metric.clean),
        "mean of the corrupted prompts": _number(metric.corrupted),
        "nodes": "; ".join(f"{n.nodes:,} {n.kind}" for n in record.nodes),
        "methods": ", ".join(one.label for one in record.methods),
    }
    if record.pairs:
        facts["first clean prompt"] = record.pairs[0].clean.text
        facts["first corrupted prompt"] = record.pairs[0].corrupted.text
    yield from _table(("what", ""), ((name, escaped(text)) for name, text in facts.items()))


def _top(result: Result, label: str) -> Iterator[str]:
    rows = result.top_rows(TOP, label)
    if not rows:
        yield "No node has a score."
        return
    headings = ("#", "node", "position", "token", "measured")
    numbers = ("estimate", "mean \\|effect\\|", "effect")
    yield from _table((*headings, *numbers), (_node(row) for row in rows), right=3)
    unit = escaped(result.record.metric.effect_unit)
    yield ""
    yield f"Of {len(result.table):,} scores. Estimates and effects are in units: {unit}."


def _node(row: ScoreRow) -> tuple[str, ...]:
    name = short_name(row.kind, row.layer, row.index)
    token = "" if row.token is None else f"“{row.token}”"
    words = (str(row.rank), name, row.position, token, "yes" if row.verified else "no")
    numbers = (_number(row.estimate), _number(row.effect_abs), _number(row.effect, sign=True))
    return tuple(escaped(word) for word in words) + numbers


def _trust(record: Record) -> Iterator[str]:
    found = list(trust_lines(record))
    if not found:
        yield "Nothing was verified: every number is an estimate, or measured by its method."
    for line in found:
        yield f"- {escaped(line)}"


def _conventions(record: Record) -> Iterator[str]:
    for one in record.methods:
        yield f"- **{escaped(one.label)}** ({escaped(_kind(one))}): {escaped(one.formula)}."
        yield f"  Patched is the {escaped(one.base)} run, with values of the"
        yield f"  {escaped(one.donor)} one. Sign: {escaped(one.sign)}."
        yield f"  Absolute values: {escaped(one.absolute)}."
        if one.note:
            yield f"  {escaped(one.note)}."


def _kind(one: MethodRecord) -> str:
    return f"{one.method}, {one.direction}, {'exact' if one.exact else 'an estimate'}"


def _warnings(record: Record) -> Iterator[str]:
    for one in record.warnings:
        place = "" if one.line is None else f" (line {one.line})"
        yield f"- {escaped(one.code)}{escaped(place)}: {escaped(one.message)}"


def _provenance(record: Record) -> Iterator[str]:
    made, model = record.provenance, record.provenance.model
    facts = {
        "weights, SHA-256": model.weights_sha256,
        "tokenizer, SHA-256": model.tokenizer_sha256,
        "revision": model.revision or "none",
        "executor": f"{made.executor} on {made.device}, {made.dtype}",
        "seed": str(made.seed),
        **{f"version of {name}": version for name, version in made.versions.items()},
    }
    rows = ((escaped(name), escaped(text)) for name, text in facts.items())
    yield from _table(("what", ""), rows)
    yield ""
    yield "The spec:"
    yield ""
    # Indented by four spaces nothing is Markdown, whatever it holds.
    for line in record.spec.text.splitlines():
        yield f"    {harmless(line)}"


def _number(value: float | None, *, sign: bool = False) -> str:
    """With as many digits as tables of results have; a true minus is read as one by no tool."""
    if value is None:
        return ""
    return f"{value:+.4g}" if sign else f"{value:.4g}"


MARKDOWN = Exporter(
    name="markdown",
    suffixes=(".md",),
    summary="a report: what was asked, the top nodes, how far to trust them",
    write=write,
)
