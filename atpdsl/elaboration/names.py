"""The names that have values: constant ones, those set from outside, and sweeps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from atpdsl.elaboration.axes import Axis, axis_values
from atpdsl.elaboration.loading import Loader
from atpdsl.elaboration.modules import Module, Named
from atpdsl.elaboration.parameters import Settable
from atpdsl.elaboration.program import Kind
from atpdsl.elaboration.values import Budget, PointValues, ordered
from atpdsl.problems import Label
from atpdsl.semantics.findings import Findings
from atpdsl.syntax import tree as t


class Names:
    """The names of a spec and of the files that it includes.

    Attributes:
        settable: those whose values can be set from outside.
    """

    def __init__(self, main: Module, loader: Loader, findings: Findings) -> None:
        self.main = main
        self.findings = findings
        self.budget = Budget()
        self.in_sight = {
            name: named for name, named in main.everything() if named.value is not None
        }
        every = (named for module in loader.modules for named in _own(module))
        self.names = tuple(named for named in every if named.value is not None)
        self.sweeps = tuple(named for named in self.names if named.kind is Kind.SWEEP)
        self.order = ordered(self.names, self.sweeps, main, findings)
        self._refuse_varying()
        self._first = Findings()
        self.constants = self._constants({}, self._first)
        self.settable = Settable(main, self.constants, loader.source, findings)

    def settle(self, given: Mapping[str, str]) -> None:
        """Settles the values of all names, with those that are given from outside."""
        settable = self.settable
        settable.give_params(given)
        if settable.fixed or settable.axes:
            axes = (*self.sweeps, *settable.axes)
            self.order = ordered(self.names, axes, self.main, Findings())
            self.constants = self._constants(settable.fixed, self.findings)
        else:
            self.findings.problems += self._first.problems
        for named in self.sweeps:
            values = self._sweep(named)
            if values is not None:
                settable.axes[named] = values
        settable.give_sweeps(given)

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The names that change from point to point, in the order of the spec."""
        axes = self.settable.axes
        return tuple(
            Axis(named=named, name=name, values=axes[named])
            for name, named in self.in_sight.items()
            if named in axes
        )

    def at(self, cell: Mapping[Named, t.Expression]) -> PointValues:
        """The values of all names where sweeps have these values."""
        known = self.constants.known | dict(cell)
        values = PointValues(self.order, known, self.main, self.findings, self.budget)
        values.compute(self.order.names)
        if self.settable.fixed or self.settable.axes:
            self.settable.check_defaults(values.known)
        return values

    def _constants(
        self, fixed: Mapping[Named, t.Expression | None], findings: Findings
    ) -> PointValues:
        """The values that are the same at all points."""
        values = PointValues(self.order, fixed, self.main, findings, self.budget)
        values.compute(named for named in self.order.names if not self.order.varying[named])
        return values

    def _sweep(self, named: Named) -> tuple[t.Expression, ...] | None:
        """The values of a `sweep`; None (and a problem) if it has none."""
        varying = self._varying_need(named)
        if varying is not None:
            self.findings.error(
                "ATP145",
                f"the values of `sweep {named.name}` cannot depend on `{varying.name}`",
                self.order.needs[named][varying],
                advice="that changes from point to point, too; write the values out",
                also=(Label(varying.span, "defined here"),),
            )
            return None
        if named.value is None or named in self.order.without:
            return None
        failed = self.constants.failed
        value = self.constants.written(named.value, named.home)
        if self.constants.failed > failed:
            return None
        return axis_values(value, named.name, named.value.span, self.findings)

    def _refuse_varying(self) -> None:
        """A `param` has one default, which is the same at all points."""
        for named in self.names:
            varying = self._varying_need(named) if named.kind is Kind.PARAM else None
            if varying is not None:
                self.findings.error(
                    "ATP143",
                    f"the default of `{named.name}` changes from point to point",
                    self.order.needs[named][varying],
                    advice="write a `let`, or a default that needs no `sweep`",
                )

    def _varying_need(self, named: Named) -> Named | None:
        """A name in a value, which changes from point to point; None if there is none."""
        needs = self.order.needs[named]
        return next((need for need in needs if self.order.varying.get(need)), None)


def _own(module: Module) -> Iterable[Named]:
    """The names that a file itself defines."""
    for named in module.names.values():
        if isinstance(named, Named) and named.home is module:
            yield named
