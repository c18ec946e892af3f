"""What a line of `expect` asks of the result: functions, their arguments, and their nodes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from atpdsl.problems import Source, Span
from atpdsl.registry import closest
from atpdsl.semantics.circuit import unknown_method
from atpdsl.semantics.claims import Asked
from atpdsl.semantics.experiment import MethodCall, NodeSelection
from atpdsl.semantics.findings import Findings, did_you_mean, listed
from atpdsl.semantics.measured import Measured
from atpdsl.semantics.nodes import read_selection
from atpdsl.semantics.numbers import share_of, whole_number
from atpdsl.semantics.positions import Positions
from atpdsl.semantics.result_functions import (
    FUNCTION_OF,
    RESULT_FUNCTIONS,
    TRUTH,
    ResultFunction,
)
from atpdsl.semantics.signature import Vocabulary
from atpdsl.syntax import tree as t

NOTHING_MEASURED = "add `verify { top = 20; random = 20 }`, or `method ap`"
_FORMS = {"top": "`top = 20`", "method": "`method = ...`"}
Labels = tuple[str | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """Reads the questions of one spec; None stands for what cannot be read, and was told.

    Attributes:
        source: the text, from which questions are quoted.
        measured: the methods, and what is measured of them.
        has_circuit: whether the spec says what its circuit is.
    """

    source: Source
    measured: Measured
    has_circuit: bool
    vocabulary: Vocabulary
    positions: Positions
    findings: Findings

    def read(self, value: t.Name | t.Call) -> Asked | None:
        """`recall(top = 20)`, or `gap` alone."""
        called = value.function if isinstance(value, t.Call) else value
        function = self._function(called)
        if function is None:
            return None
        arguments = value.arguments if isinstance(value, t.Call) else ()
        before = len(self.findings)
        named = self._named(function, arguments)
        plain = tuple(a for a in arguments if a.name is None)
        nodes = self._nodes(function, plain, value.span)
        top, top_share = self._top(named.get("top"))
        methods = self._methods(function, plain, named.get("method"), value.span)
        if len(self.findings) > before or methods is None:
            return None
        asked = Asked(
            function=function.name,
            methods=methods,
            top=top,
            top_share=top_share,
            nodes=nodes,
            text=as_written(self.source, value.span),
            span=value.span,
        )
        return asked if self._answerable(asked) else None

    def _function(self, called: t.Expression) -> ResultFunction | None:
        name = called.text if isinstance(called, t.Name) else ""
        function = FUNCTION_OF.get(name)
        if function is None:
            names = tuple(one.name for one in RESULT_FUNCTIONS if not one.later)
            advice = did_you_mean(closest(name, names), f"there are {listed(names)}")
            what = f"nothing called `{name}`" if name else "no such thing"
            message = f"there is {what} to ask of a result"
            self.findings.error("ATP161", message, called.span, advice=advice)
        elif function.later:
            self.findings.not_yet(f"`{name}`", called.span)
            return None
        return function

    # ---- arguments ----

    def _named(
        self, function: ResultFunction, arguments: Iterable[t.Argument]
    ) -> dict[str, t.Expression]:
        """The arguments with names; those that the function does not take are problems."""
        takes = tuple(name for name in _FORMS if name in function.takes)
        found: dict[str, t.Expression] = {}
        for argument in arguments:
            if argument.name is None:
                continue
            name = argument.name.text
            if name not in takes:
                forms = ", ".join(_FORMS[one] for one in takes)
                known = f"it takes {forms}" if takes else f"write `{function.example}`"
                advice = did_you_mean(closest(name, takes), known)
                message = f"`{function.name}` takes no `{name}`"
                self.findings.error("ATP164", message, argument.name.span, advice=advice)
            elif name in found:
                message = f"`{name}` is given twice"
                self.findings.error("ATP164", message, argument.span, advice="remove one")
            elif argument.position is not None:
                self._no_position(argument.position)
            else:
                found[name] = argument.value
        return found

    def _no_position(self, position: t.Expression) -> None:
        advice = "only nodes have a position, as in `has(L9H6 at last)`"
        self.findings.error("ATP164", "this is at no position", position.span, advice=advice)

    def _nodes(
        self, function: ResultFunction, plain: tuple[t.Argument, ...], at: Span
    ) -> tuple[NodeSelection, ...]:
        """The nodes that a function is about, read as a line of `nodes` is."""
        if "nodes" in function.takes:
            if len(plain) == 1:
                return read_selection(
                    plain[0].value,
                    plain[0].position,
                    self.vocabulary,
                    self.positions,
                    self.findings,
                )
            message = f"`{function.name}` asks about one selection of nodes"
            advice = f"write `{function.example}`; join several questions by `and`"
            self.findings.error("ATP164", message, at, advice=advice)
        elif "methods" not in function.takes and plain:
            self._stray(function, plain[0])
        for argument in plain if "methods" in function.takes else ():
            if argument.position is not None:
                self._no_position(argument.position)
        return ()

    def _stray(self, function: ResultFunction, argument: t.Argument) -> None:
        value = argument.value
        message = f"`{function.name}` takes nothing of this kind"
        advice = f"write `{function.example}`"
        for name, fits in (("top", isinstance(value, t.Number)), ("method", True)):
            if name in function.takes and fits:
                written = as_written(self.source, value.span)
                message = f"this has no name in `{function.name}`"
                advice = f"write `{name} = {written}`"
                break
        self.findings.error("ATP164", message, argument.span, advice=advice)

    def _top(self, value: t.Expression | None) -> tuple[int | None, float | None]:
        count, share = whole_number(value), share_of(value)
        if value is not None and not count and not share:
            message = "`top` is a number of nodes, at least 1, or a share of all"
            advice = "write `top = 20` or `top = 5%`"
            self.findings.error("ATP164", message, value.span, advice=advice)
        return count, share

    # ---- methods ----

    def _methods(
        self,
        function: ResultFunction,
        plain: tuple[t.Argument, ...],
        chosen: t.Expression | None,
        at: Span,
    ) -> Labels | None:
        if "methods" in function.takes:
            return self._both(function, plain, at)
        if "method" not in function.takes:
            return ()
        if chosen is not None:
            call = self._call(chosen)
            return None if call is None else self._known(function, call, chosen.span)
        return self._settled(function, at)

    def _call(self, value: t.Expression, *also: str) -> MethodCall | None:
        """The method that a name stands for; `also` are other words allowed there."""
        call = self.measured.call(value.text) if isinstance(value, t.Name) else None
        if call is not None or not self.measured.complete:
            return call
        if isinstance(value, t.Name):
            unknown_method(value, (*self.measured.labels, *also), self.findings)
        else:
            advice = f"there are {listed(self.measured.labels)}"
            message = "a method's name is wanted here"
            self.findings.error("ATP108", message, value.span, advice=advice)
        return None

    def _both(
        self, function: ResultFunction, plain: tuple[t.Argument, ...], at: Span
    ) -> Labels | None:
        """The two sides of `spearman(atp, truth)`."""
        if len(plain) != 2:
            message = f"`{function.name}` compares two methods, or one with `{TRUTH}`"
            advice = f"write `{function.example}`"
            self.findings.error("ATP164", message, at, advice=advice)
            return None
        sides = [argument.value for argument in plain]
        truths = [self._is_truth(side) for side in sides]
        calls = [
            None if true else self._call(s, TRUTH)
            for s, true in zip(sides, truths, strict=True)
        ]
        pairs = zip(calls, truths, strict=True)
        if any(call is None and not true for call, true in pairs):
            return None
        if calls[0] == calls[1]:
            message, advice = "both sides are the same", "name two methods, or one and `truth`"
            self.findings.error("ATP164", message, at, advice=advice)
            return None
        for call, side in zip(calls, sides, strict=True):
            if call is not None and any(truths) and not self._has_truth(call, side.span):
                return None
        return tuple(None if call is None else call.label for call in calls)

    def _is_truth(self, value: t.Expression) -> bool:
        """Whether a word means the measured effects; a method may have that name, too."""
        is_word = isinstance(value, t.Name) and value.text == TRUTH
        return is_word and self.measured.call(TRUTH) is None

    def _has_truth(self, call: MethodCall, at: Span) -> bool:
        """Whether effects are measured that an estimate can be compared with."""
        if self.measured.is_exact(call):
            message = f"`{call.label}` is exact, so there is nothing to compare it with"
            self.findings.error("ATP116", message, at, advice="name an estimate")
            return False
        if self.measured.has_effects(call):
            return True
        advice = NOTHING_MEASURED
        message = f"no effects are measured that `{call.label}` could be compared with"
        if self.measured.verify is not None:
            advice = f"add `{call.label}` to the methods of `verify`"
        self.findings.error("ATP162", message, at, advice=advice)
        return False

    def _known(self, function: ResultFunction, call: MethodCall, at: Span) -> Labels | None:
        """The label of a method, if it has what the function asks for."""
        known = True
        if function.name in ("recall", "misses"):
            known = self._has_truth(call, at)
        elif function.name == "effect" and not self.measured.has_effects(call):
            self._nothing_measured(at)
            known = False
        return (call.label,) if known else None

    def _settled(self, function: ResultFunction, at: Span) -> Labels | None:
        """The methods that a question without `method = ...` is about."""
        measured = self.measured
        calls = {
            "score": measured.calls,
            "effect": tuple(call for call in measured.calls if measured.has_effects(call)),
        }.get(function.name, measured.compared)
        if not calls:
            if measured.complete:
                self._nothing_measured(at)
            return None
        alike = len({call.direction for call in calls}) == 1
        if len(calls) == 1 or (function.name == "effect" and alike):
            return tuple(call.label for call in calls)
        names = listed(tuple(call.label for call in calls))
        self.findings.error(
            "ATP165",
            f"`{function.name}` is another number for each of {names}",
            at,
            advice=f"say which: `method = {calls[0].label}`",
        )
        return None

    def _nothing_measured(self, at: Span) -> None:
        message, advice = "this spec measures no effects", NOTHING_MEASURED
        if all(self.measured.is_exact(call) for call in self.measured.calls):
            message, advice = "this spec has no estimate", "add a method that estimates"
        message = f"{message}, so this cannot be known"
        self.findings.error("ATP162", message, at, advice=advice)

    # ---- whether there can be an answer ----

    def _answerable(self, asked: Asked) -> bool:
        match asked.function:
            case "has" if not self.has_circuit:
                advice = "add `circuit { keep = top(40) }`"
                message = "`has` asks about the circuit, and this spec has no `circuit`"
                self.findings.error("ATP167", message, asked.span, advice=advice)
                return False
            case "misses" if not self.measured.draws or self._exhausted(asked):
                message = "`misses` counts among nodes that are drawn at random, and none are"
                advice = "add `random = 20` to `verify`"
                if self._exhausted(asked):
                    advice = "every node is measured: ask for `recall`"
                self.findings.error("ATP162", message, asked.span, advice=advice)
                return False
            case "recall" if self._sees_only_its_top(asked):
                message = "only nodes are measured that the estimate itself puts on top"
                advice = "add `random = 20` to `verify`: then others can turn out larger"
                self.findings.error("ATP162", message, asked.span, advice=advice)
                return False
            case _:
                return True

    def _exhausted(self, asked: Asked) -> bool:
        calls = (self.measured.call(label or "") for label in asked.methods)
        return any(call is not None and self.measured.is_exhausted(call) for call in calls)

    def _sees_only_its_top(self, asked: Asked) -> bool:
        verify = self.measured.verify
        call = self.measured.call(asked.methods[0] or "") if asked.methods else None
        if verify is None or call is None or asked.top_share is not None:
            return False
        top = verify.top if asked.top is None else asked.top
        return self.measured.sees_only_its_top(call, top)


def as_written(source: Source, span: Span) -> str:
    """A piece of a spec on one line, without comments."""
    part, place = source.locate(span)
    text = part.text[place.start : place.end]
    return " ".join(re.sub(r"#[^\n]*", "", text).split())
