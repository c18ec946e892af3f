"""Whole numbers in expressions."""

from __future__ import annotations

from atpdsl.syntax import tree as t


def whole_number(value: t.Expression | None) -> int | None:
    """The value of a whole number without a unit; None for anything else."""
    if isinstance(value, t.Number) and isinstance(value.value, int) and not value.unit:
        return value.value
    return None
