"""Named entries in a fixed order: methods, node kinds, metrics, exporters, executors."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Generic, Protocol, TypeVar


class Named(Protocol):
    """Anything with a `name`."""

    @property
    def name(self) -> str:
        """The name it is looked up by."""
        ...


E = TypeVar("E", bound=Named)


class Registry(Generic[E]):
    """An ordered table of entries by name.

    Args:
        what: what an entry is called in messages, such as "method".
        entries: the entries, in the order in which they are listed.

    Raises:
        ValueError: when two entries have the same name.
    """

    def __init__(self, what: str, entries: Iterable[E]) -> None:
        self.what = what
        self._entries: dict[str, E] = {}
        for entry in entries:
            if entry.name in self._entries:
                raise ValueError(f"two {what}s are called `{entry.name}`")
            self._entries[entry.name] = entry

    def __getitem__(self, name: str) -> E:
        return self._entries[name]

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[E]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def names(self) -> tuple[str, ...]:
        """All names, in order."""
        return tuple(self._entries)

    def closest(self, name: str) -> str | None:
        """The entry's name that is most like `name`, None if none is."""
        return closest(name, self.names)


def closest(word: str, words: Iterable[str]) -> str | None:
    """The one of `words` that was probably meant by `word`, None if none is alike."""
    known = list(words)
    same = [other for other in known if other.lower() == word.lower()]
    matches = same or difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return matches[0] if matches else None
