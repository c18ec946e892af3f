"""`prompts small from ioi { count = 8 }`: a set with another's statements and its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from atpdsl.elaboration.interpolation import LABEL
from atpdsl.elaboration.modules import Module, dotted
from atpdsl.semantics.prompts import NAME
from atpdsl.syntax import tree as t


@dataclass(frozen=True, slots=True)
class Line:
    """A statement of a set, and the file in which it is written."""

    statement: t.BodyStatement
    home: Module


@dataclass(eq=False, frozen=True, slots=True, kw_only=True)
class PromptSet:
    """A set of prompts with all that it takes over from another.

    Attributes:
        name: its own, or that of the set it is made from.
        statement: where it is written.
        origin: the file or data set that its pairs come from, and where that is written.
        lines: its statements, those of the set it is made from first.
        broken: whether some of them could not be read.
        pair: names of its pairs, which hide those of the file.
    """

    name: t.Name
    statement: t.PromptSet
    home: Module
    origin: tuple[t.Expression, Module] | None
    lines: tuple[Line, ...]
    broken: bool
    pair: frozenset[str]


def plain_set(statement: t.PromptSet, home: Module) -> PromptSet:
    """A set that is made from no other."""
    lines = tuple(Line(line, home) for line in statement.body.statements)
    return PromptSet(
        name=statement.name or t.Name(NAME, statement.word.span),
        statement=statement,
        home=home,
        origin=None if statement.origin is None else (statement.origin, home),
        lines=lines,
        broken=statement.body.broken,
        pair=pair_names(lines),
    )


def derived(statement: t.PromptSet, home: Module, base: PromptSet) -> PromptSet:
    """A set with the statements of another, as far as it has none of its own instead.

    - A setting takes the place of that of the same name.
    - A `slot`, `pos` or `let` takes the place of every line that defines one of its names; so
      a `slot A, B` goes as a whole, because its names are drawn together.
    - With a `template` or a `pair` of its own it has none of the other's, and likewise with
      `corrupt` and with `answer`.
    """
    own = tuple(Line(line, home) for line in statement.body.statements)
    mine = {key for line in own for key in _keys(line.statement)}
    kept = tuple(line for line in base.lines if mine.isdisjoint(_keys(line.statement)))
    lines = (*kept, *own)
    name = statement.name
    if name is None:
        origin = statement.origin
        place = statement.word.span if origin is None else origin.span
        path = () if origin is None else dotted(origin)
        name = t.Name(path[-1] if path else base.name.text, place)
    return PromptSet(
        name=name,
        statement=statement,
        home=home,
        origin=base.origin,
        lines=lines,
        broken=base.broken or statement.body.broken,
        pair=pair_names(lines),
    )


def _keys(line: t.BodyStatement) -> Iterator[tuple[str, str]]:
    """What a statement says something about; another about the same takes its place."""
    match line:
        case t.Setting(name=name):
            yield "setting", name.text
        case t.SlotLine(names=names):
            for name in names:
                yield "name", name.text
        case t.PositionLine(name=name) | t.Let(name=name):
            yield "name", name.text
        case t.Template() | t.Pair():
            yield "prompts", ""
        case t.CorruptLine():
            yield "corrupt", ""
        case t.AnswerLine():
            yield "answer", ""


def pair_names(lines: Iterable[Line]) -> frozenset[str]:
    """The names of a set's pairs: slots, `let`s, `pos`es, `as` names, and `row`."""
    names = {"row"}
    for line in lines:
        names.update(key for kind, key in _keys(line.statement) if kind == "name")
        for text in _texts(line.statement):
            names.update(LABEL.findall(text.value))
    return frozenset(names)


def _texts(line: t.BodyStatement) -> Iterator[t.String]:
    """The strings of a statement in which places may be named."""
    match line:
        case t.Template(text=t.String() as text) | t.Setting(value=t.String() as text):
            yield text
        case t.Pair(clean=clean, corrupted=corrupted):
            yield from (side for side in (clean, corrupted) if isinstance(side, t.String))
