"""The statements of a `prompts` body, sorted by their word."""

from __future__ import annotations

from dataclasses import dataclass

from atpdsl.syntax import tree as t


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """The statements of a `prompts` body by their word."""

    templates: tuple[t.Template, ...]
    slots: tuple[t.SlotLine, ...]
    corrupts: tuple[t.CorruptLine, ...]
    answers: tuple[t.AnswerLine, ...]
    pairs: tuple[t.Pair, ...]
    positions: tuple[t.PositionLine, ...]
    lets: tuple[t.Let, ...] = ()


def lines_of(body: t.Body) -> Lines:
    """The statements of a body, sorted by kind."""
    found = body.statements
    return Lines(
        templates=tuple(line for line in found if isinstance(line, t.Template)),
        slots=tuple(line for line in found if isinstance(line, t.SlotLine)),
        corrupts=tuple(line for line in found if isinstance(line, t.CorruptLine)),
        answers=tuple(line for line in found if isinstance(line, t.AnswerLine)),
        pairs=tuple(line for line in found if isinstance(line, t.Pair)),
        positions=tuple(line for line in found if isinstance(line, t.PositionLine)),
        lets=tuple(line for line in found if isinstance(line, t.Let)),
    )
