"""`sweep`: the values of each name, and the points of the grid that they make."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from atpdsl.elaboration.constants import negative, plain_text
from atpdsl.elaboration.modules import Named
from atpdsl.problems import Label, Span
from atpdsl.semantics.findings import Findings
from atpdsl.semantics.numbers import whole_number
from atpdsl.syntax import tree as t

MOST_POINTS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A name and the values that it takes, one after the other."""

    named: Named
    name: str
    values: tuple[t.Expression, ...]


def axis_values(
    value: t.Expression, name: str, at: Span, findings: Findings
) -> tuple[t.Expression, ...] | None:
    """The values of a `sweep`, in order; None (and a problem) if there are none.

    Args:
        value: a list or a range.
        name: of the sweep.
        at: where to point where the value has no place of its own.
        findings: takes the problems.
    """
    items = value.items if isinstance(value, t.ListOf) else (value,)
    if not isinstance(value, t.ListOf | t.RangeOf) or not items:
        what = "is empty" if isinstance(value, t.ListOf) else "wants a list or a range"
        advice = f'write `sweep {name} in ["70m", "160m"]` or `sweep {name} in 0..2`'
        findings.error("ATP145", f"`sweep {name}` {what}", at, advice=advice)
        return None
    found: list[t.Expression] = []
    for item in items:
        values = _item(item, name, at, findings)
        if values is None:
            return None
        found += values
        if len(found) > MOST_POINTS:
            too_many(len(found), at, findings)
            return None
    return None if _same(found, name, findings) else tuple(found)


def _item(
    item: t.Expression, name: str, at: Span, findings: Findings
) -> tuple[t.Expression, ...] | None:
    if isinstance(item, t.RangeOf):
        return _range(item, name, at, findings)
    if isinstance(item, t.String | t.Number | t.Name) or negative(item) is not None:
        return (item,)
    findings.error(
        "ATP145",
        f"a value of `sweep {name}` is a number, a text or a word",
        item.span,
        advice=f'write `sweep {name} in ["70m", "160m"]` or `sweep {name} in 0..2`',
    )
    return None


def _range(
    value: t.RangeOf, name: str, at: Span, findings: Findings
) -> tuple[t.Expression, ...] | None:
    first, last = whole_number(value.first), whole_number(value.last)
    if first is None or last is None or first > last:
        message = (
            f"the range of `sweep {name}` runs backwards"
            if first is not None and last is not None
            else f"the range of `sweep {name}` wants a whole number at both ends"
        )
        findings.error("ATP145", message, value.span, advice="write `0..2`: 0, 1 and 2")
        return None
    if last - first >= MOST_POINTS:
        too_many(last - first + 1, at, findings)
        return None
    written = value.first.text if isinstance(value.first, t.Number) else ""
    width = len(written) if written.startswith("0") else 0
    return tuple(
        t.Number(str(number).zfill(width), number, "", value.span)
        for number in range(first, last + 1)
    )


def _same(values: list[t.Expression], name: str, findings: Findings) -> bool:
    """Whether a value stands twice, which is a problem."""
    seen: dict[str, Span] = {}
    for value in values:
        text = plain_text(value) or ""
        if text in seen:
            findings.error(
                "ATP145",
                f"`sweep {name}` has the value `{text}` twice",
                value.span,
                advice="remove one of the two",
                also=(Label(seen[text], "the first is here"),),
            )
            return True
        seen[text] = value.span
    return False


def too_many(number: int, at: Span, findings: Findings, product: str = "") -> None:
    """Adds the problem of a grid of more than `MOST_POINTS` points."""
    findings.error(
        "ATP146",
        f"these are {product}{number:,} points; at most {MOST_POINTS:,} can be run",
        at,
        advice="sweep over fewer values, or choose some with `-p NAME=value`",
    )


def cells(axes: tuple[Axis, ...], findings: Findings) -> Iterator[tuple[t.Expression, ...]]:
    """The values of all axes at each cell of the grid, those of the last changing fastest."""
    number = 1
    for axis in axes:
        number *= len(axis.values)
    if number > MOST_POINTS:
        product = " x ".join(str(len(axis.values)) for axis in axes) + " = "
        too_many(number, axes[-1].named.span, findings, product if len(axes) > 1 else "")
        yield tuple(axis.values[0] for axis in axes)
        return
    yield from itertools.product(*(axis.values for axis in axes))
