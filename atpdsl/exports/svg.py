"""SVG: the circuit as a figure for papers and pages; texts stay texts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from atpdsl.exports.exporter import Exporter
from atpdsl.exports.picture import Picture, Shape, Words
from atpdsl.results.harmless import harmless

if TYPE_CHECKING:
    from atpdsl.results.result import Result

FONTS = "Helvetica, Arial, 'Liberation Sans', sans-serif"


def write(result: Result, path: Path) -> None:
    """Write the circuit as SVG."""
    from atpdsl.exports.figure import figure

    path.write_text(svg(figure(result)), encoding="utf-8")


def svg(picture: Picture) -> str:
    """A picture as an SVG document."""
    width, height = _number(picture.width), _number(picture.height)
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}pt" height="{height}pt" '
        f'viewBox="0 0 {width} {height}" role="img" font-family="{FONTS}">'
    )
    return "\n".join((head, *_lines(picture), "</svg>\n"))


def _lines(picture: Picture) -> Iterator[str]:
    yield f"<title>{_text(picture.title)}</title>"
    yield f"<desc>{_text(picture.about)}</desc>"
    yield '<rect width="100%" height="100%" fill="#ffffff"/>'
    for item in picture.items:
        yield _shape(item) if isinstance(item, Shape) else _words(item)


def _shape(shape: Shape) -> str:
    path = "".join(
        letter + " ".join(_number(value) for value in values) for letter, values in shape.steps
    )
    attributes = {"d": path, "fill": shape.fill or "none"}
    if shape.stroke is not None:
        attributes |= {"stroke": shape.stroke, "stroke-width": _number(shape.width)}
        attributes |= {"stroke-linejoin": "round"}
    if shape.dash:
        attributes["stroke-dasharray"] = " ".join(_number(length) for length in shape.dash)
    if shape.opacity != 1.0:
        attributes["opacity"] = _number(shape.opacity)
    if not shape.tip:
        return f"<path{_attributes(attributes)}/>"
    return f"<path{_attributes(attributes)}><title>{_text(shape.tip)}</title></path>"


def _words(words: Words) -> str:
    attributes = {
        "x": _number(words.x),
        "y": _number(words.y),
        "font-size": _number(words.size),
    }
    if words.anchor != "start":
        attributes["text-anchor"] = words.anchor
    attributes["fill"] = words.colour
    if words.bold:
        attributes["font-weight"] = "bold"
    if words.halo:
        attributes |= {"stroke": "#ffffff", "stroke-width": "1.6", "paint-order": "stroke"}
    if words.angle:
        turn = (words.angle, words.x, words.y)
        attributes["transform"] = f"rotate({' '.join(_number(value) for value in turn)})"
    return f"<text{_attributes(attributes)}>{_text(words.text)}</text>"


def _attributes(values: dict[str, str]) -> str:
    return "".join(f" {name}={quoteattr(value)}" for name, value in values.items())


def _text(text: str) -> str:
    return escape(harmless(text))


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if value else "0"


SVG = Exporter(
    name="svg",
    suffixes=(".svg",),
    summary="the circuit as a figure: tokens by layers",
    write=write,
)
