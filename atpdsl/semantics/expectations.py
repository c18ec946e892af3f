"""`expect { ... }`: what the result has to fulfil, line by line."""

from __future__ import annotations

from collections.abc import Iterable

from atpdsl.problems import Source
from atpdsl.semantics.claims import (
    Amount,
    Asked,
    Calculated,
    Claim,
    Compared,
    Denied,
    Joined,
    Quantity,
    questions,
)
from atpdsl.semantics.experiment import Expectation
from atpdsl.semantics.findings import Findings, did_you_mean
from atpdsl.semantics.questions import Questions
from atpdsl.semantics.quoting import as_written
from atpdsl.semantics.result_functions import FUNCTION_OF
from atpdsl.semantics.schema import SHAPE_OF
from atpdsl.semantics.settings import read_settings
from atpdsl.syntax import tree as t

COMPARISONS = ("<", "<=", "==", "!=", ">=", ">")
ARITHMETIC = ("+", "-", "*", "/")


def read_expectations(
    block: t.Block, source: Source, asking: Questions, findings: Findings
) -> tuple[Expectation, ...]:
    """The lines of an `expect` block that can be read.

    Args:
        block: the statement.
        source: the text, from which the lines are quoted.
        asking: reads what a line asks of the result.
        findings: takes the problems.
    """
    reader = _Reader(asking, findings)
    found: list[Expectation] = []
    for line in block.body.statements:
        if isinstance(line, t.Select):
            for item in _items(line, findings):
                condition = reader.read(item)
                if condition is not None:
                    text = as_written(source, item.span)
                    found.append(Expectation(condition=condition, text=text, span=item.span))
        elif isinstance(line, t.Setting):
            _assigned(line, findings)
    others = tuple(s for s in block.body.statements if not isinstance(s, t.Setting | t.Select))
    rest = t.Body(statements=others, span=block.body.span, broken=block.body.broken)
    read_settings(rest, SHAPE_OF["expect"], findings)
    if not block.body.statements and not block.body.broken:
        advice = "write `recall(top = 20) >= 90%`"
        findings.error("ATP163", "nothing is expected", block.word.span, advice=advice)
    return tuple(found)


def _items(line: t.Select, findings: Findings) -> Iterable[t.Expression]:
    """The expectations of a line; a problem if it has what belongs to a selection."""
    extra = (*line.targets, *line.positions)
    if line.where is not None:
        extra = (*extra, line.where)
    if not extra and line.body is None:
        return line.items
    span = extra[0].span if extra else line.body.span if line.body else line.span
    findings.error(
        "ATP107",
        "this has no place after an expectation",
        span,
        advice="a position stands with its node, as in `has(L9H6 at last)`",
    )
    return ()


def _assigned(line: t.Setting, findings: Findings) -> None:
    name = line.name.text
    known = name in FUNCTION_OF
    findings.error(
        "ATP107",
        "`=` sets a value; an expectation compares",
        line.name.span,
        advice=f"write `{name if known else 'recall(top = 20)'} >= ...` or `== ...`",
    )


class _Reader:
    """Reads lines; None stands for what cannot be read, and was told."""

    def __init__(self, asking: Questions, findings: Findings) -> None:
        self.asking = asking
        self.findings = findings

    def read(self, value: t.Expression) -> Claim | None:
        """A line."""
        claim = self._claim(value)
        if claim is not None and not questions(claim):
            self.findings.error(
                "ATP163",
                "this asks nothing of the result",
                value.span,
                advice="write `recall(top = 20) >= 90%`, or `gap > 1`",
            )
            return None
        return claim

    # ---- what holds or not ----

    def _claim(self, value: t.Expression) -> Claim | None:
        match value:
            case t.Binary(operator="and" | "or" as operator):
                left, right = self._claim(value.left), self._claim(value.right)
                if left is None or right is None:
                    return None
                return Joined(operator=operator, operands=(left, right))
            case t.Unary(operator="not"):
                operand = self._claim(value.operand)
                return None if operand is None else Denied(operand=operand)
            case t.Binary(operator=operator) if operator in COMPARISONS:
                return self._comparison(value)
            case t.Name() | t.Call():
                return self._held(value)
            case _:
                self._no_claim(value, "this is neither true nor false")
                return None

    def _held(self, value: t.Name | t.Call) -> Asked | None:
        asked = self.asking.read(value)
        if asked is not None and FUNCTION_OF[asked.function].gives != "truth":
            self._no_claim(value, f"`{asked.function}` is a number, neither true nor false")
            return None
        return asked

    def _no_claim(self, value: t.Expression, message: str) -> None:
        advice = "compare it, as in `recall(top = 20) >= 90%`"
        self.findings.error("ATP163", message, value.span, advice=advice)

    def _comparison(self, value: t.Binary) -> Compared | None:
        left, right = self._quantity(value.left), self._quantity(value.right)
        if left is None or right is None:
            return None
        for side, other in ((left, value.right), (right, value.left)):
            counts = isinstance(side, Asked) and FUNCTION_OF[side.function].gives == "count"
            if counts and isinstance(other, t.Number) and other.unit:
                message = "this is compared with a number of nodes"
                advice = "write a whole number, as in `misses <= 3`"
                self.findings.error("ATP109", message, other.span, advice=advice)
                return None
        return Compared(operator=value.operator, left=left, right=right)

    # ---- numbers ----

    def _quantity(self, value: t.Expression) -> Quantity | None:
        match value:
            case t.Number():
                return self._number(value)
            case t.Unary(operator="-"):
                operand = self._quantity(value.operand)
                if operand is None:
                    return None
                return Calculated(operator="-", left=Amount(value=0.0), right=operand)
            case t.Binary(operator=operator) if operator in ARITHMETIC:
                left, right = self._quantity(value.left), self._quantity(value.right)
                if left is None or right is None:
                    return None
                return Calculated(operator=operator, left=left, right=right)
            case t.Name() | t.Call():
                return self._numeric(value)
            case _:
                message = "a number is wanted here"
                advice = "write a number, a percentage, or a function such as `gap`"
                self.findings.error("ATP163", message, value.span, advice=advice)
                return None

    def _number(self, value: t.Number) -> Amount | None:
        if value.unit not in ("", "%"):
            message = f"`{value.unit}` is no unit of a result"
            advice = did_you_mean(None, "write a number, or a percentage as `90%`")
            self.findings.error("ATP109", message, value.span, advice=advice)
            return None
        return Amount(value=float(value.value) / (100 if value.unit else 1))

    def _numeric(self, value: t.Name | t.Call) -> Asked | None:
        asked = self.asking.read(value)
        if asked is not None and FUNCTION_OF[asked.function].gives == "truth":
            message = f"`{asked.function}` holds or not, and is no number"
            advice = f"write it alone: `{asked.text}`, or `not {asked.text}`"
            self.findings.error("ATP163", message, value.span, advice=advice)
            return None
        return asked
