"""A picture as plain shapes and texts, which SVG, PNG and PDF draw alike.

Lengths are in points; x grows to the right and y downwards, as in SVG.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

# How far the handles of a quarter circle are from its ends.
_HANDLE = 4 / 3 * (math.sqrt(2) - 1)

Step = tuple[Literal["M", "L", "C", "Z"], tuple[float, ...]]
Point = tuple[float, float]
Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A path.

    Attributes:
        steps: move to, line to, curve to (two handles and the end), close.
        fill, stroke: `#rrggbb`; None for none.
        dash: lengths of strokes and gaps.
        tip: what a reader sees when it points there.
    """

    steps: tuple[Step, ...]
    fill: str | None = None
    stroke: str | None = None
    width: float = 1.0
    dash: tuple[float, ...] = ()
    opacity: float = 1.0
    tip: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A line of text.

    Attributes:
        x, y: its anchor, on the line that letters stand on.
        angle: in degrees, clockwise, about the anchor.
        halo: whether it has a white edge, to be read on lines.
    """

    text: str
    x: float
    y: float
    size: float
    anchor: Anchor = "start"
    colour: str = "#222222"
    bold: bool = False
    angle: float = 0.0
    halo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What to draw, from the back to the front, on white.

    Attributes:
        title, about: what it shows, for those who cannot see it.
    """

    width: float
    height: float
    items: tuple[Shape | Words, ...]
    title: str
    about: str


def polygon(points: Sequence[Point]) -> tuple[Step, ...]:
    """A closed line through points."""
    first, *others = points
    return (("M", first), *(("L", point) for point in others), ("Z", ()))


def line(points: Sequence[Point]) -> tuple[Step, ...]:
    """An open line through points."""
    first, *others = points
    return (("M", first), *(("L", point) for point in others))


def box(
    x: float, y: float, width: float, height: float, round_by: float = 0.0
) -> tuple[Step, ...]:
    """A rectangle by its upper left corner, with rounded corners if wanted."""
    right, low = x + width, y + height
    if not round_by:
        return polygon([(x, y), (right, y), (right, low), (x, low)])
    r, h = round_by, round_by * (1 - _HANDLE)
    return (
        ("M", (x + r, y)),
        ("L", (right - r, y)),
        ("C", (right - h, y, right, y + h, right, y + r)),
        ("L", (right, low - r)),
        ("C", (right, low - h, right - h, low, right - r, low)),
        ("L", (x + r, low)),
        ("C", (x + h, low, x, low - h, x, low - r)),
        ("L", (x, y + r)),
        ("C", (x, y + h, x + h, y, x + r, y)),
        ("Z", ()),
    )


def circle(x: float, y: float, radius: float) -> tuple[Step, ...]:
    """A circle about a point."""
    return box(x - radius, y - radius, 2 * radius, 2 * radius, radius)


def regular(
    x: float, y: float, radius: float, corners: int, turn: float = 0.0
) -> tuple[Step, ...]:
    """A regular polygon about a point; its first corner is at the top, turned by degrees."""
    angles = (math.radians(turn + 360 * k / corners) for k in range(corners))
    return polygon([(x + radius * math.sin(a), y - radius * math.cos(a)) for a in angles])
