"""Which problems an editor is shown for a file, when several specs include it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from atpdsl.editor.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The problems of one file, and the text that their places are in."""

    text: str
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(slots=True)
class Board:
    """The problems of files, by the URI of the spec that was checked and of the file."""

    by_origin: dict[str, dict[str, Shown]] = field(default_factory=dict)

    def put(self, origin: str, found: dict[str, Shown]) -> tuple[str, ...]:
        """What a check of `origin` found, instead of what an earlier one did.

        Returns:
            The files for which something else is to be shown.
        """
        before = self.by_origin.get(origin, {})
        self.by_origin[origin] = found
        changed = (uri for uri in {**before, **found} if before.get(uri) != found.get(uri))
        return tuple(dict.fromkeys((origin, *changed)))

    def drop(self, origin: str) -> tuple[str, ...]:
        """Forgets what a check of `origin` found."""
        return tuple(self.by_origin.pop(origin, {}))

    def shown(self, uri: str) -> Shown:
        """All that is to be shown for a file, each problem once."""
        found = [board[uri] for board in self.by_origin.values() if uri in board]
        # A file's own check has its text as it is on the screen.
        texts = [self.by_origin[uri][uri]] if uri in self.by_origin.get(uri, {}) else found
        text = texts[0].text if texts else ""
        same = (one for one in found if one.text == text)
        diagnostics = dict.fromkeys(d for one in same for d in one.diagnostics)
        return Shown(text=text, diagnostics=tuple(diagnostics))
