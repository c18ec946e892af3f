"""Values put where names stand, in expressions and statements."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from atpdsl.elaboration.constants import folded, folded_sign
from atpdsl.elaboration.data_paths import PATH_FUNCTIONS, with_path
from atpdsl.elaboration.interpolation import has_braces, interpolated, settled
from atpdsl.elaboration.modules import Module, Named, Space, dotted
from atpdsl.problems import Span
from atpdsl.registry import closest
from atpdsl.semantics.findings import Findings, did_you_mean, listed
from atpdsl.syntax import tree as t

NOTHING: frozenset[str] = frozenset()


class Values(Protocol):
    """What names stand for.

    Attributes:
        failed: how many names were asked for whose value has an error.
    """

    failed: int

    def value(self, named: Named, span: Span) -> t.Expression | None:
        """The value of a name at a place where it stands; None if it is not known."""
        ...

    def passed(self, space: Space, span: Span) -> None:
        """Takes notice of a name of an `include` at a place where it stands."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What the names in a piece of a spec may mean.

    Attributes:
        module: the file whose names are in sight.
        main: the spec, from whose folder paths count in the end.
        pair: names of a pair of prompts, which hide those of the file.
        settle: whether braces in strings hold nothing but names of the file.
        fold: whether arithmetic is computed where no name stands in it, too.
        lists: whether no words of the language may stand there, only names.
    """

    module: Module
    main: Module
    pair: frozenset[str] = NOTHING
    settle: bool = True
    fold: bool = False
    lists: bool = False


class Filler:
    """Puts values where names stand."""

    def __init__(self, values: Values, sight: Sight, findings: Findings) -> None:
        self.values = values
        self.sight = sight
        self.findings = findings

    def words(self, value: t.Expression) -> t.Expression:
        """Words or numbers with values for their names."""
        if self.sight.module.complete:
            return self.expression(value)
        return Filler(self.values, replace(self.sight, lists=True), self.findings).expression(
            value
        )

    # ---- expressions ----

    def expression(self, value: t.Expression) -> t.Expression:
        """An expression with values for its names; itself where there is none to replace."""
        match value:
            case t.Name():
                return self._named(value)
            case t.Attribute():
                return self._named(value) if dotted(value) else self._attribute(value)
            case t.String():
                return self._string(value)
            case t.Number():
                return value
            case t.Unary():
                return self._unary(value)
            case t.Binary():
                return self._binary(value)
            case _:
                return self._compound(value)

    def _compound(self, value: t.ListOf | t.Call | t.Index | t.RangeOf) -> t.Expression:
        match value:
            case t.ListOf(items=items):
                filled = self.expressions(items)
                return value if filled is items else t.ListOf(filled, value.span)
            case t.Call():
                return self._call(value)
            case t.Index(base=base, items=items):
                inner, filled = self.expression(base), self.expressions(items)
                same = inner is base and filled is items
                return value if same else t.Index(inner, filled, value.span)
            case t.RangeOf(first=first, last=last):
                ends = (self.optional(first), self.optional(last))
                same = ends[0] is first and ends[1] is last
                return value if same else t.RangeOf(*ends, value.span)

    def optional(self, value: t.Expression | None) -> t.Expression | None:
        """An expression that may have been left out."""
        return None if value is None else self.expression(value)

    def expressions(self, values: tuple[t.Expression, ...]) -> tuple[t.Expression, ...]:
        """Several expressions; a name that stands for a list stands for its items."""
        filled: list[t.Expression] = []
        for value in values:
            found = self.expression(value)
            splice = found is not value and isinstance(value, t.Name | t.Attribute)
            if splice and isinstance(found, t.ListOf):
                filled += found.items
            else:
                filled.append(found)
        same = len(filled) == len(values) and all(map(_is, filled, values))
        return values if same else tuple(filled)

    def _named(self, value: t.Name | t.Attribute) -> t.Expression:
        path = dotted(value)
        found = self.lookup(path, value.span)
        if found is not None:
            return self._settled(found)
        lost = self.sight.module.may_have_lost(path[0], words=not self.sight.lists)
        self.values.failed += lost and path[0] not in self.sight.pair
        return self._attribute(value) if isinstance(value, t.Attribute) else value

    def _attribute(self, value: t.Attribute) -> t.Expression:
        # The first name of `a.b` is a word for something that has parts, as in `row.name`.
        if isinstance(value.base, t.Name):
            return value
        base = self.expression(value.base)
        return value if base is value.base else t.Attribute(base, value.name, value.span)

    def _call(self, call: t.Call) -> t.Expression:
        arguments = tuple(self._argument(argument) for argument in call.arguments)
        same = all(map(_is, arguments, call.arguments))
        filled = call if same else t.Call(call.function, arguments, call.span)
        name = call.function.text if isinstance(call.function, t.Name) else ""
        if name in PATH_FUNCTIONS:
            return with_path(filled, self.sight.module, self.sight.main, self.findings)
        return filled

    def _argument(self, argument: t.Argument) -> t.Argument:
        value = self.expression(argument.value)
        position = argument.position
        if value is argument.value and position is None:
            return argument
        return replace(argument, value=value, position=self.optional(position))

    def _unary(self, value: t.Unary) -> t.Expression:
        operand = self.expression(value.operand)
        if operand is value.operand:
            return value
        return folded_sign(t.Unary(value.operator, operand, value.span))

    def _binary(self, value: t.Binary) -> t.Expression:
        left, right = self.words(value.left), self.words(value.right)
        same = left is value.left and right is value.right
        if same and not self.sight.fold:
            return value
        result = folded(t.Binary(value.operator, left, right, value.span), self.findings)
        if result is None:
            self.values.failed += 1
            return value
        return result

    # ---- names ----

    def lookup(self, path: tuple[str, ...], span: Span) -> t.Expression | None:
        """What a name stands for; None if it is no name of the file for a value."""
        if path[0] in self.sight.pair:
            return None
        found = self.sight.module.names.get(path[0])
        for depth, name in enumerate(path[1:], start=1):
            if not isinstance(found, Space):
                return None
            last = sum(len(part) + 1 for part in path[depth:])
            self.values.passed(found, Span(span.start, max(span.start, span.end - last)))
            inner = found.module.names.get(name)
            if inner is None:
                self._no_such(path, depth, found, span)
                return None
            found = inner
        if not isinstance(found, Named) or found.value is None:
            return None
        own = Span(max(span.start, span.end - len(path[-1])), span.end)
        return self.values.value(found, span if len(path) == 1 else own)

    def _no_such(self, path: tuple[str, ...], depth: int, space: Space, span: Span) -> None:
        self.values.failed += 1
        if not space.module.complete:
            return
        names = tuple(space.module.names)
        start = span.start + sum(len(part) + 1 for part in path[:depth])
        self.findings.error(
            "ATP141",
            f"`{'.'.join(path[:depth])}` has no `{path[depth]}`",
            Span(min(start, span.end), span.end),
            advice=did_you_mean(
                closest(path[depth], names), f"it has {listed(names[:20])}" if names else ""
            ),
        )

    # ---- strings ----

    def _string(self, text: t.String) -> t.Expression:
        if not has_braces(text):
            return text
        failed = self.values.failed
        found = interpolated(text, self.lookup, self.findings)
        return text if self.values.failed > failed else self._settled(found)

    def _settled(self, value: t.Expression) -> t.Expression:
        if not self.sight.settle:
            return value
        match value:
            case t.String() if has_braces(value):
                return settled(value, self._unknown_brace)
            case t.ListOf(items=items, span=span):
                return t.ListOf(tuple(self._settled(item) for item in items), span)
            case _:
                return value

    def _unknown_brace(self, written: str, span: Span) -> None:
        self.values.failed += 1
        module = self.sight.module
        if not module.complete:
            return
        name = written.strip("{}").partition(":")[0].strip()
        known = tuple(n for n, named in module.everything() if named.value is not None)
        if len(written) < 2:
            message, advice = f"this `{written}` is alone", f"for a brace write `{written * 2}`"
        else:
            message = f"no `let`, `param` or `sweep` is called `{name}`"
            meant = closest(name, known)
            advice = did_you_mean(meant, "for braces in the name write `{{` and `}}`")
        self.findings.error("ATP141", message, span, advice=advice)


def _is(first: object, second: object) -> bool:
    return first is second
