"""A token table in lines: as many columns as fit side by side, the others below them.

            0             1     2      3
clean      |<|endoftext|>|Mary| went  | to|
corrupted  |<|endoftext|>|John| walked| to|
                          ^^^^ ^^^^^^^
            BOS           S           last
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from atpdsl.binding.tokens.token_table import TokenCell, TokenColumn
from atpdsl.problems.clean import clean, columns

if TYPE_CHECKING:
    from rich.text import Text

TITLE = 11
LONGEST = 40
Cells = Sequence[TokenCell | None]


def token_lines(table: Sequence[TokenColumn], width: int) -> Iterator[Text]:
    """The lines of a table, each at most `width` columns wide if its tokens are."""
    for number, block in enumerate(_blocks(table, width)):
        if number:
            yield _line("", (), ())
        yield from _block_lines(block)


def shown(text: str) -> str:
    """A token's text, safe to show and not too long."""
    text = clean(text)
    return text if columns(text) <= LONGEST else f"{text[: LONGEST // 2]}~"


def _blocks(table: Sequence[TokenColumn], width: int) -> Iterator[list[TokenColumn]]:
    block: list[TokenColumn] = []
    taken = TITLE + 1
    for column in table:
        needed = _width(column) + 1
        if block and taken + needed > width:
            yield block
            block, taken = [], TITLE + 1
        block.append(column)
        taken += needed
    if block:
        yield block


def _width(column: TokenColumn) -> int:
    cells = [cell for cell in (column.clean, column.corrupted) if cell is not None]
    words = [word for cell in cells for word in (shown(cell.text), str(cell.index))]
    return max(columns(word) for word in (*words, *(n for c in cells for n in _names(c))))


def _names(cell: TokenCell | None) -> tuple[str, ...]:
    return () if cell is None else tuple(clean(name) for name in cell.names)


def _block_lines(block: Sequence[TokenColumn]) -> Iterator[Text]:
    widths = [_width(column) for column in block]
    upper = [column.clean for column in block]
    lower = [column.corrupted for column in block]
    same_numbers = _texts(upper, _index) == _texts(lower, _index)
    same_names = [_names(cell) for cell in upper] == [_names(cell) for cell in lower]
    styles = ["bold yellow" if column.differs else "" for column in block]
    yield _line("", _texts(upper, _index), widths, style="dim")
    yield _line("clean", _texts(upper, _token), widths, bar="|", styles=styles)
    if not same_names:
        yield from _name_lines(upper, widths)
    yield _line("corrupted", _texts(lower, _token), widths, bar="|", styles=styles)
    if any(column.differs for column in block):
        marks = [
            "^" * width * column.differs for column, width in zip(block, widths, strict=True)
        ]
        yield _line("", marks, widths, style="yellow")
    if not same_numbers:
        yield _line("", _texts(lower, _index), widths, style="dim")
    yield from _name_lines(lower, widths)


def _index(cell: TokenCell) -> str:
    return str(cell.index)


def _token(cell: TokenCell) -> str:
    return shown(cell.text)


def _texts(cells: Cells, text: Callable[[TokenCell], str]) -> list[str]:
    return ["" if cell is None else text(cell) for cell in cells]


def _name_lines(cells: Cells, widths: Sequence[int]) -> Iterator[Text]:
    """The names of positions under their tokens, several of one token under each other."""
    names = [_names(cell) for cell in cells]
    for row in range(max(map(len, names))):
        texts = [own[row] if row < len(own) else "" for own in names]
        yield _line("", texts, widths, style="cyan")


def _line(
    title: str,
    texts: Sequence[str],
    widths: Sequence[int],
    *,
    bar: str = " ",
    style: str = "",
    styles: Sequence[str] = (),
) -> Text:
    from rich.text import Text

    line = Text(f"{title:<{TITLE}}", no_wrap=True, end="")
    edges = ["", *texts, ""]
    for number, (text, width) in enumerate(zip(texts, widths, strict=True)):
        line.append(bar if edges[number] or text else " ", "dim")
        line.append(text, styles[number] if styles else style)
        line.append(" " * (width - columns(text)))
    line.append(bar if edges[-2] else "", "dim")
    line.rstrip()
    return line
