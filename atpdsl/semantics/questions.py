"""What a line of `expect` asks of the result: a function, its arguments, and its methods."""

from __future__ import annotations

from dataclasses import dataclass

from atpdsl.problems import Source
from atpdsl.registry import closest
from atpdsl.semantics.arguments import ArgumentReader
from atpdsl.semantics.asked_methods import AskedMethods
from atpdsl.semantics.claims import Asked
from atpdsl.semantics.findings import Findings, did_you_mean, listed
from atpdsl.semantics.quoting import as_written
from atpdsl.semantics.result_functions import FUNCTION_OF, RESULT_FUNCTIONS, ResultFunction
from atpdsl.syntax import tree as t


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """Reads the questions of one spec; None stands for what cannot be read, and was told.

    Attributes:
        source: the text, from which questions are quoted.
        arguments: reads what stands in the brackets of a function.
        methods: settles which methods a question is about.
    """

    source: Source
    arguments: ArgumentReader
    methods: AskedMethods
    findings: Findings

    def read(self, value: t.Name | t.Call) -> Asked | None:
        """`recall(top = 20)`, or `gap` alone."""
        called = value.function if isinstance(value, t.Call) else value
        function = self._function(called)
        given = None if function is None else self.arguments.read(function, value)
        if function is None or given is None:
            return None
        methods = self.methods.labels(function, given, value.span)
        if methods is None:
            return None
        asked = Asked(
            function=function.name,
            methods=methods,
            top=given.top,
            top_share=given.top_share,
            nodes=given.nodes,
            word=given.word,
            confidence=given.confidence,
            text=as_written(self.source, value.span),
            span=value.span,
        )
        return asked if self.methods.answerable(asked) else None

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
