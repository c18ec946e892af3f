"""From expressions to formulas: names, functions and forms are checked."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from atpdsl.problems import Span
from atpdsl.registry import closest
from atpdsl.semantics.findings import Findings, did_you_mean, listed
from atpdsl.semantics.formulas import SWITCHES, Formula, FormulaError, evaluate
from atpdsl.semantics.functions import FUNCTIONS, SYNONYMS, Function
from atpdsl.semantics.template import TemplateError, parse_template
from atpdsl.syntax import tree as t
from atpdsl.syntax.walk import parts_of

ROW = "row"


def read_formula(
    expression: t.Expression,
    names: Collection[str],
    findings: Findings,
    *,
    complete: bool = True,
) -> Formula | None:
    """The formula that an expression is; None (and problems) if it is none.

    Args:
        expression: what is written.
        names: what it may use; with `row` also the columns of a file.
        findings: takes the problems.
        complete: whether these are all names; if not, unknown ones are passed over.
    """
    before = len(findings)
    reader = _Reader(names, findings, complete=complete)
    reader.check(expression)
    if len(findings) > before:
        return None
    formula = Formula(expression=expression, span=expression.span)
    if not reader.used and not reader.asks_tokenizer:
        return _constant(formula, findings)
    return formula


def names_in(expression: t.Expression) -> Iterator[tuple[str, Span]]:
    """The names of pairs that a formula uses, each with its place; `row` for a column."""
    reader = _Reader((), Findings(), complete=False)
    reader.check(expression)
    yield from reader.used


def _constant(formula: Formula, findings: Findings) -> Formula | None:
    """A formula that is the same in every pair, if it has a value."""
    try:
        evaluate(formula, {}, None)
    except FormulaError as error:
        findings.error("ATP233", error.message, error.span, advice=error.advice)
        return None
    return formula


class _Reader:
    """Goes through an expression.

    Attributes:
        used: the names met, known or not, with their places.
        asks_tokenizer: whether a function needs the tokenizer.
    """

    def __init__(
        self, names: Collection[str], findings: Findings, *, complete: bool = True
    ) -> None:
        self.names = names
        self.findings = findings
        self.complete = complete
        self.used: list[tuple[str, Span]] = []
        self.asks_tokenizer = False

    def check(self, expression: t.Expression) -> None:
        """Checks an expression and all in it."""
        match expression:
            case t.Name():
                self._name(expression)
            case t.Number():
                self._number(expression)
            case t.String():
                self._string(expression)
            case t.Attribute():
                self._attribute(expression)
            case t.Call():
                self._call(expression)
            case t.Index():
                advice = "a list is written alone, `[a, b]`"
                self._refuse("brackets behind a name have no meaning here", expression, advice)
            case t.RangeOf(first=None) | t.RangeOf(last=None):
                self._refuse("this range has an open end", expression, "write both, as `2..9`")
            case _:
                for part in parts_of(expression):
                    self.check(part)

    def _refuse(self, message: str, at: t.Expression, advice: str) -> None:
        self.findings.error("ATP233", message, at.span, advice=advice)

    # ---- names ----

    def _name(self, name: t.Name) -> None:
        if name.text in SWITCHES and name.text not in self.names:
            return
        if name.text == ROW and ROW in self.names:
            self._refuse("`row` needs a column", name, "write `row.column`")
        self._use(name.text, name.span)

    def _use(self, name: str, span: Span) -> None:
        self.used.append((name, span))
        if not self.complete or name in self.names:
            return
        message = f"there is no `{name}` here"
        advice = self._advice(name)
        if name == ROW:
            message = "`row` is a row of a file, and these prompts come from none"
            advice = 'write `prompts from csv("pairs.csv") { ... }`'
        self.findings.error("ATP230", message, span, advice=advice)

    def _advice(self, name: str) -> str:
        near = closest(name, self.names)
        if near is not None:
            return f"did you mean `{near}`?"
        if name in FUNCTIONS:
            return f"to call the function write `{FUNCTIONS[name].signature}`"
        if ROW in self.names:
            return f"for a column of the file write `row.{name}`"
        known = f"names are {listed(tuple(self.names)[:10])}" if self.names else ""
        return known or f'for a text write `"{name}"`'

    def _attribute(self, attribute: t.Attribute) -> None:
        base: t.Expression = attribute
        while isinstance(base, t.Attribute):
            base = base.base
        if isinstance(base, t.Name) and base.text == ROW:
            self._use(ROW, attribute.span)
            return
        advice = "only `row` has parts: `row.column`"
        self._refuse("a dot has no meaning here", attribute, advice)

    # ---- texts and numbers ----

    def _number(self, number: t.Number) -> None:
        if number.unit:
            advice = "write the number alone"
            self._refuse(f"`{number.text}` has a unit, and formulas have none", number, advice)

    def _string(self, string: t.String) -> None:
        if string.raw:
            return
        try:
            pieces = parse_template(string.value)
        except TemplateError as error:
            for fault in error.faults:
                place = string.place(fault.start, fault.end)
                self.findings.error("ATP241", fault.message, place, advice=fault.help)
            return
        for piece in pieces:
            place = string.place(piece.start, piece.end)
            if piece.label is not None:
                advice = "positions are named in a `template`"
                message = f"no position can be named `{piece.label}` here"
                self.findings.error("ATP241", message, place, advice=advice)
            elif piece.literal is None:
                self._use(piece.slot or ROW, place)

    # ---- calls ----

    def _call(self, call: t.Call) -> None:
        function = self._function(call)
        if function is not None:
            self.asks_tokenizer = self.asks_tokenizer or function.tokens
            self._count_arguments(call, function)
        for argument in call.arguments:
            if argument.name is not None or argument.position is not None:
                wrong = "names" if argument.name is not None else "positions"
                message = f"arguments of formulas have no {wrong}"
                advice = f"write `{function.signature}`" if function else ""
                self.findings.error("ATP232", message, argument.span, advice=advice)
            self.check(argument.value)

    def _function(self, call: t.Call) -> Function | None:
        name = call.function
        if not isinstance(name, t.Name):
            self._refuse("only functions can be called", call.function, _all_functions())
            return None
        if name.text not in FUNCTIONS:
            meant = SYNONYMS.get(name.text.lower()) or closest(name.text, FUNCTIONS)
            advice = did_you_mean(meant, _all_functions())
            message = f"there is no function `{name.text}`"
            self.findings.error("ATP231", message, name.span, advice=advice)
            return None
        return FUNCTIONS[name.text]

    def _count_arguments(self, call: t.Call, function: Function) -> None:
        given = len(call.arguments)
        if given >= function.least and (function.most is None or given <= function.most):
            return
        wanted = f"{function.least}" if function.most else f"at least {function.least}"
        noun = "argument" if function.least == 1 else "arguments"
        self.findings.error(
            "ATP232",
            f"`{function.name}` takes {wanted} {noun}, and here are {given}",
            call.span,
            advice=f"write `{function.signature}`",
        )


def _all_functions() -> str:
    return f"there are {listed(tuple(FUNCTIONS))}"
