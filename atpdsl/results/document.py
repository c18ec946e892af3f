"""Frozen data as JSON and back; reading trusts nothing."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from atpdsl.problems import Source, Span

T = TypeVar("T")


class DamagedError(ValueError):
    """A document that is not what it should be; the message says where."""


def to_json(value: object) -> Any:
    """`value` as lists, dicts, strings and numbers; places in the spec are left out.

    A number that is not finite becomes None: JSON has no other word for it. What has a method
    `as_json` is written as that says.
    """
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [to_json(item) for item in value]
    if is_dataclass(value):
        worded = getattr(value, "as_json", None)
        if worded is not None:
            return worded()
        named = ((field.name, getattr(value, field.name)) for field in fields(value))
        return {
            name: to_json(item) for name, item in named if not isinstance(item, Span | Source)
        }
    return value


def dumps(value: object) -> str:
    """The same text for the same value: sorted keys, short lists on one line, a line end."""
    text = _layout(to_json(value), "\n")
    return re.sub("[\ud800-\udfff]", lambda m: f"\\u{ord(m[0]):04x}", text) + "\n"


def _layout(value: Any, newline: str) -> str:
    inner = newline + "  "
    if isinstance(value, dict) and value:
        items = (f"{_scalar(key)}: {_layout(value[key], inner)}" for key in sorted(value))
        return "{" + ",".join(inner + item for item in items) + newline + "}"
    if isinstance(value, list) and any(isinstance(item, list | dict) for item in value):
        items = (_layout(item, inner) for item in value)
        return "[" + ",".join(inner + item for item in items) + newline + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def loads(text: str) -> object:
    """The value of a JSON text.

    Raises:
        DamagedError: when the text is not JSON, or nests too deep, or holds `NaN`.
    """
    try:
        return cast(object, json.loads(text, parse_constant=_no_constant))
    except RecursionError:
        raise DamagedError("it nests too deep") from None
    except ValueError as error:
        raise DamagedError(str(error)) from None


def _no_constant(word: str) -> float:
    raise DamagedError(f"`{word}` is no JSON")


def from_json(kind: type[T], value: object, where: str = "") -> T:
    """`value` as an instance of `kind`, every part checked.

    Args:
        kind: a dataclass whose fields are of the types that `to_json` writes.
        value: as `loads` gives it.
        where: the path to it, for the message.

    Raises:
        DamagedError: when something is missing or of another type.
    """
    return cast(T, _read(kind, value, where))


def _read(kind: Any, value: object, where: str) -> object:
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is object:
        return value
    if origin in (Union, UnionType):
        return _read_union(arguments, value, where)
    if origin is tuple:
        return _read_tuple(arguments, value, where)
    if origin is not None and issubclass(origin, Mapping):
        items = _expect(dict, value, where).items()
        return {key: _read(arguments[1], item, f"{where}.{key}") for key, item in items}
    if is_dataclass(kind):
        return _read_dataclass(cast(type, kind), value, where)
    return _read_plain(kind, value, where)


def _read_union(kinds: tuple[Any, ...], value: object, where: str) -> object:
    if value is None and NoneType in kinds:
        return None
    (kind,) = (k for k in kinds if k is not NoneType)
    return _read(kind, value, where)


def _read_tuple(kinds: tuple[Any, ...], value: object, where: str) -> tuple[object, ...]:
    items = _expect(list, value, where)
    if kinds[-1] is Ellipsis:
        kinds = (kinds[0],) * len(items)
    if len(kinds) != len(items):
        raise DamagedError(f"`{where}` has {len(items)} entries, not {len(kinds)}")
    parts = zip(kinds, items, strict=True)
    return tuple(_read(kind, item, f"{where}[{i}]") for i, (kind, item) in enumerate(parts))


def _read_dataclass(kind: type, value: object, where: str) -> object:
    entries = _expect(dict, value, where)
    hints = get_type_hints(kind)
    missing = [name for name in hints if name not in entries]
    if missing:
        raise DamagedError(f"`{f'{where}.{missing[0]}'.lstrip('.')}` is missing")
    named = {name: (hint, f"{where}.{name}".lstrip(".")) for name, hint in hints.items()}
    return kind(**{n: _read(hint, entries[n], path) for n, (hint, path) in named.items()})


def _read_plain(kind: type, value: object, where: str) -> object:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return _finite(value, where)
    if kind is float:
        return _finite(_expect(float, value, where), where)
    return _expect(kind, value, where)


def _finite(value: float, where: str) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise DamagedError(f"`{where}` is too large")
    return number


def _expect(kind: type[T], value: object, where: str) -> T:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise DamagedError(f"`{where or 'the file'}` is no {_NAMES[kind]}")
    return value


_NAMES: Mapping[type, str] = {
    bool: "truth value",
    int: "whole number",
    float: "number",
    str: "text",
    list: "list",
    dict: "object",
}
