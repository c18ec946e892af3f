"""Amounts of memory and of time: numbers with a unit, as `4GB` and `10min`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType

from atpdsl.syntax import tree as t
from atpdsl.syntax.words import SPELLINGS

BYTES: Mapping[str, int] = MappingProxyType(
    {
        "kB": 10**3,
        "MB": 10**6,
        "GB": 10**9,
        "TB": 10**12,
        "KiB": 2**10,
        "MiB": 2**20,
        "GiB": 2**30,
        "TiB": 2**40,
    }
)
SECONDS: Mapping[str, int] = MappingProxyType({"s": 1, "min": 60, "h": 3600})
UNITS: Mapping[str, Mapping[str, int]] = MappingProxyType({"bytes": BYTES, "time": SECONDS})
"""The units of each type of key that has some, and how many bytes or seconds they are."""
EXAMPLES: Mapping[str, str] = MappingProxyType({"bytes": "4GB", "time": "10min"})
# Letters that mean a unit where its kind is known.
_LETTERS: Mapping[str, str] = MappingProxyType(
    {"k": "kB", "m": "MB", "g": "GB", "t": "TB", "ki": "KiB", "mi": "MiB", "gi": "GiB"}
)


def quantity_of(value: t.Expression, kind: str) -> int | float | None:
    """What a number with a unit is: whole bytes, or seconds; None for anything else."""
    if not isinstance(value, t.Number) or value.unit not in UNITS[kind]:
        return None
    exact = Fraction(str(value.value)) * UNITS[kind][value.unit]
    return int(exact) if kind == "bytes" else float(exact)


def meant_unit(unit: str, kind: str) -> str | None:
    """The unit of a kind that another spelling means; None where that is not known."""
    written = unit.lower()
    meant = _LETTERS.get(written, SPELLINGS.get(written))
    if kind == "time" and unit.lower() == "m":
        return "min"
    return meant if meant in UNITS[kind] else None


def units_in_words(kind: str) -> str:
    """`s, min or h`, with the marks that words of the language have."""
    *others, last = (f"`{unit}`" for unit in UNITS[kind])
    return f"{', '.join(others)} or {last}"


def spelled(quantity: float, kind: str) -> str:
    """Bytes or seconds as they are written in a spec, rounded up to two digits: `1.3GB`."""
    decimal = {"bytes": ("kB", "MB", "GB", "TB"), "time": tuple(SECONDS)}[kind]
    fitting = [unit for unit in decimal if quantity >= UNITS[kind][unit]]
    unit = fitting[-1] if fitting else decimal[0]
    number = quantity / UNITS[kind][unit]
    step = 10.0 ** (math.floor(math.log10(number)) - 1) if number > 0 else 1.0
    # So that 1.3 is not rounded up to 1.4 for its last binary digit.
    return f"{math.ceil(number / step - 1e-9) * step:.12g}{unit}"
