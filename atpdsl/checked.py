"""What is known of a spec, stage by stage: checked, then planned."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from atpdsl.binding.bind import Bound
from atpdsl.models.files import ModelFiles
from atpdsl.models.tokenizer import ModelTokenizer
from atpdsl.planning.cost import PlanRow, plan_rows
from atpdsl.planning.plan import Plan
from atpdsl.problems import Problem, Severity, Source, SpecError
from atpdsl.problems.render import in_order
from atpdsl.semantics.experiment import Experiment

if TYPE_CHECKING:
    import networkx


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A spec as far as it could be understood.

    Attributes:
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

    def with_problems(self, problems: Iterable[Problem]) -> Checked:
        """The same with more problems."""
        return replace(self, problems=in_order((*self.problems, *problems)))

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that keep the spec from running."""
        return tuple(p for p in self.problems if p.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The problems that do not."""
        return tuple(p for p in self.problems if p.severity is Severity.WARNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A good spec and the plan made of it."""

    checked: Checked
    plan: Plan

    def rows(self) -> tuple[PlanRow, ...]:
        """The stages and what they cost."""
        return plan_rows(self.plan)

    def to_networkx(self) -> networkx.DiGraph:
        """The operations as a graph."""
        return self.plan.to_networkx()


def settled(checked: Checked) -> tuple[Experiment, ModelFiles]:
    """Experiment and model of a spec without errors.

    Raises:
        SpecError: when it has some.
    """
    if checked.experiment is None or checked.files is None:
        raise SpecError(checked.problems, checked.source)
    return checked.experiment, checked.files
