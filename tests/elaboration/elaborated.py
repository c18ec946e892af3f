"""Specs of a few lines, elaborated, and what their points are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from atpdsl.elaboration.elaborate import NOTHING, elaborate
from atpdsl.elaboration.program import Program
from atpdsl.problems import Source
from atpdsl.semantics.experiment import Experiment
from atpdsl.semantics.resolve import resolve
from atpdsl.syntax.parse import parse
from tests.semantics.words import VOCABULARY, complete

SLOTS = """\
  slot IO, S in ["Mary", "John", "Tom"]
  corrupt S2 -> IO
  answer " {IO}" vs " {S}"
"""
IOI = f"""prompts ioi {{
  template "When {{IO}} and {{S}} left, {{S as S2}} gave a drink to"
{SLOTS}}}
"""


def program_of(
    lines: str, base: Path = Path(), given: Mapping[str, str] = NOTHING, name: str = "spec.atp"
) -> Program:
    """The program of some lines, which are made a whole spec and have to be readable."""
    source = Source(name, complete(lines))
    tree, problems = parse(source)
    assert problems == ()
    return elaborate(tree, source, base, given, vocabulary=VOCABULARY)


def experiments_of(
    lines: str, base: Path = Path(), given: Mapping[str, str] = NOTHING
) -> list[Experiment]:
    """The experiments of all points of lines that have to be right."""
    program = program_of(lines, base, given)
    assert program.problems == ()
    made = [resolve(point.tree, program.source, VOCABULARY, base) for point in program.points]
    assert [found for _, found in made] == [()] * len(made)
    return [experiment for experiment, _ in made if experiment is not None]


def experiment_of(
    lines: str, base: Path = Path(), given: Mapping[str, str] = NOTHING
) -> Experiment:
    """The experiment of lines with one point."""
    (experiment,) = experiments_of(lines, base, given)
    return experiment


def problems_of(
    lines: str, base: Path = Path(), given: Mapping[str, str] = NOTHING
) -> list[tuple[str, str]]:
    """Codes of problems, and the text that each points at, "" for none."""
    program = program_of(lines, base, given)
    found = []
    for problem in program.problems:
        placed = problem.placed(program.source)
        at = placed.at
        text = at.source.text[at.span.start : at.span.end] if at and at.source else ""
        found.append((problem.code, text))
    return found


def values_of(program: Program) -> list[tuple[str, ...]]:
    """The values at each point."""
    return [tuple(value for _, value in point.values) for point in program.points]
