"""Layer by position in a terminal: a block for the size, `+` or `-` before it for the sign.

The mark says what colour says as well, so that nothing is lost without colours; where stdout
has no blocks there are digits. Columns and rows without anything to see are left out, and
several of them share one where there is no room.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from atpdsl.cli.terminal import can_show
from atpdsl.problems.clean import clean, columns
from atpdsl.results.heat import Heat

if TYPE_CHECKING:
    from rich.text import Text

    from atpdsl.results.record import PositionRecord

BLOCKS, DIGITS = "▁▂▃▄▅▆▇█", "12345678"
NOTHING = "."
STEPS = len(BLOCKS)
# Rows of a picture beside others; a picture alone has all of its layers.
ROWS = 12
NARROWEST, WIDEST = 3, 9
GAP = 2
# Blue and orange-red: told apart by all kinds of eyes, on dark and on light ground.
COLOURS = {1.0: "#4a90e2", -1.0: "#e8602c"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A picture ready to be drawn.

    Attributes:
        title: its kind.
        rows: the names of the rows, as `L0` or `L0-2`.
        labels: the names of the columns.
        words: what stands below them, the tokens; nothing where there is no room.
        levels: [row, column] 1 to 8 for the size, 0 for next to nothing, -1 for no node.
        signs: [row, column].
        cell: columns of the terminal for a cell.
    """

    title: str
    rows: tuple[str, ...]
    labels: tuple[str, ...]
    words: tuple[str, ...]
    levels: np.ndarray
    signs: np.ndarray
    cell: int

    @property
    def width(self) -> int:
        """Columns of the terminal, without the names of the rows."""
        return max(len(self.labels) * self.cell, len(self.title))


def level_of(strength: np.ndarray, full: float) -> np.ndarray:
    """Eighths of the square root of the largest, rounded; -1 where there is no node.

    Roots, because sizes of effects have long tails: what is a sixtieth is still to be seen.
    """
    if full <= 0:
        return np.where(np.isnan(strength), -1, 0)
    part = np.sqrt(np.nan_to_num(strength) / full)
    return np.where(np.isnan(strength), -1, np.rint(part * STEPS)).astype(np.int64)


def size_at(level: int, full: float) -> float:
    """The score that a level stands for."""
    return full * (level / STEPS) ** 2


def overview(heats: Sequence[Heat], width: int) -> Iterator[Text]:
    """Pictures of several kinds beside each other, the strongest ones where not all fit."""
    full = max((heat.largest for heat in heats), default=0.0)
    drawn, left_out = _fitting([heat for heat in heats if _visible(heat, full)], full, width)
    if not drawn:
        return
    yield from _lines(drawn, width)
    yield from _legend(full, [heat.kind for heat in left_out])


def single(heat: Heat, positions: Sequence[PositionRecord], width: int) -> Iterator[Text]:
    """A picture of one kind with all of its layers, and tokens below the positions."""
    full = heat.largest
    if not _visible(heat, full):
        return
    shown = _seen_columns(heat, full)
    tokens = {position.label: position.token or "" for position in positions}
    words = tuple(clean(tokens.get(label, "").strip()) for label in shown.positions)
    room = width - max(len(name) for name in _row_names(heat.layers)) - GAP
    panel = _panel(shown, full, room, wide=True)
    if len(panel.labels) == len(words) and panel.cell > NARROWEST + 1:
        panel = replace(panel, words=words)
    yield from _lines([panel], width)
    yield from _legend(full, [])


# ---- what fits ----


def _visible(heat: Heat, full: float) -> bool:
    return bool((level_of(heat.strength, full) > 0).any())


def _fitting(heats: list[Heat], full: float, width: int) -> tuple[list[Panel], list[Heat]]:
    """The pictures that fit beside each other, and those that do not."""
    if not heats:
        return [], []
    layers = _common_layers(heats)
    same = [_seen_columns(_over_layers(heat, layers), full) for heat in heats]
    grouped = [_fewer_rows(heat) for heat in same]
    room = width - max(len(name) for heat in grouped for name in heat[1]) - GAP
    panels = [replace(_panel(heat, full, room), rows=names) for heat, names in grouped]
    chosen: list[int] = []
    left = room + GAP
    for number in sorted(range(len(heats)), key=lambda n: -heats[n].largest):
        needed = panels[number].width + GAP
        if needed <= left:
            chosen.append(number)
            left -= needed
    others = [heat for number, heat in enumerate(heats) if number not in chosen]
    return [panels[number] for number in sorted(chosen)], others


def _common_layers(heats: Sequence[Heat]) -> tuple[int | None, ...]:
    layers = {layer for heat in heats for layer in heat.layers}
    numbers = sorted(layer for layer in layers if layer is not None)
    return (*((None,) if None in layers else ()), *numbers)


def _over_layers(heat: Heat, layers: tuple[int | None, ...]) -> Heat:
    """The picture with rows for other layers, too, where it has no nodes."""
    place = {layer: row for row, layer in enumerate(layers)}
    strength, sign = (np.full((len(layers), len(heat.positions)), np.nan) for _ in range(2))
    rows = [place[layer] for layer in heat.layers]
    strength[rows], sign[rows] = heat.strength, heat.sign
    return replace(heat, layers=layers, strength=strength, sign=sign)


def _seen_columns(heat: Heat, full: float) -> Heat:
    """Without the positions where there is nothing to see."""
    seen = np.asarray((level_of(heat.strength, full) > 0).any(axis=0), np.bool_)
    labels = tuple(label for label, keep in zip(heat.positions, seen, strict=True) if keep)
    return replace(
        heat, positions=labels, strength=heat.strength[:, seen], sign=heat.sign[:, seen]
    )


