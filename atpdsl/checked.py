"""What is known of a spec, stage by stage: checked, then planned; point by point."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from atpdsl.binding.bind import Bound
from atpdsl.elaboration.program import Program
from atpdsl.models.files import ModelFiles
from atpdsl.models.tokenizer import ModelTokenizer
from atpdsl.planning.cost import PlanRow, plan_rows
from atpdsl.planning.plan import Plan
from atpdsl.problems import Problem, Severity, Source, SpecError
from atpdsl.problems.render import in_order
from atpdsl.semantics.experiment import Experiment

if TYPE_CHECKING:
    import networkx


class _Judged:
    """Something with problems."""

    __slots__ = ()
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that keep the spec from running."""
        return tuple(p for p in self.problems if p.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The problems that do not."""
        return tuple(p for p in self.problems if p.severity is Severity.WARNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked(_Judged):
    """One point of a spec as far as it could be understood; most specs have one.

    Attributes:
        point: the values of the sweep's names there.
        problems: errors and warnings in the order of the text; without errors, all else is
            there.
    """

    source: Source
    base: Path
    problems: tuple[Problem, ...]
    experiment: Experiment | None = None
    files: ModelFiles | None = None
    tokenizer: ModelTokenizer | None = None
    bound: Bound | None = None
    point: tuple[tuple[str, str], ...] = ()

    def with_problems(self, problems: Iterable[Problem]) -> Checked:
        """The same with more problems."""
        return replace(self, problems=in_order((*self.problems, *problems)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Study(_Judged):
    """A spec as far as it could be understood, with all of its points.

    Attributes:
        source: the text, included files and all.
        problems: those of the text and of every point, in the order of the text, each once.
        points: as many as could be made of the text, and always one.
    """

    source: Source
    base: Path
    program: Program
    problems: tuple[Problem, ...]
    points: tuple[Checked, ...]

    @property
    def bound(self) -> Bound | None:
        """The only point, bound to its model; None for a sweep or where errors are."""
        return self.points[0].bound if len(self.points) == 1 else None

    def only(self) -> Checked:
        """The only point.

        Raises:
            SpecError: when the spec has errors before its points are known, or is a sweep.
        """
        if len(self.points) == 1:
            return self.points[0]
        problems = self.problems if self.errors else (several(self),)
        raise SpecError(problems, self.source)


def several(study: Study) -> Problem:
    """A sweep stands where one run is wanted."""
    names = ", ".join(f"`{name}`" for name in study.program.variables)
    return Problem(
        code="ATP426",
        message=f"the spec has {len(study.points)} points, over {names}",
        help="use `atpdsl.sweep(...)`, or choose one point, as with"
        f" `atpdsl.run(..., {study.program.variables[0]}=...)`",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A good point and the plan made of it."""

    checked: Checked
    plan: Plan

    def rows(self) -> tuple[PlanRow, ...]:
        """The stages and what they cost."""
        return plan_rows(self.plan)

    def to_networkx(self) -> networkx.DiGraph:
        """The operations as a graph."""
        return self.plan.to_networkx()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStudy:
    """A good spec and the plans of its points."""

    study: Study
    points: tuple[Planned, ...]

    def only(self) -> Planned:
        """The only point.

        Raises:
            SpecError: when the spec is a sweep.
        """
        if len(self.points) != 1:
            raise SpecError([several(self.study)], self.study.source)
        return self.points[0]


def settled(checked: Checked) -> tuple[Experiment, ModelFiles]:
    """Experiment and model of a spec without errors.

    Raises:
        SpecError: when it has some.
    """
    if checked.experiment is None or checked.files is None:
        raise SpecError(checked.problems, checked.source)
    return checked.experiment, checked.files
