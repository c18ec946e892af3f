"""Numbers in expressions: counts, shares, and others."""

from __future__ import annotations

import math
from fractions import Fraction

from atpdsl.syntax import tree as t


def written(number: t.Number) -> str:
    """A number as it stands in texts: as written, but for the `_` between its digits."""
    return number.text.replace("_", "")


def whole_number(value: t.Expression | None) -> int | None:
    """The value of a whole number without a unit; None for anything else."""
    if isinstance(value, t.Number) and isinstance(value.value, int) and not value.unit:
        return value.value
    return None


def number_of(value: t.Expression | None) -> int | float | None:
    """The value of a number without a unit, with its sign; None for anything else."""
    match value:
        case t.Unary(operator="-", operand=t.Number(value=number, unit="")):
            return -number
        case t.Number(value=number, unit=""):
            return number
        case _:
            return None


def share_of(value: t.Expression | None) -> float | None:
    """The share that a percentage is, 0.05 for `5%`; None for others, and above 100%."""
    if isinstance(value, t.Number) and value.unit == "%" and value.value <= 100:
        return hundredths(value)
    return None


def hundredths(number: t.Number) -> float:
    """What a percentage is: 0.999 for `99.9%`, and not 0.9990000000000001."""
    return float(Fraction(str(number.value)) / 100)


def percentage(share: float) -> str:
    """A share as it is written, `5%` for 0.05."""
    return f"{share * 100:.12g}%"


def part_of(share: float, whole: int) -> int:
    """So many are at least a share of all."""
    # 7% of 100 is 7.000000000000001 in floating point, and still 7.
    return math.ceil(share * whole - 1e-9)
