"""How nodes look in pictures: a shape per kind, a colour per sign, a mark per flag.

Blue and orange-red are told apart by all kinds of colour vision (Okabe and Ito 2008); the blue
is darker than theirs, so that the two differ in print without colours too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from atpdsl.exports.picture import Shape, Step, Words, box, circle, line, polygon, regular

BLUE, RED, GREY = "#005f9e", "#d55e00", "#8a8a8a"
INK, SOFT, FAINT, WHITE = "#222222", "#666666", "#e6e6e6", "#ffffff"
# Between the outlines of a node and of the ring about it.
_RING = 2.4
_DASH = (2.2, 1.6)
# How much of its colour the inside of an unmeasured node has.
_TINT = 0.16

Outline = Callable[[float, float, float], tuple[Step, ...]]


def _square(x: float, y: float, radius: float) -> tuple[Step, ...]:
    side = 1.74 * radius
    return box(x - side / 2, y - side / 2, side, side, side * 0.14)


def _bar(x: float, y: float, radius: float) -> tuple[Step, ...]:
    return box(x - 1.2 * radius, y - 0.6 * radius, 2.4 * radius, 1.2 * radius)


def _turned(corners: int, turn: float, by: float = 1.12) -> Outline:
    return lambda x, y, radius: regular(x, y, by * radius, corners, turn)


def _plus(x: float, y: float, radius: float) -> tuple[Step, ...]:
    a, b = 1.05 * radius, 0.38 * radius
    corners = ((b, a), (b, b), (a, b), (a, -b), (b, -b), (b, -a))
    half = [(x + dx, y + dy) for dx, dy in corners]
    return polygon([*half, *((2 * x - px, 2 * y - py) for px, py in half)])


# Nodes of a kind that is not here are circles.
SHAPES: Mapping[str, Outline] = MappingProxyType(
    {
        "heads.z": circle,
        "heads.q": _turned(3, 0.0, 1.28),
        "heads.k": _turned(3, 180.0, 1.28),
        "heads.v": _turned(4, 0.0, 1.18),
        "attn": _turned(6, 30.0),
        "mlp": _square,
        "neurons": _turned(5, 0.0),
        "resid.pre": _bar,
        "resid.mid": _bar,
        "resid.post": _bar,
        "embed": _plus,
    }
)
RINGS: Mapping[str, tuple[str, tuple[float, ...]]] = MappingProxyType(
    {
        "cancellation": ("cancellation", ()),
        "uncertainty": ("uncertain", (1.2, 1.4)),
    }
)
BADGES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "missed": ("!", "missed by the estimate"),
        "not-excluded": ("?", "may still matter"),
        "signs-cancel": ("±", "sign differs over pairs"),
    }
)
HATCHED = "saturation"


def outline(kind: str, x: float, y: float, radius: float) -> tuple[Step, ...]:
    """The shape of a kind, about a point, of about the area of a circle."""
    return SHAPES.get(kind, circle)(x, y, radius)


def signed(facts: Mapping[str, Any]) -> float:
    """The effect where it was measured, else the signed estimate; 0 where there is neither."""
    measured = facts.get("effect")
    return float((facts.get("signed") if measured is None else measured) or 0.0)


def colour(facts: Mapping[str, Any]) -> str:
    """Blue if patching raises the metric, orange-red if it lowers it, grey if not known."""
    value = signed(facts)
    return BLUE if value > 0 else RED if value < 0 else GREY


def channels(colour: str) -> tuple[int, int, int]:
    """Red, green and blue of `#rrggbb`, 0 to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def tint(colour: str) -> str:
    """A colour paled to what is inside an unmeasured node."""
    pale = (round(255 + (c - 255) * _TINT) for c in channels(colour))
    return "#" + "".join(f"{c:02x}" for c in pale)


def mark(
    facts: Mapping[str, Any], place: tuple[float, float, float], tip: str = ""
) -> Iterator[Shape | Words]:
    """A node: solid if it was measured, pale and dashed if not, with its flags.

    Args:
        facts: its attributes in the graph.
        place: its middle and its radius.
        tip: what is said of it on pointing there.
    """
    x, y, radius = place
    flags = facts.get("flags") or ()
    shade, verified = colour(facts), bool(facts.get("verified"))
    for flag, (_, dash) in RINGS.items():
        if flag in flags:
            yield Shape(
                steps=circle(x, y, 1.1 * radius + _RING), stroke=INK, width=0.9, dash=dash
            )
    yield Shape(
        steps=outline(str(facts["kind"]), x, y, radius),
        fill=shade if verified else tint(shade),
        stroke=shade,
        width=1.0,
        dash=() if verified else _DASH,
        tip=tip,
    )
    if HATCHED in flags:
        yield from _hatch(x, y, radius, WHITE if verified else shade)
    badges = "".join(badge for flag, (badge, _) in BADGES.items() if flag in flags)
    if badges:
        yield Words(
            text=badges, x=x + radius + 1, y=y - radius + 2, size=8, bold=True, colour=INK
        )


def _hatch(x: float, y: float, radius: float, colour: str) -> Iterator[Shape]:
    """Three slanted lines within the circle that every shape of this size contains."""
    inner = 0.62 * radius
    for offset in (-0.55, 0.0, 0.55):
        half = inner * math.sqrt(1 - offset**2) / math.sqrt(2)
        cx = x + offset * inner / math.sqrt(2)
        cy = y + offset * inner / math.sqrt(2)
        ends = [(cx - half, cy + half), (cx + half, cy - half)]
        yield Shape(steps=line(ends), stroke=colour, width=max(0.7, radius / 9))
