"""`param`: defaults, limits, and values that are given from outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from atpdsl.elaboration.constants import negative, plain_text
from atpdsl.elaboration.given import fits, given_values, kind_of
from atpdsl.elaboration.modules import Module, Named
from atpdsl.elaboration.program import Kind, Parameter
from atpdsl.elaboration.statements import rebuilt
from atpdsl.elaboration.values import PointValues
from atpdsl.problems import Problem, Source
from atpdsl.registry import closest
from atpdsl.semantics.findings import Findings, did_you_mean, listed
from atpdsl.semantics.schema import PARAM
from atpdsl.semantics.settings import Settings, read_settings
from atpdsl.syntax import tree as t


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limits:
    """What the body of a `param` says of its values."""

    help: str
    minimum: float | None
    maximum: float | None
    choices: tuple[t.Expression, ...] | None

    def objection(self, value: t.Expression) -> str:
        """What keeps a value from being allowed; "" if nothing does."""
        number = _number(value)
        if number is not None and self.minimum is not None and number < self.minimum:
            return f"is at least {self.minimum:,}"
        if number is not None and self.maximum is not None and number > self.maximum:
            return f"is at most {self.maximum:,}"
        if self.choices is not None and all(not _equal(value, c) for c in self.choices):
            return f"is one of {listed(tuple(_written(c) for c in self.choices))}"
        return ""


def _number(value: t.Expression) -> float | None:
    inner = negative(value)
    if inner is not None:
        return -inner.value
    return value.value if isinstance(value, t.Number) else None


def _equal(one: t.Expression, other: t.Expression) -> bool:
    if _number(one) is not None and _number(other) is not None:
        return _number(one) == _number(other) and kind_of(one) == kind_of(other)
    text = plain_text(one)
    return text is not None and text == plain_text(other) and kind_of(one) == kind_of(other)


def _written(value: t.Expression) -> str:
    return plain_text(value) or "..."


class Settable:
    """The names whose values can be set from outside.

    Attributes:
        fixed: values that are given instead of defaults.
        axes: names for which several values are given, and those of sweeps.
    """

    def __init__(
        self, main: Module, values: PointValues, source: Source, findings: Findings
    ) -> None:
        self.complete = main.complete
        self.names = {
            name: named
            for name, named in main.everything()
            if named.kind in (Kind.PARAM, Kind.SWEEP)
        }
        self.values = values
        self.source = source
        self.findings = findings
        self.fixed: dict[Named, t.Expression | None] = {}
        self.axes: dict[Named, tuple[t.Expression, ...]] = {}
        self._limits = {
            named: self._read_limits(named)
            for named in self.names.values()
            if named.kind is Kind.PARAM
        }

    # ---- the spec ----

    def _read_limits(self, named: Named) -> _Limits:
        settings = read_settings(self._body(named), PARAM, self.findings)
        default = self.values.known.get(named)
        limits = _Limits(
            help=str(settings["help"] or ""),
            minimum=_bound(settings, "min"),
            maximum=_bound(settings, "max"),
            choices=self._choices(settings),
        )
        if default is None:
            return limits
        for name in ("min", "max"):
            if name in settings.given and _number(default) is None:
                self.findings.error(
                    "ATP108",
                    f"`{named.name}` is {kind_of(default)}, and has no `{name}`",
                    settings.given[name].written.name.span,
                    advice="`min` and `max` go with numbers, `choices` with everything",
                )
        objection = limits.objection(default)
        if objection and named.value is not None:
            self.findings.error(
                "ATP143",
                f"`{named.name}` {objection}",
                named.value.span,
                advice=limits.help or "choose another default",
            )
        return limits

    def _body(self, named: Named) -> t.Body | None:
        """The body of a `param`, with values for names in it; its help is plain text."""
        body = named.statement.body if isinstance(named.statement, t.Parameter) else None

        def fill(line: t.BodyStatement) -> t.BodyStatement:
            if not isinstance(line, t.Setting) or line.name.text == "help":
                return line
            return replace(line, value=self.values.written(line.value, named.home))

        return body and rebuilt(body, fill, self.values)

    def _choices(self, settings: Settings) -> tuple[t.Expression, ...] | None:
        given = settings.given.get("choices")
        if given is None:
            return None
        value = given.written.value
        if isinstance(value, t.ListOf) and value.items:
            return value.items
        self.findings.error(
            "ATP108", "`choices` is a list", value.span, advice="write `choices = [1, 2]`"
        )
        return None

    # ---- from outside ----

    def give_params(self, given: Mapping[str, str]) -> None:
        """Takes values as they are written after `-p`; names that are not there are told."""
        for name, text in given.items():
            named = self.names.get(name)
            if named is None:
                self._unknown(name)
            elif named.kind is Kind.PARAM:
                self._give_param(named, name, text)

    def give_sweeps(self, given: Mapping[str, str]) -> None:
        """The same for sweeps, whose own values are known by now."""
        for name, text in given.items():
            named = self.names.get(name)
            if named is not None and named.kind is Kind.SWEEP:
                self._give_sweep(named, name, text)

    def _unknown(self, name: str) -> None:
        if not self.complete:
            return
        names = tuple(self.names)
        there = f"it has {listed(names)}" if names else "it has none"
        self.findings.problems.append(
            Problem(
                code="ATP139",
                message=f"this spec has no `param` or `sweep` `{name}`",
                help=did_you_mean(closest(name, names), there),
            )
        )

    def _give_param(self, named: Named, name: str, text: str) -> None:
        default = self.values.known.get(named)
        if default is None:
            return
        kind = kind_of(default)
        values = given_values(text, (kind,), named.span)
        if not values or not all(fits(kind, value) for value in values):
            self._bad(named, name, text, f"it is {kind}, as the default")
            return
        for value in values:
            objection = self._limits[named].objection(value)
            if objection:
                self._bad(named, name, text, f"`{named.name}` {objection}")
                return
        if len(values) == 1:
            self.fixed[named] = values[0]
        else:
            self._set_axis(named, name, text, values)

    def _give_sweep(self, named: Named, name: str, text: str) -> None:
        known = self.axes.get(named, ())
        kinds = tuple(dict.fromkeys(kind_of(value) for value in known))
        if not kinds:
            return
        values = given_values(text, kinds, named.span)
        if not values or not all(any(fits(k, value) for k in kinds) for value in values):
            self._bad(named, name, text, f"its values are {' or '.join(kinds)}")
            return
        self._set_axis(named, name, text, values)

    def _set_axis(
        self, named: Named, name: str, text: str, values: tuple[t.Expression, ...]
    ) -> None:
        texts = [_written(value) for value in values]
        if len(set(texts)) < len(texts):
            self._bad(named, name, text, "a value stands there twice")
        else:
            self.axes[named] = values

    def _bad(self, named: Named, name: str, text: str, why: str) -> None:
        shown = text if len(text) <= 40 else text[:40] + "..."
        self.findings.error(
            "ATP143",
            f"`-p {name}={shown}` is not possible: {why}",
            named.span,
            advice="several values, with commas between them, make a sweep",
        )

    # ---- what they are ----

    def documented(self) -> tuple[Parameter, ...]:
        """The parameters, for users."""
        return tuple(
            Parameter(
                name=name,
                default=self._text(named.value),
                value=self._value(named),
                help=self._limits[named].help,
                span=named.span,
            )
            for name, named in self.names.items()
            if named.kind is Kind.PARAM
        )

    def _value(self, named: Named) -> str:
        if named in self.axes:
            return ", ".join(_written(value) for value in self.axes[named])
        value = self.fixed.get(named)
        if value is None:
            return self._text(named.value)
        return plain_text(value) or self._text(value)

    def _text(self, value: t.Expression | None) -> str:
        if value is None:
            return ""
        part, span = self.source.locate(value.span)
        return part.text[span.start : span.end]


def _bound(settings: Settings, name: str) -> float | None:
    value = settings[name]
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
