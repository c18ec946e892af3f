"""The names that a spec defines, and where they are used."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from atpdsl.problems import Span
from atpdsl.syntax import tree as t


class Space(StrEnum):
    """Names that cannot be told apart where they are used.

    VALUE: `let`, `param`, `sweep` and the names of included files. PAIR: what a set of
    prompts names: slots, places and its own `let`s. METHOD: labels of methods. PROMPTS: sets
    of prompts.
    """

    VALUE = "value"
    PAIR = "pair"
    METHOD = "method"
    PROMPTS = "prompts"


class Sort(StrEnum):
    """What kind of thing a name is the name of, in words."""

    LET = "constant"
    PARAM = "parameter"
    SWEEP = "sweep"
    FILE = "included file"
    SLOT = "slot"
    PLACE = "place"
    POSITION = "position"
    PAIR_LET = "value of each pair"
    PROMPTS = "prompts"
    METHOD = "method"


@dataclass(frozen=True, slots=True)
class Key:
    """What makes two names the same: their space, the set of prompts they are in, the text."""

    space: Space
    scope: int | None
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A place where a name gets its meaning.

    Attributes:
        statement: the statement that gives it.
        written: that statement as it is written, without its body.
        path: the included file that it is in, None for the text itself.
        implied: the name is not written for its own sake: `method atp` is called `atp`.
    """

    key: Key
    sort: Sort
    span: Span
    statement: t.Statement | t.BodyStatement
    written: str
    path: Path | None = None
    implied: bool = False

    @property
    def name(self) -> str:
        """The name, with that of the included file before it if it needs one."""
        return self.key.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A place where a name is used; it is looked for in `spaces`, in this order."""

    name: str
    span: Span
    spaces: tuple[Space, ...]
    scope: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PairScope:
    """A set of prompts: its names belong together, and are added to those of its base."""

    number: int
    name: str
    base: str | None
    span: Span
    path: Path | None


@dataclass(slots=True)
class Found:
    """Everything collected from a spec and the files that it includes."""

    definitions: list[Definition] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    scopes: list[PairScope] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    """A name at one place of a text, with all that bears the same name for the same reason.

    Attributes:
        span: the place.
        definitions, uses: all of them, in the order of their places.
    """

    name: str
    span: Span
    definitions: tuple[Definition, ...]
    uses: tuple[Use, ...]


class Names:
    """The names of a spec.

    Args:
        found: what `atpdsl.editor.collect` found.
    """

    def __init__(self, found: Found) -> None:
        self.found = found
        self.by_key: dict[Key, list[Definition]] = {}
        for definition in found.definitions:
            self.by_key.setdefault(definition.key, []).append(definition)
        self.group: dict[Key, Key] = {}
        self.resolved = [(use, self._keys(use)) for use in found.uses]
        self._join()

    def at(self, offset: int) -> Symbol | None:
        """The name at an offset, which may also be right behind it."""
        for definition in self.found.definitions:
            if definition.path is None and _touches(definition.span, offset):
                return self._symbol(definition.name, definition.span, definition.key)
        for use, keys in self.resolved:
            if keys and _touches(use.span, offset):
                return self._symbol(use.name, use.span, keys[0])
        return None

    def scope_at(self, offset: int) -> int | None:
        """The set of prompts whose statement an offset is in."""
        for scope in self.found.scopes:
            if scope.path is None and scope.span.start <= offset <= scope.span.end:
                return scope.number
        return None

    def visible(self, space: Space, scope: int | None) -> tuple[Definition, ...]:
        """One definition of each name of a space, as seen from a set of prompts or outside."""
        names = dict.fromkeys(key.name for key in self.by_key if key.space is space)
        keys = [self._look_up(space, name, scope) for name in names]
        return tuple(self.by_key[found[0]][0] for found in keys if found)

    # ---- looking names up ----

    def _keys(self, use: Use) -> tuple[Key, ...]:
        for space in use.spaces:
            keys = self._look_up(space, use.name, use.scope)
            if keys:
                return keys
        return ()

    def _look_up(self, space: Space, name: str, scope: int | None) -> tuple[Key, ...]:
        if space is not Space.PAIR:
            key = Key(space, None, name)
            return (key,) if key in self.by_key else ()
        if scope is not None:
            key_or_none = self._pair_key(scope, name)
            return () if key_or_none is None else (key_or_none,)
        own = [one for one in self.found.scopes if one.path is None] or self.found.scopes
        keys = (self._pair_key(one.number, name) for one in own)
        return tuple(dict.fromkeys(key for key in keys if key is not None))

    def _pair_key(self, scope: int | None, name: str) -> Key | None:
        """The name in a set of prompts or in what it is derived from."""
        seen: set[int] = set()
        while scope is not None and scope not in seen:
            key = Key(Space.PAIR, scope, name)
            if key in self.by_key:
                return key
            seen.add(scope)
            scope = self._base(scope)
        return None

    def _base(self, scope: int) -> int | None:
        base = self.found.scopes[scope].base
        others = (s.number for s in self.found.scopes if s.name == base and s.number != scope)
        return None if base is None else next(others, None)

    # ---- names that are one ----

    def _join(self) -> None:
        for _, keys in self.resolved:
            for key in keys[1:]:
                self._unite(keys[0], key)
        for key in self.by_key:
            if key.scope is not None:
                inherited = self._pair_key(self._base(key.scope), key.name)
                if inherited is not None:
                    self._unite(inherited, key)

    def _unite(self, one: Key, other: Key) -> None:
        first, second = self._leader(one), self._leader(other)
        if first != second:
            self.group[second] = first

    def _leader(self, key: Key) -> Key:
        while key in self.group:
            key = self.group[key]
        return key

    def _symbol(self, name: str, span: Span, key: Key) -> Symbol:
        leader = self._leader(key)
        definitions = (d for d in self.found.definitions if self._leader(d.key) == leader)
        uses = (u for u, keys in self.resolved if keys and self._leader(keys[0]) == leader)
        return Symbol(
            name=name,
            span=span,
            definitions=tuple(sorted(definitions, key=_place)),
            uses=tuple(sorted(uses, key=lambda use: use.span.start)),
        )


def _place(definition: Definition) -> tuple[str, int]:
    return str(definition.path or ""), definition.span.start


def _touches(span: Span, offset: int) -> bool:
    return span.start <= offset <= span.end
