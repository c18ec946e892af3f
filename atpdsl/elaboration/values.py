"""What the names of a spec stand for: dependencies first, at each point of a sweep."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from atpdsl.elaboration.filling import Filler, Sight
from atpdsl.elaboration.modules import Module, Named, Space
from atpdsl.elaboration.moving import depth_of, size_of, standing_at
from atpdsl.elaboration.program import Kind
from atpdsl.problems import Label, Span
from atpdsl.semantics.findings import Findings
from atpdsl.syntax import tree as t

DEEPEST_VALUE = 32
LARGEST_EXPANSION = 2_000_000


@dataclass(frozen=True, slots=True)
class Order:
    """The names that have values, those that others need first.

    Attributes:
        needs: the names that stand in each one's value.
        without: those whose value depends on itself.
        varying: for each name, the names of sweeps that its value depends on.
    """

    names: tuple[Named, ...]
    needs: Mapping[Named, Mapping[Named, Span]]
    without: frozenset[Named]
    varying: Mapping[Named, frozenset[Named]]


class _Recorder:
    """Takes down which names are asked for, and knows no value."""

    def __init__(self) -> None:
        self.failed = 0
        self.found: dict[Named, Span] = {}

    def value(self, named: Named, span: Span) -> t.Expression | None:
        self.found.setdefault(named, span)
        return None

    def passed(self, space: Space, span: Span) -> None:
        """Nothing depends on it."""


def ordered(
    names: Iterable[Named], axes: Iterable[Named], main: Module, findings: Findings
) -> Order:
    """The order in which values can be computed.

    Args:
        names: all that have a value.
        axes: those whose value changes from point to point.
        main: the spec.
        findings: takes the problems of names that depend on themselves.
    """
    names = tuple(names)
    needs = {named: _needs(named, main) for named in names}
    order, without = _sorted(names, needs, findings)
    own = frozenset(axes)
    varying: dict[Named, frozenset[Named]] = {}
    for named in order:
        inherited = (varying.get(needed, frozenset()) for needed in needs[named])
        varying[named] = frozenset({named}) if named in own else frozenset().union(*inherited)
    return Order(tuple(order), needs, frozenset(without), varying)


def _needs(named: Named, main: Module) -> dict[Named, Span]:
    recorder = _Recorder()
    sight = Sight(module=named.home, main=main, settle=False)
    if named.value is not None:
        Filler(recorder, sight, Findings()).expression(named.value)
    return recorder.found


def _sorted(
    names: tuple[Named, ...], needs: Mapping[Named, Mapping[Named, Span]], findings: Findings
) -> tuple[list[Named], set[Named]]:
    """Names after those that they need, and those on a circle; a walk without recursion."""
    order: list[Named] = []
    without: set[Named] = set()
    begun: dict[Named, int] = {}
    done: set[Named] = set()
    for start in names:
        path = [start] if start not in done else []
        rest = [iter(needs[start])] if path else []
        begun.update({start: 0} if path else {})
        while path:
            needed = next(rest[-1], None)
            if needed is None:
                finished = path.pop()
                rest.pop()
                del begun[finished]
                done.add(finished)
                order.append(finished)
            elif needed in begun:
                without.update(path[begun[needed] :])
                _circle(path[begun[needed] :], needs, findings)
            elif needed not in done:
                begun[needed] = len(path)
                path.append(needed)
                rest.append(iter(needs[needed]))
    return order, without


def _circle(
    path: list[Named], needs: Mapping[Named, Mapping[Named, Span]], findings: Findings
) -> None:
    first, last = path[0], path[-1]
    through = tuple(Label(named.span, "by way of this") for named in path[1:4])
    findings.error(
        "ATP138",
        f"the value of `{first.name}` depends on itself",
        needs[last][first],
        advice="write a value that does not need the name",
        also=(Label(first.span, "defined here"), *through),
    )


class Budget:
    """How much may still be written where names stand, over all points."""

    def __init__(self) -> None:
        self.left = LARGEST_EXPANSION
        self.told = False


class PointValues:
    """The values of all names at one point.

    Args:
        order: the names.
        known: values that are given: of sweeps, and those set from outside.
        main: the spec.
        findings: takes the problems.
        budget: shared by all points.

    Attributes:
        asked: the sweeps on which anything depends that was asked for since it was emptied.
    """

    def __init__(
        self,
        order: Order,
        known: Mapping[Named, t.Expression | None],
        main: Module,
        findings: Findings,
        budget: Budget,
    ) -> None:
        self.order = order
        self.main = main
        self.findings = findings
        self.budget = budget
        self.failed = 0
        self.asked: set[Named] = set()
        self.known: dict[Named, t.Expression | None] = dict(known)
        self._sizes: dict[Named, int] = {}

    def compute(self, names: Iterable[Named]) -> None:
        """Computes the values of names, which stand in their order."""
        for named in names:
            if named not in self.known:
                self.known[named] = self._computed(named)

    def _computed(self, named: Named) -> t.Expression | None:
        failed = self.failed
        if named.value is None or named.kind is Kind.SWEEP or named in self.order.without:
            return None
        value = self.written(named.value, named.home)
        if self.failed > failed:
            return None
        if depth_of(value) > DEEPEST_VALUE:
            self.findings.error(
                "ATP144",
                f"the value of `{named.name}` is nested too deeply",
                named.span,
                advice=f"at most {DEEPEST_VALUE} levels are read; write the value out",
            )
            return None
        return value

    def written(self, value: t.Expression, home: Module) -> t.Expression:
        """An expression of a file, with values for its names."""
        sight = Sight(module=home, main=self.main, settle=False, fold=True)
        return Filler(self, sight, self.findings).expression(value)

    def value(self, named: Named, span: Span) -> t.Expression | None:
        """The value of a name, as if it were written where the name stands."""
        named.uses.append(span)
        self.asked |= self.order.varying.get(named, frozenset())
        value = self.known.get(named)
        if value is None:
            self.failed += 1
            return None
        if named not in self._sizes:
            self._sizes[named] = size_of(value)
        self.budget.left -= self._sizes[named]
        if self.budget.left < 0:
            self._too_much(named, span)
            return None
        return standing_at(value, span)

    def passed(self, space: Space, span: Span) -> None:
        """Takes notice of a name of an `include` at a place where it stands."""
        space.uses.append(span)

    def _too_much(self, named: Named, span: Span) -> None:
        self.failed += 1
        if self.budget.told:
            return
        self.budget.told = True
        self.findings.error(
            "ATP144",
            f"too much stands for names here: `{named.name}` would be written once too often",
            span,
            advice='keep long lists in files: `lines("words.txt")`',
        )
