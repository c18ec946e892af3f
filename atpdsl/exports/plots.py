"""PNG and PDF: the same figure as in SVG, drawn by matplotlib (`pip install "atpdsl[plots]"`).

The same result gives the same bytes with the same version of matplotlib.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atpdsl.exports.exporter import Exporter
from atpdsl.exports.picture import Picture, Shape, Words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import PathPatch

    from atpdsl.results.result import Result

POINTS, RESOLUTION = 72.0, 300
NEEDS, EXTRA = "matplotlib", "plots"
# Without the day and the version, which would make other bytes of the same picture.
_NO_DATES = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Producer": None, "Creator": None},
}
# Fonts go into a PDF as outlines that journals accept.
_SETTINGS: Mapping[Any, Any] = {
    "pdf.fonttype": 42,
    "font.family": "sans-serif",
    "text.usetex": False,
}


def write_png(result: Result, path: Path) -> None:
    """Write the circuit as PNG, 300 dots per inch."""
    _draw(result, path, "png")


def write_pdf(result: Result, path: Path) -> None:
    """Write the circuit as PDF."""
    _draw(result, path, "pdf")


def _draw(result: Result, path: Path, form: str) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from atpdsl.exports.figure import figure

    picture = figure(result)
    with _settled():
        size = (picture.width / POINTS, picture.height / POINTS)
        page = Figure(figsize=size, dpi=RESOLUTION, facecolor="white")
        FigureCanvasAgg(page)
        axes = page.add_axes((0.0, 0.0, 1.0, 1.0))
        _fill(axes, picture)
        page.savefig(path, format=form, dpi=RESOLUTION, metadata=_metadata(form, picture))


def _metadata(form: str, picture: Picture) -> Mapping[str, Any]:
    # PNG's own texts are Latin-1 only; a title there can say less than the page.
    title = (
        picture.title if form == "pdf" else picture.title.encode("ascii", "replace").decode()
    )
    return {**_NO_DATES[form], "Title": title}


@contextmanager
def _settled() -> Iterator[None]:
    """Matplotlib's own defaults, whatever the user's are, and silence on letters it lacks."""
    import matplotlib as mpl

    with mpl.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        yield


def _fill(axes: Axes, picture: Picture) -> None:
    axes.set_axis_off()
    axes.set_xlim(0, picture.width)
    axes.set_ylim(picture.height, 0)
    for order, item in enumerate(picture.items):
        if isinstance(item, Shape):
            axes.add_patch(_patch(item, order))
        else:
            _write(axes, item, order)


def _patch(shape: Shape, order: int) -> PathPatch:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Curve

    kinds = {"M": Curve.MOVETO, "L": Curve.LINETO, "C": Curve.CURVE4, "Z": Curve.CLOSEPOLY}
    points: list[tuple[float, float]] = []
    codes: list[Any] = []
    for letter, values in shape.steps:
        pairs = list(zip(values[::2], values[1::2], strict=True)) or [(0.0, 0.0)]
        points += pairs
        codes += [kinds[letter]] * len(pairs)
    # Dashes are given in widths of the line.
    dash = tuple(length / shape.width for length in shape.dash)
    return PathPatch(
        Curve(points, codes),
        facecolor=shape.fill or "none",
        edgecolor=shape.stroke or "none",
        linewidth=shape.width if shape.stroke else 0.0,
        linestyle=(0, dash) if dash else "-",
        joinstyle="round",
        capstyle="butt",
        alpha=None if shape.opacity == 1.0 else shape.opacity,
        zorder=order,
    )


def _write(axes: Axes, words: Words, order: int) -> None:
    from matplotlib.patheffects import withStroke

    axes.text(
        words.x,
        words.y,
        words.text,
        fontsize=words.size,
        color=words.colour,
        fontweight="bold" if words.bold else "normal",
        ha={"start": "left", "middle": "center", "end": "right"}[words.anchor],
        va="baseline",
        rotation=-words.angle,
        rotation_mode="anchor",
        # A token may hold a dollar sign, which is no formula.
        parse_math=False,
        path_effects=[withStroke(linewidth=1.6, foreground="white")] if words.halo else None,
        zorder=order,
    )


PNG = Exporter(
    name="png",
    suffixes=(".png",),
    summary="the circuit as a figure, 300 dots per inch",
    write=write_png,
    needs=NEEDS,
    extra=EXTRA,
)
PDF = Exporter(
    name="pdf",
    suffixes=(".pdf",),
    summary="the circuit as a figure, for papers",
    write=write_pdf,
    needs=NEEDS,
    extra=EXTRA,
)