def _fewer_rows(heat: Heat) -> tuple[Heat, tuple[str, ...]]:
    """Neighbouring layers together where there are too many, and the names of the rows."""
    each = -(-len(heat.layers) // ROWS)
    strength, sign = _strongest(heat.strength.T, heat.sign.T, each)
    names = _row_names(heat.layers)
    groups = [names[start : start + each] for start in range(0, len(names), each)]
    joined = tuple(
        group[0] if len(group) == 1 else f"{group[0]}-{group[-1].removeprefix('L')}"
        for group in groups
    )
    # Rows have no layers of their own any more; `joined` says what they are.
    layers = tuple(heat.layers[::each])
    return replace(heat, layers=layers, strength=strength.T, sign=sign.T), joined


def _row_names(layers: Sequence[int | None]) -> tuple[str, ...]:
    return tuple("embed" if layer is None else f"L{layer}" for layer in layers)


def _strongest(
    strength: np.ndarray, sign: np.ndarray, each: int
) -> tuple[np.ndarray, np.ndarray]:
    """Of so many neighbouring columns the strongest cell, in every row."""
    rows, number = strength.shape
    padding = ((0, 0), (0, -number % each))
    cells = np.pad(strength, padding, constant_values=np.nan).reshape(rows, -1, each)
    signs = np.pad(sign, padding, constant_values=np.nan).reshape(rows, -1, each)
    best = np.nan_to_num(cells, nan=-1.0).argmax(axis=2)[..., None]
    return (
        np.take_along_axis(cells, best, axis=2)[..., 0],
        np.take_along_axis(signs, best, axis=2)[..., 0],
    )


def _panel(heat: Heat, full: float, room: int, *, wide: bool = False) -> Panel:
    """A picture that is not wider than there is room."""
    labels = [clean(label) for label in heat.positions]
    most = max(WIDEST if wide else 0, NARROWEST, *(columns(label) + 1 for label in labels))
    each = -(-len(labels) * NARROWEST // room)
    strength, sign = _strongest(heat.strength, heat.sign, max(1, each))
    labels = labels[:: max(1, each)]
    cell = max(NARROWEST, min(most, WIDEST, room // len(labels)))
    return Panel(
        title=heat.kind,
        rows=_row_names(heat.layers),
        labels=tuple(labels),
        words=(),
        levels=level_of(strength, full),
        signs=sign,
        cell=cell,
    )


# ---- how it is drawn ----


def _lines(panels: Sequence[Panel], width: int) -> Iterator[Text]:
    from rich.text import Text

    names = panels[0].rows
    left = max(len(name) for name in names) + GAP
    head = "".join(panel.title.ljust(panel.width + GAP) for panel in panels)
    yield Text(" " * left + head.rstrip(), style="bold")
    for texts in (
        [panel.labels for panel in panels],
        *([[panel.words for panel in panels]] if panels[0].words else ()),
    ):
        head = "".join(_header(panel, row) for panel, row in zip(panels, texts, strict=True))
        yield Text((" " * left + head).rstrip(), style="dim")
    for row, name in enumerate(names):
        line = Text(name.ljust(left), style="dim")
        for panel in panels:
            line.append_text(_row(panel, row))
        line.rstrip()
        line.truncate(width)
        yield line


def _header(panel: Panel, texts: Sequence[str]) -> str:
    """Names over the cells; where they are too long for that, every second or third one."""
    longest = max((columns(text) for text in texts), default=0)
    every = 1 if panel.words else -(-(min(longest, WIDEST - 1) + 1) // panel.cell)
    room = every * panel.cell
    cut = (_cut(text, room - 1) for text in texts[::every])
    line = "".join(text + " " * (room - columns(text)) for text in cut)
    return line[: panel.width].ljust(panel.width + GAP)


def _cut(text: str, room: int) -> str:
    if columns(text) <= room:
        return text
    while text and columns(text) > room - 1:
        text = text[:-1]
    return f"{text}~"


def _row(panel: Panel, row: int) -> Text:
    from rich.text import Text

    line = Text(style="")
    for level, sign in zip(panel.levels[row], panel.signs[row], strict=True):
        cell = _cell(int(level), float(sign))
        style = COLOURS.get(float(sign), "") if level > 0 else "dim"
        line.append(cell.ljust(panel.cell), style=style)
    line.append(" " * (panel.width - len(panel.labels) * panel.cell + GAP))
    return line


def _cell(level: int, sign: float) -> str:
    if level < 0:
        return ""
    if level == 0:
        return f" {NOTHING}"
    mark = "+" if sign > 0 else "-" if sign < 0 else " "
    return f"{mark}{_shapes()[level - 1]}"


def _shapes() -> str:
    return BLOCKS if can_show(BLOCKS) else DIGITS


def _legend(full: float, left_out: Sequence[str]) -> Iterator[Text]:
    from rich.text import Text

    shapes = _shapes()
    sizes = ", ".join(f"{shapes[n - 1]} {size_at(n, full):.3g}" for n in (STEPS, 5, 2))
    text = (
        f"The strongest node of each cell: {sizes}, {NOTHING} below {size_at(1, full) / 4:.2g};"
        " + or - is the sign of its effect."
    )
    if left_out:
        kinds = [clean(kind) for kind in left_out]
        text += f" Not drawn: {', '.join(kinds)}; `--kind {kinds[0]}` does."
    yield Text("")
    yield Text(text, style="dim")
