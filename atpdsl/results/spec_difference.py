"""What two specs ask for that is not the same: statements and settings, not text.

Compared is what the specs were resolved to, every default filled in, so that layout, comments,
the order of statements, and a default that is written out make no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

# In the order of a spec. What it is called and its doc comment ask for nothing.
_STATEMENTS = (
    *("model", "prompts", "metric", "nodes", "methods", "verify", "diagnosis", "circuit"),
    *("expectations", "run", "exports"),
)
_CALLED = {
    "methods": "method",
    "diagnosis": "diagnose",
    "expectations": "expect",
    "exports": "export",
}
# Statements whose parts have names of their own: `method fast`, `diagnose saturation`.
_OF_SEVERAL = ("methods", "diagnosis")
# What tells the entries of a list apart, by the keys that they have; the first one that fits.
_NAMED_BY: tuple[tuple[str, ...], ...] = (
    ("label",),
    ("name",),
    ("names",),
    ("target",),
)
_MISSING = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecChange:
    """One thing that two specs say differently.

    Attributes:
        statement: as a spec says it: `model`, `method atp`, `prompts`.
        setting: what of it: `qk_fix`, `slot place`; "" for the statement as a whole.
        first, second: what the one and the other say, None where one says nothing of it.
    """

    statement: str
    setting: str
    first: str | None
    second: str | None

    @property
    def name(self) -> str:
        """Statement and setting: `method atp: qk_fix`."""
        return f"{self.statement}: {self.setting}" if self.setting else self.statement


def spec_changes(
    first: Mapping[str, object], second: Mapping[str, object]
) -> tuple[SpecChange, ...]:
    """What two resolved specs say differently, in the order of their statements.

    Args:
        first, second: `SpecRecord.resolved` of two results.
    """
    changes = []
    for statement in _STATEMENTS:
        sides = _asked(first, statement), _asked(second, statement)
        called = _CALLED.get(statement, statement)
        for path, old, new in _differences(*sides, ()):
            name, setting = _names(called, path, several=statement in _OF_SEVERAL)
            changes.append(
                SpecChange(
                    statement=name, setting=setting, first=_written(old), second=_written(new)
                )
            )
    return tuple(changes)


def _asked(spec: Mapping[str, Any], statement: str) -> Any:
    """A statement of a resolved spec; nodes by kind and exports as they would be written."""
    asked = spec.get(statement)
    if not isinstance(asked, list) or not all(isinstance(one, dict) for one in asked):
        return asked
    if statement == "exports":
        return [f"{one.get('path')} ({one.get('format')})" for one in asked]
    if statement != "nodes":
        return asked
    kinds: dict[str, str] = {}
    for one in asked:
        kind, text = str(one.get("kind")), _selection(one)
        kinds[kind] = f"{kinds[kind]}; {text}" if kind in kinds else text
    return kinds


def _selection(one: Mapping[str, Any]) -> str:
    """Which nodes of a kind: `L0..3, H1 at IO, last where ...`."""
    axes = ((letter, one.get(name)) for letter, name in (("L", "layers"), ("", "indices")))
    which = ", ".join(f"{letter}{_written(ranges)}" for letter, ranges in axes if ranges)
    places = ", ".join(_written(text) or "" for text in _items(one.get("positions")))
    where = "".join(f" where {_written(rule)}" for rule in _items(one.get("filters")))
    return f"{which} at {places or one.get('placement')}{where}".strip()


def _items(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


Path = tuple[str, ...]
Difference = tuple[Path, Any, Any]


def _names(statement: str, path: Path, *, several: bool) -> tuple[str, str]:
    """Where something is: the first name in `methods` is a method's."""
    words = [word for word in path if word not in ("parts", "settings", "slots")]
    if several and words:
        statement = f"{statement} {words.pop(0)}"
    return statement, ", ".join(words)


