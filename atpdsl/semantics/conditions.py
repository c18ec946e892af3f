"""Ranges of numbers, and conditions on the layers, heads and neurons of nodes."""

from __future__ import annotations

from dataclasses import dataclass

from atpdsl.problems import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Both ends included; None is an open end."""

    first: int | None
    last: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One term of a `where`: `layer >= 5`, `head in 0..3`."""

    axis: str
    operator: str
    values: tuple[Range, ...]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Negation:
    """`not` and a condition."""

    operand: Condition
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class AllOf:
    """Conditions joined by `and`."""

    operands: tuple[Condition, ...]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf:
    """Conditions joined by `or`."""

    operands: tuple[Condition, ...]
    span: Span


Condition = Comparison | Negation | AllOf | AnyOf
