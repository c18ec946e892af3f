"""Computed metrics, `prob(right) - 0.5 * prob(wrong)`: readings, numbers and `+ - * /`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from atpdsl.metrics.metric import Logits, Metric, Targets
from atpdsl.metrics.readings import READINGS
from atpdsl.registry import Registry
from atpdsl.semantics.metric_formula import (
    Arithmetic,
    Constant,
    MetricFormula,
    MetricTerm,
    Reading,
    readings_of,
)
from atpdsl.semantics.signature import Signature

if TYPE_CHECKING:
    from torch import Tensor

# The unit of a number that has none, as a ratio of two probabilities.
RATIO = "ratio"
MIXED = "mixed units"


@dataclass(frozen=True, slots=True)
class _Slope:
    """What is known by definition at the clean run: the value is zero, the gradient is."""

    zero: bool
    flat: bool


def computed(name: str, formula: MetricFormula, named: Registry[Metric]) -> Metric:
    """The metric that a formula computes.

    Args:
        name: what it is called.
        formula: how it is computed.
        named: the metrics that may be used in it by their names.
    """
    computation = _Computation(formula, named)
    used = computation.metrics()
    return Metric(
        signature=Signature(
            name=name,
            summary=formula.text,
            differentiable=all(part.differentiable for part in computation.signatures()),
        ),
        measure=computation.measure,
        unit=computation.unit(formula.term) or RATIO,
        needs_reference=any(metric.needs_reference for metric in used),
        of_logits=computation.of_logits(),
        flat_at_clean=computation.slope(formula.term).flat,
    )


@dataclass(frozen=True, slots=True)
class _Computation:
    formula: MetricFormula
    named: Registry[Metric]

    def measure(self, logits: Logits, targets: Targets) -> Tensor:
        """[pair]."""
        value = self._value(self.formula.term, logits, targets)
        if isinstance(value, float):
            raise TypeError(f"`{self.formula.text}` reads nothing")
        return value

    def _value(self, term: MetricTerm, logits: Logits, targets: Targets) -> Tensor | float:
        match term:
            case Constant(value=value):
                return value
            case Reading():
                return self._reading(term, logits, targets)
            case Arithmetic(operator=operator, left=left, right=right):
                one = self._value(left, logits, targets)
                other = self._value(right, logits, targets)
                return _combined(operator, one, other)

    def _reading(self, term: Reading, logits: Logits, targets: Targets) -> Tensor:
        if term.tokens is None:
            return self.named[term.reading].measure(logits, targets)
        return READINGS[term.reading].read(logits, targets.sets[term.tokens])

    # ---- what can be known without numbers ----

    def _readings(self) -> tuple[Reading, ...]:
        return readings_of(self.formula.term)

    def metrics(self) -> tuple[Metric, ...]:
        """The metrics with a name that are used."""
        return tuple(self.named[r.reading] for r in self._readings() if r.tokens is None)

    def of_logits(self) -> bool:
        """Whether nothing but logits of tokens is read."""
        readings = self._readings()
        own = (READINGS[r.reading].of_logits for r in readings if r.tokens is not None)
        return all(own) and all(metric.of_logits for metric in self.metrics())

    def signatures(self) -> tuple[Signature, ...]:
        """Of everything that is read."""
        own = (READINGS[r.reading].signature for r in self._readings() if r.tokens is not None)
        return (*own, *(metric.signature for metric in self.metrics()))

    def unit(self, term: MetricTerm) -> str:
        """What a term is measured in; "" for a bare number."""
        match term:
            case Constant():
                return ""
            case Reading(reading=name, tokens=None):
                return self.named[name].unit
            case Reading(reading=name):
                return READINGS[name].unit
            case Arithmetic(operator=operator, left=left, right=right):
                return _UNITS[operator](self.unit(left), self.unit(right))

    def slope(self, term: MetricTerm) -> _Slope:
        """Whether a term and its gradient are zero at the clean run, whatever the model."""
        match term:
            case Constant(value=value):
                return _Slope(zero=value == 0, flat=True)
            case Reading(reading=name, tokens=None) if self.named[name].flat_at_clean:
                return _Slope(zero=True, flat=True)
            case Reading():
                return _Slope(zero=False, flat=False)
            case Arithmetic(operator=operator, left=left, right=right):
                return _combined_slope(operator, self.slope(left), self.slope(right))


def _combined(operator: str, one: Tensor | float, other: Tensor | float) -> Tensor | float:
    match operator:
        case "+":
            return one + other
        case "-":
            return one - other
        case "*":
            return one * other
        case _:
            return one / other


def _combined_slope(operator: str, one: _Slope, other: _Slope) -> _Slope:
    """(ab)' = a'b + ab'; the numerator of (a/b)' has the same two parts."""
    if operator in ("+", "-"):
        return _Slope(zero=one.zero and other.zero, flat=one.flat and other.flat)
    if operator == "*":
        flat = (one.flat or other.zero) and (other.flat or one.zero)
        return _Slope(zero=one.zero or other.zero, flat=flat)
    return _Slope(zero=one.zero, flat=one.flat and (other.flat or one.zero))


def _unit_of_sum(one: str, other: str) -> str:
    if one == other or not other:
        return one
    return MIXED if one else other


def _unit_of_product(one: str, other: str) -> str:
    return f"{one} x {other}" if one and other else one or other


def _unit_of_ratio(one: str, other: str) -> str:
    if not other:
        return one
    below = f"({other})" if " " in other else other
    return "" if one == other else f"{one or 1} / {below}"


_UNITS: Mapping[str, Callable[[str, str], str]] = {
    "+": _unit_of_sum,
    "-": _unit_of_sum,
    "*": _unit_of_product,
    "/": _unit_of_ratio,
}
