"""Two tokenisations under each other, for messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from atpdsl.problems import Label, Source, Span
from atpdsl.problems.clean import clean as clean_text
from atpdsl.problems.clean import columns

# Tokens shown before, in and after the part that differs; a prompt may have thousands.
SHOWN_AROUND, SHOWN_WITHIN = 6, 10
CUT = "..."


@dataclass(frozen=True, slots=True)
class _Line:
    """A drawn line; `start` and `end` surround its tokens that differ."""

    text: str
    start: int
    end: int


def side_by_side(
    name: str, clean: tuple[str, ...], corrupted: tuple[str, ...]
) -> tuple[Label, ...]:
    """Both prompts as tokens, what they share in columns, what differs marked.

    Args:
        name: what to call the text shown, such as `pair 3 in tokens`.
        clean: the texts of the clean prompt's tokens.
        corrupted: those of the corrupted prompt's.
    """
    before, after = shared_ends(clean, corrupted)
    start = _joined(clean[:before][-SHOWN_AROUND:])
    start = f"{CUT} {start}" if before > SHOWN_AROUND else start
    ending = clean[len(clean) - after :]
    end = _joined(ending[:SHOWN_AROUND]) + (f" {CUT}" if after > SHOWN_AROUND else "")
    middles = [_middle(tokens[before : len(tokens) - after]) for tokens in (clean, corrupted)]
    width = max(map(columns, middles))
    upper, lower = (
        _line(title, start, middle, end, width)
        for title, middle in zip(("clean     ", "corrupted "), middles, strict=True)
    )
    source = Source(name, f"{upper.text}\n{lower.text}")
    shift = len(upper.text) + 1
    return (
        Label(Span(upper.start, upper.end), f"{len(clean)} tokens", source),
        Label(Span(lower.start + shift, lower.end + shift), f"{len(corrupted)} tokens", source),
    )


def shared_ends(clean: Sequence[object], corrupted: Sequence[object]) -> tuple[int, int]:
    """How many items two sequences share at the start, and of the others at the end."""
    shorter = min(len(clean), len(corrupted))
    before = _shared(clean, corrupted, shorter)
    return before, _shared(clean[::-1], corrupted[::-1], shorter - before)


def _shared(one: Sequence[object], other: Sequence[object], most: int) -> int:
    pairs = zip(one[:most], other[:most], strict=True)
    return next((number for number, (a, b) in enumerate(pairs) if a != b), most)


def _joined(tokens: Sequence[str]) -> str:
    return "".join(f"{clean_text(token)}|" for token in tokens)


def _middle(tokens: Sequence[str]) -> str:
    """The tokens that differ, without the bar behind them."""
    shown = _joined(tokens[:SHOWN_WITHIN])
    return f"{shown}{CUT}" if len(tokens) > SHOWN_WITHIN else shown.removesuffix("|")


def _line(title: str, start: str, middle: str, end: str, width: int) -> _Line:
    head = f"{title}{'' if start.startswith(CUT) else '|'}{start}"
    filled = middle + " " * (width - columns(middle))
    text = f"{head}{filled}{'|' if width else ''}{end}"
    return _Line(text, len(head), len(head) + max(len(middle), 1))