def _differences(first: Any, second: Any, path: Path) -> Iterator[Difference]:
    if first == second:
        return
    if isinstance(first, dict) and isinstance(second, dict):
        if "text" not in first or "text" not in second:
            for key in dict.fromkeys((*first, *second)):
                values = first.get(key, _MISSING), second.get(key, _MISSING)
                yield from _differences(*values, (*path, key))
            return
    elif isinstance(first, list) and isinstance(second, list):
        yield from _in_lists(first, second, path)
        return
    yield path, first, second


def _in_lists(first: list[Any], second: list[Any], path: Path) -> Iterator[Difference]:
    name = _naming([*first, *second])
    sides = [{name(item): item for item in side} for side in (first, second)] if name else []
    if sides and [len(side) for side in sides] == [len(first), len(second)]:
        yield from _in_named(sides[0], sides[1], path)
    elif len(first) == len(second) == 1 and isinstance(first[0], dict):
        yield from _differences(first[0], second[0], path)
    elif all(isinstance(item, dict) for item in (*first, *second)):
        entries = zip_longest(first, second, fillvalue=_MISSING)
        for number, (old, new) in enumerate(entries, start=1):
            yield from _differences(old, new, (*path, f"number {number}"))
    else:
        yield from _in_words(first, second, path)


def _in_named(
    first: Mapping[str, Any], second: Mapping[str, Any], path: Path
) -> Iterator[Difference]:
    """Entries that have names, and their order."""
    for key in dict.fromkeys((*first, *second)):
        values = first.get(key, _MISSING), second.get(key, _MISSING)
        yield from _differences(*values, (*path, key))
    if first.keys() == second.keys() and list(first) != list(second):
        # Pairs are drawn in the order of the slots, the first method is the one shown first.
        yield (*path, "order"), ", ".join(first), ", ".join(second)


def _in_words(first: list[Any], second: list[Any], path: Path) -> Iterator[Difference]:
    """Lists of words or numbers: what only one of them has, or their order."""
    old = [item for item in first if item not in second]
    new = [item for item in second if item not in first]
    if not old and not new:
        yield (*path, "order"), first, second
    elif path:
        yield path, old or _MISSING, new or _MISSING
    else:
        # Every line of `expect` and every file stands for itself.
        yield from ((path, item, _MISSING) for item in old)
        yield from ((path, _MISSING, item) for item in new)


def _naming(items: Sequence[Any]) -> Callable[[Any], str] | None:
    """How the entries of a list are called, if they have names; texts are their own."""
    if not all(isinstance(item, dict) for item in items):
        return None
    for keys in _NAMED_BY:
        if all(key in item for item in items for key in keys):
            return lambda item: " ".join(_word(item[key]) for key in keys)
    return None


def _word(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _written(value: Any) -> str | None:
    """A value as a spec would say it; None where it says nothing."""
    match value:
        case None:
            return "not set"
        case bool():
            return "on" if value else "off"
        case float():
            return f"{value:g}"
        case str():
            return value
        case list():
            return ", ".join(_written(item) or "" for item in value) or "none"
        case dict():
            return _part(value)
    return None if value is _MISSING else str(value)


def _part(value: Mapping[str, Any]) -> str:
    """A part of a spec that has a short form of its own, or its settings."""
    match value:
        case {"text": str(text)}:
            return text
        case {"first": first, "last": last}:
            return str(first) if first == last else f"{_open(first)}..{_open(last)}"
        case {"method": method, "direction": direction, "settings": dict(settings)}:
            return f"{method} {_settings({'direction': direction, **settings})}"
        case {"axis": axis, "operator": operator, "values": values}:
            return f"{axis} {operator} {_written(values)}"
    return _settings(value)


def _open(end: int | None) -> str:
    return "" if end is None else str(end)


def _settings(values: Mapping[str, Any]) -> str:
    """Several settings, `{ top = 20; random = 5 }`; those that are not set are left out."""
    said = (
        f"{key} = {_written(value)}"
        for key, value in values.items()
        if value not in (None, [], {})
    )
    inner = "; ".join(said)
    return f"{{ {inner} }}" if inner else "{ }"
