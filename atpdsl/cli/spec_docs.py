"""What a spec says of itself: its description, parameters, sweeps and prompt sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from atpdsl import driver
from atpdsl.cli.terminal import columns, word
from atpdsl.elaboration.elaborate import elaborate
from atpdsl.elaboration.program import Definition, Kind, Parameter, Program
from atpdsl.problems import Severity, SpecError
from atpdsl.problems.clean import clean
from atpdsl.problems.render import in_order
from atpdsl.syntax import tree as t
from atpdsl.syntax.parse import parse
from atpdsl.syntax.tree import SpecFile

if TYPE_CHECKING:
    from rich.console import RenderableType


def spec_docs(path: Path) -> Iterator[RenderableType]:
    """The description of a spec file, part by part.

    Raises:
        SpecError: when it cannot be read, or has errors in its text or its names.
    """
    source = driver.read_source(path)
    tree, syntax = parse(source)
    program = elaborate(tree, source, path.parent, vocabulary=driver.vocabulary())
    problems = in_order((*syntax, *program.problems))
    if any(problem.severity is Severity.ERROR for problem in problems):
        raise SpecError(problems, program.source)
    return _parts(path, tree, program)


def _parts(path: Path, tree: SpecFile, program: Program) -> Iterator[RenderableType]:
    yield f"{clean(str(path))}:"
    for line in (
        tree.doc or "It has no description; `## ...` before a statement is one."
    ).split("\n"):
        yield f"  {clean(line)}".rstrip()
    if program.params:
        yield ""
        yield "parameters:"
        yield _parameters(program.params, _bounds(tree))
    for kind, title in ((Kind.SWEEP, "sweeps"), (Kind.PROMPTS, "prompt sets")):
        named = tuple(d for d in program.definitions if d.kind is kind and _is_own(d, program))
        if named:
            yield ""
            yield f"{title}:"
            yield _definitions(named)
    if program.files:
        yield ""
        yield f"includes: {clean(', '.join(program.files))}"
    if program.params:
        first = program.params[0]
        yield ""
        yield f"set one: atpdsl run {word(path)} -p {first.name}={word(first.default)}"


def _is_own(definition: Definition, program: Program) -> bool:
    """Whether something is defined in the spec itself, not in an included file."""
    part, _ = program.source.locate(definition.span)
    return part.name == program.source.name


def _parameters(params: tuple[Parameter, ...], bounds: Mapping[str, str]) -> RenderableType:
    table = columns("name", "default", "values", "what it is", fixed=("name",))
    for param in params:
        values = bounds.get(param.name, "")
        table.add_row(*map(clean, (param.name, param.default, values, param.help)))
    return table


def _bounds(tree: SpecFile) -> dict[str, str]:
    """What each parameter of the spec itself may be, as far as that is written there."""
    return {
        statement.name.text: _bound(statement, tree.source.text)
        for statement in tree.statements
        if isinstance(statement, t.Parameter) and statement.body is not None
    }


def _bound(param: t.Parameter, text: str) -> str:
    lines = param.body.statements if param.body is not None else ()
    written = {
        line.name.text: text[line.value.span.start : line.value.span.end]
        for line in lines
        if isinstance(line, t.Setting)
    }
    words = {"min": "at least", "max": "at most", "choices": "one of"}
    return ", ".join(
        f"{words[name]} {value}" for name, value in written.items() if name in words
    )


def _definitions(definitions: tuple[Definition, ...]) -> RenderableType:
    table = columns("name", "value", "what it is", fixed=("name",))
    for definition in definitions:
        doc = " ".join(definition.doc.split())
        table.add_row(clean(definition.name), clean(definition.value), clean(doc))
    return table
