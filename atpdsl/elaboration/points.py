"""The trees of the points: at each cell of the grid, with each measured set of prompts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar, cast

from atpdsl.elaboration.axes import MOST_POINTS, Axis, cells, too_many
from atpdsl.elaboration.constants import plain_text
from atpdsl.elaboration.deriving import Line, PromptSet
from atpdsl.elaboration.filling import NOTHING, Filler, Sight
from atpdsl.elaboration.measured import Measured, without_choice
from atpdsl.elaboration.modules import Module, Named
from atpdsl.elaboration.program import Point
from atpdsl.elaboration.prompt_sets import PromptSets
from atpdsl.elaboration.statements import filled_line, filled_statement
from atpdsl.elaboration.values import PointValues
from atpdsl.problems import Source
from atpdsl.semantics.findings import Findings
from atpdsl.semantics.prompts import NAME
from atpdsl.syntax import tree as t

T = TypeVar("T")
Cell = Mapping[Named, t.Expression]
_REPLACED = (t.Include, t.Let, t.Parameter, t.Sweep, t.PromptSet)


class Points:
    """Makes the points of a spec.

    Args:
        main: the spec.
        source: its text, with those of included files.
        sets: the sets of prompts.
        values_at: the values of all names at a cell of the grid.
        findings: takes the problems.
    """

    def __init__(
        self,
        main: Module,
        source: Source,
        sets: PromptSets,
        values_at: Callable[[Cell], PointValues],
        findings: Findings,
    ) -> None:
        self.main = main
        self.source = source
        self.sets = sets
        self.values_at = values_at
        self.findings = findings
        self.measured = Measured(main, sets, findings)
        # What was filled at one cell holds at all that are equal in the sweeps it asks for.
        self._asked: dict[object, tuple[Named, ...]] = {}
        self._filled: dict[object, object] = {}

    def make(self, axes: tuple[Axis, ...]) -> tuple[Point, ...]:
        """All points, at least one; where there are errors, as far as they can be made."""
        points: list[tuple[Point, str]] = []
        several = False
        for combination in cells(axes, self.findings):
            cell = {axis.named: v for axis, v in zip(axes, combination, strict=True)}
            written = tuple(
                (axis.name, plain_text(value) or "")
                for axis, value in zip(axes, combination, strict=True)
            )
            made = self._at(cell, written, first=not points)
            several = several or len(made) > 1
            points += made
            if len(points) > MOST_POINTS:
                place = self.main.tree.statements[0].word.span
                too_many(len(points), axes[-1].named.span if axes else place, self.findings)
                return (points[0][0],)
        if not several:
            return tuple(point for point, _ in points)
        return tuple(
            replace(point, values=(*point.values, (NAME, name))) for point, name in points
        )

    def _at(
        self, cell: Cell, written: tuple[tuple[str, str], ...], *, first: bool
    ) -> list[tuple[Point, str]]:
        """The points of one cell, each with the name of its prompts."""
        values = self.values_at(cell)
        if first:
            self._read_all(cell, values)
        top = [s for s in self.main.tree.statements if not isinstance(s, _REPLACED)]
        filled = (self._statement(statement, None, cell, values) for statement in top)
        chosen = self.measured.choose(s for s in filled if s is not None)
        return [
            (
                Point(values=written, tree=self._tree(one, cell, values)),
                "" if one is None else one.name.text,
            )
            for one in chosen or (None,)
        ]

    def _read_all(self, cell: Cell, values: PointValues) -> None:
        """Fills all sets once, also those that are not measured: for mistakes in them."""
        for one in self.sets.written:
            self._prompts(one, cell, values)
        for _, one in self.sets.included():
            if not one.home.shipped:
                self._prompts(one, cell, values)

    # ---- trees ----

    def _tree(self, one: PromptSet | None, cell: Cell, values: PointValues) -> t.SpecFile:
        """The spec at a cell, with one set of prompts."""
        statements: list[t.Statement] = []
        broken = list(self.main.tree.broken)
        place = self._place_of(one)
        for statement in self.main.tree.statements:
            filled: t.Statement | None = statement
            if statement is place:
                if not isinstance(statement, _REPLACED):
                    statements.append(statement)
                filled = None if one is None else self._prompts(one, cell, values)
            elif isinstance(statement, _REPLACED):
                continue
            else:
                filled = self._statement(statement, one, cell, values)
            if filled is None:
                known = not isinstance(statement, t.Include)
                word = statement.word
                broken.append(word if known else t.Name("prompts", word.span))
            else:
                statements.append(without_choice(filled))
        return replace(
            self.main.tree,
            source=self.source,
            statements=tuple(statements),
            broken=tuple(broken),
        )

    def _place_of(self, one: PromptSet | None) -> t.Statement | None:
        """The statement that a set stands for, or after: its own, or the first `include`."""
        if one is not None and one.home.main:
            return one.statement
        kind = t.PromptSet if self.sets.own else t.Include
        found = (s for s in self.main.tree.statements if isinstance(s, kind))
        some = one is not None or self.sets.own or self.sets.included()
        return next(found, None) if some or not self.main.complete else None

    def _statement(
        self, statement: t.Statement, one: PromptSet | None, cell: Cell, values: PointValues
    ) -> t.Statement | None:
        """A statement with values for its names; None where part of it has none."""
        pair = one.pair if one is not None else NOTHING

        def fill() -> t.Statement | None:
            return filled_statement(
                statement,
                self._filler(self.main, values),
                self._filler(self.main, values, pair, settle=False),
            )

        return self._once((id(statement), id(one)), cell, values, fill)

    def _filler(
        self,
        home: Module,
        values: PointValues,
        pair: frozenset[str] = NOTHING,
        *,
        settle: bool = True,
    ) -> Filler:
        sight = Sight(module=home, main=self.main, pair=pair, settle=settle)
        return Filler(values, sight, self.findings)

    def _prompts(self, one: PromptSet, cell: Cell, values: PointValues) -> t.PromptSet | None:
        """A set as one statement; None where what it comes from has no value."""
        return self._once(id(one), cell, values, lambda: self._new_prompts(one, values))

    def _new_prompts(self, one: PromptSet, values: PointValues) -> t.PromptSet | None:
        origin: t.Expression | None = None
        if one.origin is not None:
            failed = values.failed
            origin = self._filler(one.origin[1], values).expression(one.origin[0])
            if values.failed > failed:
                return None
        lines: list[t.BodyStatement] = []
        broken = one.broken
        for line in one.lines:
            failed = values.failed
            filled = self._line(line, one.pair, values)
            if values.failed > failed:
                broken = True
            else:
                lines.append(filled)
        body = replace(one.statement.body, statements=tuple(lines), broken=broken)
        return replace(one.statement, name=one.name, origin=origin, body=body)

    def _line(self, line: Line, pair: frozenset[str], values: PointValues) -> t.BodyStatement:
        outer = self._filler(line.home, values, settle=False)
        pairwise = self._filler(line.home, values, pair, settle=False)
        return filled_line(line.statement, outer, pairwise)

    def _once(self, key: object, cell: Cell, values: PointValues, fill: Callable[[], T]) -> T:
        """What was filled before where the sweeps had the same values, or it is filled now."""
        asked = self._asked.get(key)
        if asked is not None:
            known = (key, *(id(cell[named]) for named in asked))
            if known in self._filled:
                return cast("T", self._filled[known])
        values.asked.clear()
        result = fill()
        asked = tuple(named for named in values.asked if named in cell)
        self._asked.setdefault(key, asked)
        self._filled[(key, *(id(cell[named]) for named in self._asked[key]))] = result
        return result
