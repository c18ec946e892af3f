"""Files and the names that they define."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from atpdsl.elaboration.program import Kind
from atpdsl.problems import Span
from atpdsl.registry import closest
from atpdsl.syntax import tree as t

Defining = t.Let | t.Parameter | t.Sweep | t.PromptSet


@dataclass(eq=False, slots=True, kw_only=True)
class Named:
    """A name, and the statement that defines it.

    Attributes:
        home: the file in which it stands.
        uses: where it is used, found while names are replaced.
    """

    name: str
    kind: Kind
    span: Span
    statement: Defining
    home: Module
    uses: list[Span] = field(default_factory=list)

    @property
    def value(self) -> t.Expression | None:
        """What stands behind the name; None for prompts."""
        match self.statement:
            case t.Let(value=value) | t.Parameter(value=value):
                return value
            case t.Sweep(values=values):
                return values
            case _:
                return None


@dataclass(eq=False, slots=True, kw_only=True)
class Space:
    """The names of an included file, behind the name that the `include` gives it."""

    name: str
    span: Span
    module: Module
    statement: t.Include
    uses: list[Span] = field(default_factory=list)


@dataclass(eq=False, slots=True, kw_only=True)
class Module:
    """A file, its tree moved to its place among the offsets of the whole source.

    Attributes:
        folder: from which its relative paths count.
        root: the folder that those must not leave.
        names: those in sight in the file, its own and included ones.
        reach: how many whole names that are, with those behind names of includes.
        complete: False if part of it could not be read, so that a name may be defined there.
        main: whether it is the spec itself.
        shipped: whether it came with atpdsl.
        reserved: words that stand for themselves, so that they are no lost names.
    """

    tree: t.SpecFile
    folder: Path
    root: Path
    names: dict[str, Named | Space] = field(default_factory=dict)
    reach: int = 0
    complete: bool = True
    main: bool = False
    shipped: bool = False
    reserved: frozenset[str] = frozenset()

    def find(self, path: tuple[str, ...]) -> Named | Space | None:
        """What a name, or a name behind names of includes, stands for."""
        found: Named | Space | None = self.names.get(path[0])
        for name in path[1:]:
            if not isinstance(found, Space):
                return None
            found = found.module.names.get(name)
        return found

    def may_have_lost(self, name: str, *, words: bool = True) -> bool:
        """Whether a name may be defined in a part that could not be read.

        Args:
            name: as it is used.
            words: whether it may be a misspelled word of the language instead.
        """
        if self.complete or name in self.names or name in self.reserved:
            return False
        return not words or closest(name, self.reserved) is None

    def everything(self) -> Iterator[tuple[str, Named]]:
        """All that is in sight, by its whole name."""
        for name, found in self.names.items():
            if isinstance(found, Named):
                yield name, found
            else:
                for inner, named in found.module.everything():
                    yield f"{name}.{inner}", named


def dotted(value: t.Expression) -> tuple[str, ...]:
    """`common.names` as ("common", "names"); () if it is no such path."""
    names: list[str] = []
    while isinstance(value, t.Attribute):
        names.append(value.name.text)
        value = value.base
    return (*reversed((*names, value.text)),) if isinstance(value, t.Name) else ()
