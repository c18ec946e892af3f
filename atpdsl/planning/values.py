"""Values that are looked up often: their hash is computed once and kept."""

from __future__ import annotations

from dataclasses import fields


class Value:
    """Base of frozen, slotted dataclasses without an `__eq__` of their own (`eq=False`).

    Equal by type and fields, as a frozen dataclass is. But values hold values: without a kept
    hash every look-up of an operation would walk through all that it is made of. Two values
    with different hashes are told apart at once, and one that is found again is the same
    object, so that a look-up costs no more than its own fields.

    The hash is no field: it is not shown, and neither copied nor pickled (hashes of strings
    differ from process to process).
    """

    __slots__ = ("_hash",)
    _hash: int

    def __hash__(self) -> int:
        try:
            return self._hash
        except AttributeError:
            found = hash((type(self).__name__, *self._key()))
            object.__setattr__(self, "_hash", found)
            return found

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(self) is not type(other) or not isinstance(other, Value):
            return NotImplemented
        # Tuples compare their items by identity first.
        return hash(self) == hash(other) and self._key() == other._key()

    def _key(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in _names(type(self)))


_NAMES: dict[type, tuple[str, ...]] = {}


def _names(kind: type) -> tuple[str, ...]:
    if kind not in _NAMES:
        _NAMES[kind] = tuple(f.name for f in fields(kind))
    return _NAMES[kind]
