"""The names that an expression mentions."""

from __future__ import annotations

from collections.abc import Iterator

from atpdsl.editor.names import Space, Use
from atpdsl.editor.placeholders import placeholders
from atpdsl.problems import Span
from atpdsl.syntax import tree as t
from atpdsl.syntax.walk import parts_of

Spaces = tuple[Space, ...]
VALUE: Spaces = (Space.VALUE,)
EVERYWHERE: Spaces = (Space.PAIR, Space.VALUE)


def mentions(value: t.Expression | None, spaces: Spaces, scope: int | None) -> Iterator[Use]:
    """The names used in an expression.

    Args:
        value: the expression; None has none.
        spaces: where its names are looked for; those behind `at` are places.
        scope: the set of prompts that it stands in, None for none.
    """
    match value:
        case None:
            return
        case t.Name(text=text, span=span):
            yield _use(text, span, spaces, scope)
        case t.String():
            for placeholder in placeholders(value):
                if placeholder.slot is not None:
                    slot = placeholder.slot
                    yield _use(slot.text, slot.span, spaces, scope)
        case t.Attribute(base=base, name=name):
            yield from mentions(base, VALUE, scope)
            path = dotted(value)
            if path is not None:
                yield _use(path, name.span, spaces, scope)
        case t.Call():
            yield from _in_call(value, spaces, scope)
        case _:
            for part in parts_of(value):
                yield from mentions(part, spaces, scope)


def _use(name: str, span: Span, spaces: Spaces, scope: int | None) -> Use:
    return Use(name=name, span=span, spaces=spaces, scope=scope)


def _in_call(call: t.Call, spaces: Spaces, scope: int | None) -> Iterator[Use]:
    # The name of a function is no name of the spec.
    if not isinstance(call.function, t.Name):
        yield from mentions(call.function, spaces, scope)
    for argument in call.arguments:
        yield from mentions(argument.value, spaces, scope)
        yield from mentions(argument.position, EVERYWHERE, scope)


def dotted(value: t.Expression | None) -> str | None:
    """`common.ioi` as written; None for what is no name."""
    match value:
        case t.Name(text=text):
            return text
        case t.Attribute(base=base, name=name):
            before = dotted(base)
            return None if before is None else f"{before}.{name.text}"
        case _:
            return None
