"""Short marks beside nodes in tables, and what they stand for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from atpdsl.cli.terminal import can_show

if TYPE_CHECKING:
    from atpdsl.results.scores import ScoreRow

_FLAGS: Mapping[str, tuple[str, str]] = {
    "cancellation": ("C", "parts of the estimate cancel"),
    "saturation": ("S", "attention is saturated"),
    "uncertainty": ("U", "the pairs disagree"),
}
_MOVES: Mapping[str, tuple[str, str]] = {
    "qk_fix": ("QK", "moved by the QK fix"),
    "grad_drop": ("GD", "moved by GradDrop"),
}


def tick() -> str:
    """The mark of what was measured."""
    return "\u2713" if can_show("\u2713") else "*"


def marks(row: ScoreRow) -> str:
    """What the diagnostics say of a node: `CS QK`; mostly nothing."""
    warned = "".join(mark for name, (mark, _) in _FLAGS.items() if name in row.flags)
    moved = _MOVES.get(str(row.more.get("moved_by")), ("", ""))[0]
    return f"{warned} {moved}".strip()


def legend(rows: Iterable[ScoreRow]) -> Iterator[str]:
    """What the marks of some rows mean, in a sentence; nothing where there are none."""
    used = {mark for row in rows for mark in (*row.flags, row.more.get("moved_by"))}
    known = {**_FLAGS, **_MOVES}
    texts = [f"{mark}: {text}" for name, (mark, text) in known.items() if name in used]
    if texts:
        yield f"{', '.join(texts)}."
