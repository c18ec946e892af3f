"""Which methods a line of `expect` is about, and whether there can be an answer to it."""

from __future__ import annotations

from dataclasses import dataclass

from atpdsl.problems import Span
from atpdsl.semantics.arguments import Arguments
from atpdsl.semantics.circuit import unknown_method
from atpdsl.semantics.claims import Asked
from atpdsl.semantics.experiment import MethodCall
from atpdsl.semantics.findings import Findings, listed
from atpdsl.semantics.measured import Measured
from atpdsl.semantics.result_functions import TRUTH, ResultFunction
from atpdsl.syntax import tree as t

NOTHING_MEASURED = "add `verify { top = 20; random = 20 }`, or `method ap`"
Labels = tuple[str | None, ...]
Calls = tuple[MethodCall, ...]
# Of all methods of one direction alike: measured effects, and bounds on the others.
COMMON = ("effect", "upper_bound")


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedMethods:
    """Settles the methods of questions; None stands for what cannot be, and was told.

    Attributes:
        measured: the methods, and what is measured of them.
        has_circuit: whether the spec says what its circuit is.
    """

    measured: Measured
    has_circuit: bool
    findings: Findings

    def labels(self, function: ResultFunction, given: Arguments, at: Span) -> Labels | None:
        """The labels of the methods that a question is about."""
        if "methods" in function.takes:
            return self._both(function, given.plain, at)
        if "method" not in function.takes:
            return ()
        if not self._is_diagnosed(function, given.word, at):
            return None
        if given.method is not None:
            call = self._call(given.method)
            place = given.method.span
            known = call is not None and self._known(function, call, given.word, place)
            return (call.label,) if call is not None and known else None
        return self._settled(function, given.word, at)

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

    # ---- two methods ----

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

    # ---- one method ----

    def _known(
        self, function: ResultFunction, call: MethodCall, word: str | None, at: Span
    ) -> bool:
        """Whether a method has what the function asks for."""
        if function.name in ("recall", "misses"):
            return self._has_truth(call, at)
        if call in self._able(function, word):
            return True
        if function.name == "flagged":
            message = f"`{call.label}` takes no gradient, so `{word}` flags none of its nodes"
            self.findings.error("ATP182", message, at, advice="name another method")
        elif function.name == "upper_bound" and self.measured.is_left_out(call):
            message = f"`verify` leaves out `{call.label}`, so nothing bounds what it misses"
            advice = f"add `{call.label}` to the methods of `verify`"
            self.findings.error("ATP162", message, at, advice=advice)
        else:
            self._no_answer(function, at)
        return False

    def _able(self, function: ResultFunction, word: str | None) -> Calls:
        """The methods for which a function has an answer."""
        measured = self.measured
        match function.name:
            case "score":
                return measured.calls
            case "effect":
                return tuple(call for call in measured.calls if measured.has_effects(call))
            case "upper_bound":
                return measured.bounded
            case "flagged":
                return tuple(c for c in measured.calls if measured.can_flag(c, word or ""))
            case _:
                return measured.compared

    def _settled(self, function: ResultFunction, word: str | None, at: Span) -> Labels | None:
        """The methods that a question without `method = ...` is about."""
        calls = self._able(function, word)
        if not calls:
            if self.measured.complete:
                self._no_answer(function, at)
            return None
        alike = len({call.direction for call in calls}) == 1
        if len(calls) == 1 or (function.name in COMMON and alike):
            return tuple(call.label for call in calls)
        names = listed(tuple(call.label for call in calls))
        self.findings.error(
            "ATP165",
            f"`{function.name}` is another number for each of {names}",
            at,
            advice=f"say which: `method = {calls[0].label}`",
        )
        return None

    def _no_answer(self, function: ResultFunction, at: Span) -> None:
        """No method has what a function asks for."""
        message, advice = "this spec measures no effects", NOTHING_MEASURED
        if function.name == "flagged":
            message, advice = "this spec takes no gradient", "add `method atp*`"
        elif function.name == "upper_bound":
            message, advice = "here every node is measured", "ask for `recall` instead"
        elif all(self.measured.is_exact(call) for call in self.measured.calls):
            message, advice = "this spec has no estimate", "add a method that estimates"
        message = f"{message}, so this cannot be known"
        self.findings.error("ATP162", message, at, advice=advice)

    # ---- whether there can be an answer ----

    def _is_diagnosed(self, function: ResultFunction, word: str | None, at: Span) -> bool:
        """Whether the spec has the diagnostic that a function asks about, if there is one."""
        part = "subset_sampling" if function.name == "upper_bound" else word
        if part is None or self.measured.has_part(part):
            return True
        if self.measured.diagnosed:
            message = f"`{function.name}` needs `{part}`, and this spec does not ask for it"
            self.findings.error("ATP185", message, at, advice=f"add `diagnose {{ {part} }}`")
        return False

    def answerable(self, asked: Asked) -> bool:
        """Whether the result can hold an answer to a question."""
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
