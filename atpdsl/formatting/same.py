"""Whether two trees say the same."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

from atpdsl.syntax.tree import SpecFile

# Where something stands, and the text it stands in.
_PLACES = frozenset({"span", "offsets", "source"})


def same_tree(one: SpecFile, other: SpecFile) -> bool:
    """Whether two specs differ only in where things stand; comments have to be equal, too."""
    return _same(one, other)


def _same(one: object, other: object) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if not is_dataclass(one):
        return one == other
    names = [field.name for field in fields(one) if field.name not in _PLACES]
    return all(_same(getattr(one, name), getattr(other, name)) for name in names)
