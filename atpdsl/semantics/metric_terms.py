"""Computed metrics: from an expression to readings, numbers and what is done with them."""

from __future__ import annotations

import math
from collections.abc import Collection

from atpdsl.problems import Span
from atpdsl.registry import closest
from atpdsl.semantics.experiment import Text
from atpdsl.semantics.findings import Findings, did_you_mean, listed
from atpdsl.semantics.formulas import Formula
from atpdsl.semantics.metric_formula import Arithmetic, Constant, MetricTerm, Reading, TokenSet
from atpdsl.semantics.read_formulas import read_formula
from atpdsl.semantics.signature import Vocabulary
from atpdsl.semantics.texts import read_words
from atpdsl.syntax import tree as t

RIGHT, WRONG = "right", "wrong"
SIDES = (RIGHT, WRONG)
_SYMBOLS = ("+", "-", "*", "/")


class TermReader:
    """Reads one computed metric.

    Attributes:
        sets: the token sets met so far; readings hold their numbers.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        names: Collection[str],
        findings: Findings,
        *,
        complete: bool,
    ) -> None:
        """Begins a metric.

        Args:
            vocabulary: has the readings and the metrics with a name.
            names: what formulas may use of a pair.
            findings: takes the problems.
            complete: whether these are all names of the pairs.
        """
        self.metrics = tuple(signature.name for signature in vocabulary.metrics)
        self.readings = tuple(signature.name for signature in vocabulary.readings)
        self.names = names
        self.findings = findings
        self.complete = complete
        self.sets: list[TokenSet] = []

    def term(self, value: t.Expression) -> MetricTerm | None:
        """A part of the metric; None (and problems) if it is none."""
        match value:
            case t.Name():
                return self._name(value)
            case t.Number():
                return self._number(value)
            case t.Unary(operator="-", operand=operand):
                return _negative(self.term(operand))
            case t.Binary(operator=operator) if operator in _SYMBOLS:
                return self._binary(value)
            case t.Call():
                return self._call(value)
            case t.String():
                advice = f"read something of it, as in `{self._example()}`"
                self._refuse("a text is no number", value.span, advice)
                return None
            case _:
                advice = f"a metric is made of readings and `+ - * /`: `{self._example()}`"
                self._refuse("this has no place in a metric", value.span, advice)
                return None

    def _example(self) -> str:
        return 'logit(" {IO}") - logit(right)' if "IO" in self.names else "prob(right)"

    def _refuse(self, message: str, at: Span, advice: str) -> None:
        self.findings.error("ATP170", message, at, advice=advice)

    # ---- names, numbers and operators ----

    def _name(self, name: t.Name) -> Reading | None:
        if name.text in self.metrics:
            return Reading(reading=name.text)
        if name.text in self.readings:
            message = f"`{name.text}` does not say of which tokens"
            advice = f"write `{name.text}(right)`, or the words: `{name.text}([...])`"
            self.findings.error("ATP172", message, name.span, advice=advice)
            return None
        if name.text in SIDES:
            message = f"`{name.text}` is a set of tokens, and no number"
            self._refuse(message, name.span, f"write `prob({name.text})`")
            return None
        if name.text in self.names:
            message = f"`{name.text}` is a word of the prompts, and no number"
            advice = f'write `prob("{{{name.text}}}")`, with a space before it if need be'
            self._refuse(message, name.span, advice)
            return None
        self._unknown(name)
        return None

    def _unknown(self, name: t.Name) -> None:
        near = closest(name.text, (*self.metrics, *self.readings))
        calls = tuple(f"{reading}(...)" for reading in self.readings)
        advice = f"there are {listed((*calls, *self.metrics))}"
        message = f"there is no reading `{name.text}`"
        self.findings.error("ATP171", message, name.span, advice=did_you_mean(near, advice))

    def _number(self, number: t.Number) -> Constant | None:
        if number.unit:
            message = f"`{number.text}` has a unit, and factors have none"
            advice = f"write `{number.value / 100:g}`" if number.unit == "%" else ""
            self._refuse(message, number.span, advice or "write the number alone")
            return None
        return Constant(value=float(number.value))

    def _binary(self, value: t.Binary) -> MetricTerm | None:
        left, right = self.term(value.left), self.term(value.right)
        if value.operator == "/" and right == Constant(value=0.0):
            self.findings.error(
                "ATP173", "this divides by zero", value.right.span, advice="take another number"
            )
            return None
        if left is None or right is None:
            return None
        if isinstance(left, Constant) and isinstance(right, Constant):
            number = _folded(value.operator, left.value, right.value)
            if not math.isfinite(number):
                self._refuse("this number is too large", value.span, "take a smaller one")
                return None
            return Constant(value=number)
        return Arithmetic(operator=value.operator, left=left, right=right)

    # ---- readings of tokens ----

    def _call(self, call: t.Call) -> Reading | None:
        name = call.function
        tokens = self._argument(call)
        if not isinstance(name, t.Name):
            advice = f"readings are {listed(self.readings)}"
            self._refuse("this cannot be called", name.span, advice)
            return None
        if name.text in self.readings:
            return None if tokens is None else Reading(reading=name.text, tokens=tokens)
        if name.text in self.metrics:
            message = f"`{name.text}` takes no tokens"
            advice = f"write `{name.text}`"
            self.findings.error("ATP172", message, call.span, advice=advice)
            return None
        self._unknown(name)
        return None

    def _argument(self, call: t.Call) -> int | None:
        """The number of the token set that a reading is of."""
        for argument in call.arguments:
            if argument.position is not None:
                self._no_position(argument.position)
            if argument.name is not None:
                message = "tokens are given without a name"
                advice = "write them alone, as in `prob(right)`"
                self.findings.error("ATP172", message, argument.name.span, advice=advice)
        if len(call.arguments) != 1:
            self._not_one_argument(call)
            return None
        tokens = self._tokens(call.arguments[0].value)
        if tokens is None:
            return None
        self.sets.append(tokens)
        return len(self.sets) - 1

    def _no_position(self, position: t.Expression) -> None:
        self.findings.error(
            "ATP174",
            "a reading has no position of its own",
            position.span,
            advice="write `at` once, behind the whole metric: all of it is read there",
        )

    def _not_one_argument(self, call: t.Call) -> None:
        name = call.function
        if not (isinstance(name, t.Name) and name.text in self.readings):
            return
        count = len(call.arguments)
        says = f"has {count} arguments" if count else "does not say of which tokens"
        advice = f'write a list, `{name.text}([" a", " b"])`'
        advice = advice if count else f"write `{name.text}(right)`"
        message = f"`{name.text}` {says}"
        self.findings.error("ATP172", message, call.span, advice=advice)

    def _tokens(self, value: t.Expression) -> TokenSet | None:
        if isinstance(value, t.Name) and value.text in SIDES:
            return self._side(value)
        items = value.items if isinstance(value, t.ListOf) else (value,)
        if not items:
            message = "this list is empty"
            self.findings.error("ATP172", message, value.span, advice="put a text in it")
            return None
        before = len(self.findings)
        texts = tuple(text for item in items for text in self._texts(item))
        if len(self.findings) > before:
            return None
        return TokenSet(texts=texts, span=value.span)

    def _side(self, name: t.Name) -> TokenSet | None:
        if name.text in self.names:
            message = f"`{name.text}` is a word of these prompts and a side of the answers"
            advice = f'give the word another name, or for its text write `"{{{name.text}}}"`'
            self.findings.error("ATP172", message, name.span, advice=advice)
            return None
        return TokenSet(side=name.text, span=name.span)

    def _texts(self, item: t.Expression) -> tuple[Text | Formula, ...]:
        """One item of a set; numbers keep the form in which they are written, as `02..98`."""
        if isinstance(item, t.Name) and item.text in SIDES:
            message = f"`{item.text}` stands alone, not in a list"
            advice = f"add two readings: `prob({item.text}) + prob([...])`"
            self.findings.error("ATP172", message, item.span, advice=advice)
            return ()
        if isinstance(item, t.Number) or _is_plain_range(item):
            words = read_words(item, self.findings)
            return tuple(Text(text=word, span=item.span) for word in words)
        formula = read_formula(item, self.names, self.findings, complete=self.complete)
        return () if formula is None else (formula,)


def _is_plain_range(value: t.Expression) -> bool:
    ends = (value.first, value.last) if isinstance(value, t.RangeOf) else ()
    return any(isinstance(end, t.Number) for end in ends) and all(
        end is None or isinstance(end, t.Number) for end in ends
    )


def _negative(term: MetricTerm | None) -> MetricTerm | None:
    if isinstance(term, Constant):
        return Constant(value=-term.value)
    if term is None:
        return None
    return Arithmetic(operator="*", left=Constant(value=-1.0), right=term)


def _folded(operator: str, left: float, right: float) -> float:
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case _:
            return left / right
