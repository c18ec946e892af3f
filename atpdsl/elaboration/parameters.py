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

    def objection(self, value: t.Expression) -> tuple[str, str]:
        """What keeps a value from being allowed, and one that is; "" if nothing does."""
        number = _number(value)
        if number is not None and self.minimum is not None and number < self.minimum:
            return f"is at least {self.minimum:,}", str(self.minimum)
        if number is not None and self.maximum is not None and number > self.maximum:
            return f"is at most {self.maximum:,}", str(self.maximum)
        if self.choices is not None and all(not _equal(value, c) for c in self.choices):
            names = tuple(_written(c) for c in self.choices)
            return f"is one of {listed(names)}", closest(_written(value), names) or names[0]
        return "", ""


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
        self.main = main
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
        objection, _ = limits.objection(default)
        if objection and named.value is not None:
            self.findings.error(
                "ATP143",
                f"`{named.name}` {objection}",
                named.value.span,
                advice=limits.help or "choose another default",
            )
        return limits

    def check_defaults(self, known: Mapping[Named, t.Expression | None]) -> None:
        """Defaults that are computed of other names keep their limits whatever those are."""
        for name, named in self.names.items():
            value, default = known.get(named), self.values.known.get(named)
            if named.value is None or value is None or default is None or value == default:
                continue
            given = named in self.fixed or named in self.axes
            objection = "" if given else self._limits[named].objection(value)[0]
            if objection:
                message = f"`{name}` {objection}, and with the values given it is"
                self.findings.error(
                    "ATP143",
                    f"{message} {_written(value)}",
                    named.value.span,
                    advice=f"give it a value, too: `-p {name}=...`",
                )

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
        known = self.main.find(tuple(name.split(".")))
        if isinstance(known, Named) and known.kind is Kind.LET:
            self.findings.error(
                "ATP139",
                f"`{name}` is a `let`, and cannot be set from outside",
                known.span,
                advice=f"write `param {name} = ...`"
                if known.home.main
                else "use a `param` of the spec in its place",
            )
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
        values = self._values(named, name, text, (kind,), f"it is {kind}, as the default")
        if values is None:
            return
        for value in values:
            objection, allowed = self._limits[named].objection(value)
            if objection:
                advice = f"write `-p {name}={allowed}`"
                self._bad(named, name, text, f"`{named.name}` {objection}", advice)
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
        why = f"each of its values is {' or '.join(kinds)}"
        values = self._values(named, name, text, kinds, why)
        if values is not None:
            self._set_axis(named, name, text, values)

    def _values(
        self, named: Named, name: str, text: str, kinds: tuple[str, ...], why: str
    ) -> tuple[t.Expression, ...] | None:
        """What is given, if it is of one of the kinds; otherwise None, and a problem."""
        ranges = Findings()
        place = t.Name(name, named.span)
        values = given_values(text, kinds, place, ranges)
        if values and all(any(fits(kind, value) for kind in kinds) for value in values):
            return values
        why = ranges.problems[0].message if ranges.problems else why
        advice = f"in the spec stands `{_short(self._text(named.value))}`"
        self._bad(named, name, text, why, advice)
        return None

    def _set_axis(
        self, named: Named, name: str, text: str, values: tuple[t.Expression, ...]
    ) -> None:
        texts = [plain_text(value) for value in values]
        if None in texts:
            why = "lists and ranges cannot be swept over"
            self._bad(named, name, text, why, "give one value")
        elif len(set(texts)) < len(texts):
            why = "a value stands there twice"
            self._bad(named, name, text, why, "give each value once")
        else:
            self.axes[named] = values

    def _bad(self, named: Named, name: str, text: str, why: str, advice: str) -> None:
        message = f"`-p {name}={_short(text)}` is not possible: {why}"
        self.findings.error("ATP143", message, named.span, advice=advice)

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


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:40] + "..."


def _bound(settings: Settings, name: str) -> float | None:
    value = settings[name]
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
