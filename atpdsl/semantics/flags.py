"""`flag = index >= 5 and direct < 0`: for which nodes a diagnostic warns."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from atpdsl.registry import closest
from atpdsl.semantics.diagnosis import (
    FLAG_QUANTITIES,
    Arithmetic,
    Column,
    Flag,
    FlagCondition,
    FlagQuantity,
    Not,
    Number,
    Several,
    Test,
)
from atpdsl.semantics.findings import Findings, did_you_mean, listed
from atpdsl.semantics.numbers import hundredths
from atpdsl.syntax import tree as t
from atpdsl.syntax.written import as_text

COMPARISONS = ("<", "<=", "==", "!=", ">=", ">")
ARITHMETIC = ("+", "-", "*", "/")


def _test(name: str, operator: str, number: float) -> Test:
    return Test(operator=operator, left=Column(name=name), right=Number(value=number))


DEFAULT_FLAGS: Mapping[str, Flag] = MappingProxyType(
    {
        "cancellation": Flag(condition=_test("index", ">=", 5.0), text="index >= 5"),
        "saturation": Flag(
            condition=Several(
                operator="and",
                operands=(_test("disagreement", ">", 0.5), _test("change", ">", 0.1)),
            ),
            text="disagreement > 0.5 and change > 0.1",
        ),
        "uncertainty": Flag(condition=_test("sign_flips", ">", 0.25), text="sign_flips > 25%"),
    }
)
"""What holds where a diagnostic has no `flag`."""


def read_flag(value: t.Expression, part: str, findings: Findings) -> Flag | None:
    """The condition behind `flag =`; None (and a problem) where it cannot be read.

    Args:
        value: the condition, with values for the names of the file.
        part: the diagnostic, whose quantities it may ask for.
        findings: takes the problems.
    """
    condition = _Reader(part, findings).condition(value)
    return None if condition is None else Flag(condition=condition, text=as_text(value))


def columns_of(part: FlagCondition | FlagQuantity) -> frozenset[str]:
    """The quantities that a flag asks for."""
    match part:
        case Column(name=name):
            return frozenset({name})
        case Number():
            return frozenset()
        case Test(left=left, right=right) | Arithmetic(left=left, right=right):
            return columns_of(left) | columns_of(right)
        case Not(operand=operand):
            return columns_of(operand)
        case Several(operands=operands):
            return frozenset().union(*map(columns_of, operands))


class _Reader:
    """Reads the flag of one diagnostic; None stands for what cannot be read, and was told."""

    def __init__(self, part: str, findings: Findings) -> None:
        self.part = part
        self.findings = findings
        self.example = f"write a comparison, as in `flag = {DEFAULT_FLAGS[part].text}`"

    # ---- what holds or not ----

    def condition(self, value: t.Expression) -> FlagCondition | None:
        """What holds of a node or not."""
        match value:
            case t.Binary(operator="and" | "or" as operator):
                return self._several(value, operator)
            case t.Unary(operator="not"):
                operand = self.condition(value.operand)
                return None if operand is None else Not(operand=operand)
            case t.Binary(operator=operator) if operator in COMPARISONS:
                return self._comparison(value)
            case _:
                self._refuse("this is neither true nor false", value)
                return None

    def _several(self, value: t.Binary, operator: str) -> Several | None:
        sides = [self.condition(value.left), self.condition(value.right)]
        operands: list[FlagCondition] = []
        for side in sides:
            if side is None:
                return None
            alike = isinstance(side, Several) and side.operator == operator
            operands += side.operands if isinstance(side, Several) and alike else (side,)
        return Several(operator=operator, operands=tuple(operands))

    def _comparison(self, value: t.Binary) -> Test | None:
        left, right = self._quantity(value.left), self._quantity(value.right)
        if left is None or right is None:
            return None
        test = Test(operator=value.operator, left=left, right=right)
        if not columns_of(test):
            self._refuse("this asks for nothing that nodes have", value)
            return None
        return test

    def _refuse(self, message: str, value: t.Expression) -> None:
        self.findings.error("ATP180", message, value.span, advice=self.example)

    # ---- numbers ----

    def _quantity(self, value: t.Expression) -> FlagQuantity | None:
        match value:
            case t.Number():
                return self._number(value)
            case t.Unary(operator="-", operand=t.Number() as number):
                size = self._number(number)
                return None if size is None else Number(value=-size.value)
            case t.Unary(operator="-"):
                operand = self._quantity(value.operand)
                if operand is None:
                    return None
                return Arithmetic(operator="-", left=Number(value=0.0), right=operand)
            case t.Binary(operator=operator) if operator in ARITHMETIC:
                left, right = self._quantity(value.left), self._quantity(value.right)
                if left is None or right is None:
                    return None
                return Arithmetic(operator=operator, left=left, right=right)
            case t.Name(text=text):
                return self._column(text, value)
            case _:
                self._refuse("a number is wanted here, or a quantity of nodes", value)
                return None

    def _number(self, value: t.Number) -> Number | None:
        if value.unit not in ("", "%"):
            message = f"`{value.unit}` is no unit of a diagnostic"
            advice = "write a number, or a percentage as `90%`"
            self.findings.error("ATP109", message, value.span, advice=advice)
            return None
        return Number(value=hundredths(value) if value.unit else float(value.value))

    def _column(self, name: str, at: t.Name) -> Column | None:
        own = FLAG_QUANTITIES[self.part]
        if name in own:
            return Column(name=name)
        others = [part for part, names in FLAG_QUANTITIES.items() if name in names]
        advice = did_you_mean(closest(name, own), f"there are {listed(tuple(own))}")
        if others:
            advice = f"`{name}` belongs to `{others[0]}`; here are {listed(tuple(own))}"
        message = f"`{self.part}` has no quantity `{name}`"
        self.findings.error("ATP181", message, at.span, advice=advice)
        return None
