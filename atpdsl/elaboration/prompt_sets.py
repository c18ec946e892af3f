"""Sets of prompts: their names, and those that are made from others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from atpdsl.elaboration.deriving import PromptSet, derived, plain_set
from atpdsl.elaboration.modules import Module, Named, Space, dotted
from atpdsl.elaboration.program import Kind
from atpdsl.problems import Label, Span
from atpdsl.registry import closest
from atpdsl.semantics.findings import Findings, did_you_mean, listed
from atpdsl.syntax import tree as t


@dataclass(frozen=True, slots=True)
class _Link:
    """The set that one is made from; `lost` if it should be there and is not."""

    base: t.PromptSet | None = None
    lost: bool = False


class PromptSets:
    """The sets of a spec and of the files that it includes.

    Attributes:
        own: the statements of the spec, in order.
        written: their sets; those that could not be made are left out.
        lost: whether there are such.
    """

    def __init__(self, main: Module, modules: Iterable[Module], findings: Findings) -> None:
        self.findings = findings
        self.main = main
        self._homes: dict[int, Module] = {}
        self.own: list[t.PromptSet] = []
        for module in modules:
            own = [s for s in module.tree.statements if isinstance(s, t.PromptSet)]
            self._homes |= {id(statement): module for statement in own}
            self.own += own if module.main else ()
        self._links: dict[int, _Link] = {}
        self._made: dict[int, PromptSet | None] = {}
        made = [self._make(statement) for statement in self.own]
        self.written = tuple(one for one in made if one is not None)
        self.lost = None in made
        self._check_names()

    def included(self) -> tuple[tuple[str, PromptSet], ...]:
        """The sets that included files bring, each once, by their whole names."""
        found: dict[int, tuple[str, t.PromptSet]] = {}
        for name, named in self.main.everything():
            statement = named.statement
            if isinstance(statement, t.PromptSet) and not named.home.main:
                found.setdefault(id(statement), (name, statement))
        made = ((name, self._make(statement)) for name, statement in found.values())
        return tuple((name, one) for name, one in made if one is not None)

    def named(self, name: t.Name | t.Attribute) -> PromptSet | None:
        """The set with a name, of the spec or included; None (and a problem) if none has it."""
        path = dotted(name)
        known = {one.name.text: one for one in reversed(self.written)}
        if ".".join(path) not in known:
            known |= self.included()
        used = self.main.find(path)
        if isinstance(used, Named) and used.kind is Kind.PROMPTS:
            self._find(path, name.span, self.main)
        found = known.get(".".join(path))
        if found is None and self.main.complete and not self.lost:
            self._unknown(".".join(path), name.span, known)
        return found

    # ---- what they are made from ----

    def _make(self, statement: t.PromptSet) -> PromptSet | None:
        """A set with all that it takes over; None (and a problem) if that is not there."""
        chain: list[t.PromptSet] = []
        current: t.PromptSet | None = statement
        while current is not None and id(current) not in self._made:
            if any(current is one for one in chain):
                self._circle(chain[-1], current)
                self._made.update({id(one): None for one in chain})
                break
            chain.append(current)
            current = self._link(current).base
        for one in reversed(chain):
            if id(one) not in self._made:
                self._made[id(one)] = self._combined(one, self._link(one))
        return self._made[id(statement)]

    def _combined(self, statement: t.PromptSet, link: _Link) -> PromptSet | None:
        home = self._homes[id(statement)]
        if link.lost:
            return None
        if link.base is None:
            return plain_set(statement, home)
        base = self._made[id(link.base)]
        return None if base is None else derived(statement, home, base)

    def _link(self, statement: t.PromptSet) -> _Link:
        if id(statement) not in self._links:
            self._links[id(statement)] = self._new_link(statement)
        return self._links[id(statement)]

    def _new_link(self, statement: t.PromptSet) -> _Link:
        home = self._homes[id(statement)]
        path = dotted(statement.origin) if statement.origin is not None else ()
        if statement.origin is None or not path:
            return _Link()
        place = statement.origin.span
        found = self._find(path, place, home)
        if isinstance(found, Named):
            made_from = found.statement
            return _Link(made_from if isinstance(made_from, t.PromptSet) else None)
        base = self._without_name(path, statement) if home.main else None
        if base is not None:
            return _Link(base)
        first = home.names.get(path[0])
        unread = isinstance(first, Space) and not first.module.complete
        if home.complete and not unread:
            known = (name for name, named in home.everything() if named.value is None)
            self._unknown(".".join(path), place, known)
        return _Link(lost=True)

    def _find(self, path: tuple[str, ...], place: Span, home: Module) -> Named | None:
        """What the name after `from` stands for; its uses are taken down."""
        found = home.find(path)
        first = home.names.get(path[0])
        if isinstance(first, Space):
            first.uses.append(Span(place.start, place.start + len(path[0])))
        if not isinstance(found, Named):
            return None
        found.uses.append(Span(max(place.start, place.end - len(path[-1])), place.end))
        return found

    def _without_name(
        self, path: tuple[str, ...], statement: t.PromptSet
    ) -> t.PromptSet | None:
        """The set of the spec that took this name from the one that it is made from."""
        for one in self.own:
            origin = () if one.origin is None or one.name else dotted(one.origin)
            if one is not statement and origin[-1:] == path and len(origin) > 1:
                return one
        return None

    # ---- problems ----

    def _unknown(self, name: str, at: Span, known: Iterable[str]) -> None:
        known = tuple(known)
        there = f"there are {listed(known[:20])}" if known else "there are none with a name"
        self.findings.error(
            "ATP148",
            f"there is no set of prompts `{name}`",
            at,
            advice=did_you_mean(closest(name, known), there),
        )

    def _circle(self, last: t.PromptSet, first: t.PromptSet) -> None:
        place = last.origin.span if last.origin else last.word.span
        self.findings.error(
            "ATP138",
            "these prompts are made from themselves",
            place,
            advice="name another set after `from`, or write the prompts out",
            also=(Label(first.word.span, "this set"),) if first is not last else (),
        )

    def _check_names(self) -> None:
        """Sets of the spec have names that differ."""
        seen: dict[str, Span] = {}
        for one in self.written:
            first = seen.setdefault(one.name.text, one.name.span)
            written = one.statement.name
            # Two that are written are two definitions, which is told already.
            if first is one.name.span or (written is not None and self._defined(one)):
                continue
            self.findings.error(
                "ATP147",
                f"there is a set of prompts `{one.name.text}` already",
                one.name.span,
                advice="give it a name of its own: `prompts NAME ... { ... }`",
                also=(Label(first, "the first is here"),),
            )
        nameless = [one for one in self.written if self._nameless(one)]
        if len(self.written) > 1 and len(nameless) == 1:
            self.findings.error(
                "ATP147",
                "these prompts have no name, and there are others",
                nameless[0].name.span,
                advice="give each a name: `prompts NAME { ... }`",
            )

    def _defined(self, one: PromptSet) -> bool:
        named = self.main.names.get(one.name.text)
        return (
            isinstance(named, Named)
            and named.kind is Kind.PROMPTS
            and (named.statement is not one.statement)
        )

    def _nameless(self, one: PromptSet) -> bool:
        return one.statement.name is None and one.name.span == one.statement.word.span
