"""What stands in the brackets of a selection: `[L8..L11]`, `[L9H6, L10H0]`, `[L3N200]`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from atpdsl.problems import Span
from atpdsl.problems.fixes import replaced
from atpdsl.semantics.conditions import Range
from atpdsl.semantics.findings import Findings
from atpdsl.semantics.numbers import whole_number
from atpdsl.syntax import tree as t

_NAME = re.compile(r"L(\d{1,6})(?:([HN])(\d{1,9}))?", re.ASCII)
LETTERS = {"head": "H", "kv_head": "H", "neuron": "N"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """A choice of layers and, in them, of heads or neurons; None is all."""

    layers: tuple[Range, ...] | None
    indices: tuple[Range, ...] | None


@dataclass(frozen=True, slots=True)
class _Point:
    """`L9`, `L9H6` or `9`."""

    layer: int
    index: int | None


def is_head_name(value: t.Expression) -> bool:
    """Whether a value is `L9H6` or `L9H0..L9H3`: heads, wherever it stands."""
    if isinstance(value, t.RangeOf):
        ends = (value.first, value.last)
        return all(end is not None and is_head_name(end) for end in ends)
    match = _NAME.fullmatch(value.text) if isinstance(value, t.Name) else None
    return match is not None and match[2] == "H"


def read_units(
    items: Iterable[t.Expression], unit: str, findings: Findings
) -> tuple[Units, ...]:
    """The choices in brackets: all whole layers together, and each head by itself.

    Args:
        items: what stands in the brackets.
        unit: what the kind's index counts: `head`, `kv_head`, `neuron` or `vector`.
        findings: takes the problems.
    """
    reader = _Reader(unit, findings)
    found = [units for item in items if (units := reader.read(item)) is not None]
    layers = tuple(r for units in found if units.indices is None for r in units.layers or ())
    single = tuple(units for units in found if units.indices is not None)
    whole = (Units(layers=layers, indices=None),) if layers else ()
    return (*whole, *single)


class _Reader:
    def __init__(self, unit: str, findings: Findings) -> None:
        self.letter = LETTERS.get(unit, "")
        self.findings = findings

    def read(self, item: t.Expression) -> Units | None:
        if isinstance(item, t.RangeOf):
            return self._range(item)
        point = self._point(item)
        return None if point is None else _between(point, point)

    def _range(self, item: t.RangeOf) -> Units | None:
        first = None if item.first is None else self._point(item.first)
        last = None if item.last is None else self._point(item.last)
        if (item.first is not None and first is None) or (
            item.last is not None and last is None
        ):
            return None
        if first is None or last is None:
            return self._open(first, last, item.span)
        if (first.index is None) != (last.index is None) or (
            first.index is not None and first.layer != last.layer
        ):
            self.findings.error(
                "ATP225",
                "this range goes over heads of several layers",
                item.span,
                advice="write `[L8..L11]` for whole layers and `where head in 0..3` for heads",
            )
            return None
        if (first.layer, first.index or 0) > (last.layer, last.index or 0):
            self.findings.error(
                "ATP225",
                "this range runs backwards",
                item.span,
                advice="write the smaller number first; both ends are included",
            )
            return None
        return _between(first, last)

    def _open(self, first: _Point | None, last: _Point | None, span: Span) -> Units | None:
        end = first or last
        if end is None or end.index is not None:
            self.findings.error(
                "ATP225",
                "only a range of layers may be open",
                span,
                advice="write `[L8..]`, `[..L3]`, or both ends",
            )
            return None
        layers = Range(
            first=None if first is None else first.layer,
            last=None if last is None else last.layer,
        )
        return Units(layers=(layers,), indices=None)

    def _point(self, value: t.Expression) -> _Point | None:
        layer = whole_number(value)
        if layer is not None:
            return _Point(layer, None)
        match = _NAME.fullmatch(value.text) if isinstance(value, t.Name) else None
        if match is not None and match[2] in (None, self.letter):
            return _Point(int(match[1]), None if match[3] is None else int(match[3]))
        self._bad_point(value, match)
        return None

    def _bad_point(self, value: t.Expression, match: re.Match[str] | None) -> None:
        fix = None
        message = "this is no layer"
        example = f" or `[L9{self.letter}6]`" if self.letter else ""
        advice = f"write `[L9]`, `[L8..L11]`{example}"
        if match is not None:
            has = {"H": "heads", "N": "neurons"}[match[2]]
            message = f"nodes of this kind have no {has}"
        elif isinstance(value, t.Number) and "." in value.text:
            layer, _, index = value.text.partition(".")
            message = "heads and neurons are not written with a dot"
            name = f"L{layer}{self.letter or 'H'}{index}"
            advice = f"write `[{name}]`"
            fix = replaced(value.span, name) if self.letter else None
        self.findings.error("ATP222", message, value.span, advice=advice, fix=fix)


def _between(first: _Point, last: _Point) -> Units:
    layers = (Range(first=first.layer, last=last.layer),)
    if first.index is None:
        return Units(layers=layers, indices=None)
    return Units(layers=layers, indices=(Range(first=first.index, last=last.index),))
