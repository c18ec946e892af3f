"""The arguments of what a line of `expect` asks: `(top = 20)`, `(L9H6 at last)`, `(truth)`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from atpdsl.problems import Source, Span
from atpdsl.registry import closest
from atpdsl.semantics.diagnosis import CONFIDENCES
from atpdsl.semantics.experiment import NodeSelection
from atpdsl.semantics.findings import Findings, did_you_mean, listed
from atpdsl.semantics.measured import Measured
from atpdsl.semantics.nodes import read_selection
from atpdsl.semantics.numbers import number_of, percentage, share_of, whole_number
from atpdsl.semantics.positions import Positions
from atpdsl.semantics.quoting import as_written
from atpdsl.semantics.result_functions import ResultFunction
from atpdsl.semantics.signature import Vocabulary
from atpdsl.syntax import tree as t

_FORMS = {
    "top": "`top = 20`",
    "method": "`method = ...`",
    "confidence": "`confidence = 99%`",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """The arguments of one question; what it does not take is empty.

    Attributes:
        top, top_share, nodes, word, confidence: as in `Asked`.
        method: what stands behind `method =`.
        plain: those without a name.
    """

    top: int | None
    top_share: float | None
    nodes: tuple[NodeSelection, ...]
    word: str | None
    confidence: float | None
    method: t.Expression | None
    plain: tuple[t.Argument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgumentReader:
    """Reads arguments; `source` is the text, from which they are quoted."""

    source: Source
    measured: Measured
    vocabulary: Vocabulary
    positions: Positions
    findings: Findings

    def read(self, function: ResultFunction, value: t.Name | t.Call) -> Arguments | None:
        """The arguments of a function; None (and problems) where some cannot be read."""
        arguments = value.arguments if isinstance(value, t.Call) else ()
        before = len(self.findings)
        named = self._named(function, arguments)
        plain = tuple(a for a in arguments if a.name is None)
        nodes = self._nodes(function, plain, value.span)
        word = self._word(function, plain, value.span)
        confidence = self._confidence(named.get("confidence"))
        top, top_share = self._top(named.get("top"))
        if len(self.findings) > before:
            return None
        return Arguments(
            top=top,
            top_share=top_share,
            nodes=nodes,
            word=word,
            confidence=confidence,
            method=named.get("method"),
            plain=plain,
        )

    # ---- with names ----

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

    def _top(self, value: t.Expression | None) -> tuple[int | None, float | None]:
        count, share = whole_number(value), share_of(value)
        if value is not None and not count and not share:
            message = "`top` is a number of nodes, at least 1, or a share of all"
            advice = "write `top = 20` or `top = 5%`"
            self.findings.error("ATP164", message, value.span, advice=advice)
        return count, share

    def _confidence(self, value: t.Expression | None) -> float | None:
        """One for which there is a bound in the result."""
        if value is None:
            return None
        share = share_of(value)
        given = number_of(value) if share is None else share
        sampling = self.measured.diagnosis.subset_sampling
        own = () if sampling is None else (sampling.confidence,)
        known = tuple(sorted({*CONFIDENCES, *own}))
        if given is None or given not in known:
            message = "there is no bound with this confidence"
            advice = f"there are {', '.join(map(percentage, known))}"
            self.findings.error("ATP164", message, value.span, advice=advice)
            return None
        return float(given)

    # ---- without names ----

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
            return ()
        takes_plain = {"methods", "word"} & set(function.takes)
        if plain and not takes_plain:
            self._stray(function, plain[0])
        for argument in plain if takes_plain else ():
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

    def _word(
        self, function: ResultFunction, plain: tuple[t.Argument, ...], at: Span
    ) -> str | None:
        """The word in `flagged(cancellation)`; None where the function takes none."""
        if "word" not in function.takes:
            return None
        value = plain[0].value if len(plain) == 1 else None
        word = value.text if isinstance(value, t.Name) else ""
        if word in function.words:
            return word
        either = "one of " if len(function.words) > 1 else ""
        message = f"`{function.name}` asks about {either}{listed(function.words)}"
        meant = closest(word, function.words) if word else None
        advice = did_you_mean(meant, f"write `{function.example}`")
        place = at if value is None else value.span
        self.findings.error("ATP164", message, place, advice=advice)
        return None
