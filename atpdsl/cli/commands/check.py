"""`atpdsl check`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from atpdsl import driver
from atpdsl.binding.bind import Bound
from atpdsl.checked import Checked, Study
from atpdsl.checking import Access
from atpdsl.cli.access import access
from atpdsl.cli.amounts import diagnosis, rule, verification
from atpdsl.cli.failures import DONE, SPEC
from atpdsl.cli.mending import mend
from atpdsl.cli.points import spell_values, spread
from atpdsl.cli.terminal import (
    count,
    facts,
    say,
    say_json,
    say_plain_json,
    show,
    tell_problems,
    version,
    word,
)
from atpdsl.problems import Problem, RunError, Severity, Source, SpecError, render
from atpdsl.problems.clean import clean
from atpdsl.semantics.experiment import CircuitCall


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was found in one spec; `study` is None where it cannot even be read."""

    path: Path
    study: Study | None
    source: Source | None
    problems: tuple[Problem, ...]

    @property
    def good(self) -> bool:
        """Whether it can be run."""
        return all(problem.severity is not Severity.ERROR for problem in self.problems)


def check(chosen: argparse.Namespace) -> int:
    """Say what is wrong with specs, or what they ask for."""
    allowed = access(chosen)
    answers = [_answer(path, allowed, fix=chosen.fix) for path in chosen.specs]
    _tell(answers, "json" if chosen.json else chosen.format)
    return DONE if all(answer.good for answer in answers) else SPEC


def _answer(path: Path, allowed: Access, *, fix: bool) -> Answer:
    try:
        study = mend(path, allowed) if fix else driver.check(path, allowed)
    except RunError:
        raise
    except SpecError as error:
        problems = tuple(error.problems)
        return Answer(path=path, study=None, source=error.source, problems=problems)
    return Answer(path=path, study=study, source=study.source, problems=study.problems)


def _tell(answers: list[Answer], shape: str) -> None:
    match shape:
        case "json":
            specs = [_document(answer) for answer in answers]
            say_json("atpdsl/check/3", good=all(answer.good for answer in answers), specs=specs)
        case "sarif":
            from atpdsl.problems.render_sarif import sarif

            say_plain_json(sarif(_all(answers), version=version()))
        case "github":
            from atpdsl.problems.render_github import github

            _say_lines(github([problem], None) for problem in _all(answers))
        case "concise":
            _say_lines(_concise(answers))
        case _:
            for answer in answers:
                _plain(answer, alone=len(answers) == 1)


def _all(answers: list[Answer]) -> tuple[Problem, ...]:
    """The problems of all specs, located; those of a file that several include once."""
    return tuple(
        dict.fromkeys(
            problem
            for answer in answers
            for problem in render.located(answer.problems, answer.source)
        )
    )


def _say_lines(lines: Iterator[str]) -> None:
    for line in lines:
        say(line)


def _concise(answers: list[Answer]) -> Iterator[str]:
    seen: set[str] = set()
    for answer in answers:
        for problem in render.located(answer.problems, answer.source):
            line = render.concise([problem], answer.source)
            if line not in seen:
                yield line
            seen.add(line)


def _plain(answer: Answer, *, alone: bool) -> None:
    if answer.problems:
        tell_problems(answer.problems, answer.source, json=False)
    if answer.study is None or not answer.good:
        return
    warnings = len(answer.study.warnings)
    found = count(warnings, "warning") if warnings else "no problems"
    say(f"{clean(str(answer.path))}: {found}")
    if alone:
        show(facts(_content(answer.study, str(answer.path))))


def _document(answer: Answer) -> dict[str, object]:
    study = answer.study
    return {
        "spec": str(answer.path),
        "good": answer.good,
        "variables": [] if study is None else study.program.variables,
        "points": [] if study is None else [_point(point) for point in study.points],
        "problems": render.as_json(answer.problems, answer.source),
    }


def _point(point: Checked) -> dict[str, object]:
    return {
        "values": dict(point.point),
        "pairs": None if point.bound is None else len(point.bound.pairs),
        "nodes": None if point.bound is None else point.bound.node_count,
    }


def _content(study: Study, spec: str) -> Iterator[tuple[str, str]]:
    bounds = [point.bound for point in study.points if point.bound is not None]
    if len(bounds) > 1:
        yield "points", f"{len(bounds)}: {spell_values(study)}"
    yield "model", spread(_model(bound) for bound in bounds)
    yield "prompts", spread(_prompts(bound) for bound in bounds)
    yield "metric", spread(_metric(bound) for bound in bounds)
    yield "nodes", spread(f"{bound.node_count:,}" for bound in bounds)
    yield "methods", spread(_methods(bound) for bound in bounds)
    verified = tuple(verification(b.experiment.verify) for b in bounds if b.experiment.verify)
    if verified:
        yield "verify", spread(verified)
    diagnosed = tuple(filter(None, (diagnosis(b.experiment.diagnosis) for b in bounds)))
    if diagnosed:
        yield "diagnose", spread(diagnosed)
    circuits = tuple(_circuit(b.experiment.circuit) for b in bounds if b.experiment.circuit)
    if circuits:
        yield "circuit", spread(circuits)
    expected = tuple(count(len(b.experiment.expectations), "condition") for b in bounds)
    if any(bound.experiment.expectations for bound in bounds):
        yield "expect", spread(expected)
    yield "next", f"atpdsl plan {word(spec)}"


def _model(bound: Bound) -> str:
    shape = bound.shape
    name = clean(bound.experiment.model.name)
    return f"{name}: {shape.n_layers} layers of {shape.n_heads} heads"


def _prompts(bound: Bound) -> str:
    lengths = {len(pair.clean) for pair in bound.pairs.pairs}
    tokens = f"{min(lengths)} to {max(lengths)}" if len(lengths) > 1 else f"{max(lengths)}"
    return f"{count(len(bound.pairs), 'pair')} of {tokens} tokens"


def _metric(bound: Bound) -> str:
    metric = bound.experiment.metric
    labelled = metric.formula is not None and metric.title == metric.name
    formula = f" = {clean(metric.formula.text)}" if labelled and metric.formula else ""
    share = ", normalized" if metric.normalize else ""
    return f"{clean(metric.title)}{formula} at {clean(metric.position)}{share}"


def _methods(bound: Bound) -> str:
    return ", ".join(f"{clean(m.label)} ({m.direction})" for m in bound.experiment.methods)


def _circuit(circuit: CircuitCall) -> str:
    by = "" if circuit.method is None else f" by {clean(circuit.method)}"
    return rule(circuit.keep.value, circuit.amount) + by
