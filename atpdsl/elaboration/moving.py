"""Whole trees: moved to another place, put where a name was written, measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

from atpdsl.problems import Label, Problem, Source, Span
from atpdsl.syntax import tree as t

N = TypeVar("N")


def moved(tree: N, by: int) -> N:
    """A tree, or a part of one, whose places are so many characters later."""

    def string(value: t.String) -> t.String:
        offsets = tuple(offset + by for offset in value.offsets)
        return t.String(value.value, value.raw, offsets, value.span.moved(by))

    return cast("N", _placed(tree, lambda span: span.moved(by), string)) if by else tree


def standing_at(value: t.Expression, span: Span) -> t.Expression:
    """An expression, all of which stands where the name for it was written."""

    def string(part: t.String) -> t.String:
        offsets = (*(span.start for _ in part.value), span.end)
        return t.String(part.value, part.raw, offsets, span)

    return cast("t.Expression", _placed(value, lambda _: span, string))


def moved_problem(problem: Problem, by: int, otherwise: Span) -> Problem:
    """A problem of an included text; one without a place gets that of the `include`."""
    at = Label(otherwise) if problem.at is None else _moved_label(problem.at, by)
    fix = problem.fix
    return replace(
        problem,
        at=at,
        also=tuple(_moved_label(label, by) for label in problem.also),
        fix=None if fix is None else replace(fix, span=fix.span.moved(by)),
    )


def _moved_label(label: Label, by: int) -> Label:
    return Label(label.span.moved(by), label.text)


def _placed(
    part: Any, place: Callable[[Span], Span], string: Callable[[t.String], t.String]
) -> object:
    match part:
        case Span():
            return place(part)
        case t.String():
            return string(part)
        case tuple():
            return tuple([_placed(item, place, string) for item in part])
        case Source():
            return part
    names = _fields(type(part))
    if not names:
        return part
    return type(part)(**{name: _placed(getattr(part, name), place, string) for name in names})


def _fields(kind: type[Any]) -> tuple[str, ...]:
    """The fields of a class of the tree; none for plain values."""
    if kind not in _FIELDS:
        found = fields(kind) if is_dataclass(kind) else ()
        _FIELDS[kind] = tuple(field.name for field in found)
    return _FIELDS[kind]


# Asking a class for its fields takes longer than all the rest.
_FIELDS: dict[type[Any], tuple[str, ...]] = {}


def size_of(value: t.Expression) -> int:
    """How large an expression is: its parts, and the characters of its strings."""
    size = 0
    rest: list[Any] = [value]
    while rest:
        part = rest.pop()
        if isinstance(part, tuple):
            rest += part
            continue
        names = () if isinstance(part, Span) else _fields(type(part))
        size += bool(names) + (len(part.value) if isinstance(part, t.String) else 0)
        rest += [] if isinstance(part, t.String) else [getattr(part, name) for name in names]
    return size


def depth_of(value: Any) -> int:
    """How many levels an expression has."""
    if isinstance(value, tuple):
        return max(map(depth_of, value), default=0)
    if isinstance(value, Span | t.String) or not _fields(type(value)):
        return 0
    return 1 + max(depth_of(getattr(value, name)) for name in _fields(type(value)))
