"""Two tokenisations under each other, for messages."""

from __future__ import annotations

from dataclasses import dataclass

from atpdsl.problems import Label, Source, Span
from atpdsl.problems.clean import clean as clean_text

# Tokens shown before and after the first difference; a prompt may have thousands.
SHOWN_BEFORE, SHOWN_AFTER = 6, 10


@dataclass(frozen=True, slots=True)
class _Line:
    """A drawn line; `start` and `end` surround its tokens from the first difference on."""

    text: str
    start: int
    end: int


def side_by_side(
    name: str, clean: tuple[str, ...], corrupted: tuple[str, ...]
) -> tuple[Label, ...]:
    """Both prompts as tokens in columns, each marked from where they differ.

    Args:
        name: what to call the text shown, such as `pair 3 in tokens`.
        clean: the texts of the clean prompt's tokens.
        corrupted: those of the corrupted prompt's.
    """
    shared = sum(1 for _ in _common_prefix(clean, corrupted))
    first = max(shared - SHOWN_BEFORE, 0)
    after = shared + SHOWN_AFTER
    windows = [tuple(map(clean_text, tokens[first:after])) for tokens in (clean, corrupted)]
    widths = _widths(*windows)
    upper = _line("clean     ", windows[0], widths, shared - first, first > 0)
    lower = _line("corrupted ", windows[1], widths, shared - first, first > 0)
    source = Source(name, f"{upper.text}\n{lower.text}")
    shift = len(upper.text) + 1
    return (
        Label(Span(upper.start, upper.end), f"{len(clean)} tokens", source),
        Label(Span(lower.start + shift, lower.end + shift), f"{len(corrupted)} tokens", source),
    )


def _common_prefix(clean: tuple[str, ...], corrupted: tuple[str, ...]) -> tuple[str, ...]:
    for index, (one, other) in enumerate(zip(clean, corrupted, strict=False)):
        if one != other:
            return clean[:index]
    return min(clean, corrupted, key=len)


def _widths(upper: tuple[str, ...], lower: tuple[str, ...]) -> tuple[int, ...]:
    longest = max(len(upper), len(lower))
    columns = (upper + ("",) * longest, lower + ("",) * longest)
    return tuple(max(len(columns[0][i]), len(columns[1][i])) for i in range(longest))


def _line(
    title: str, tokens: tuple[str, ...], widths: tuple[int, ...], shared: int, cut: bool
) -> _Line:
    text = title + ("... " if cut else "") + "|"
    start = len(text)
    for number, (token, width) in enumerate(zip(tokens, widths, strict=False)):
        if number == shared:
            start = len(text)
        text += f"{token:<{width}}|"
    if len(tokens) <= shared:
        start = len(text) - 1
    return _Line(text, start, max(len(text) - 1, start + 1))
