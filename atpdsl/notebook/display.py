"""What a notebook shows of a result: the page, and for those who cannot show it less.

Front ends choose the richest form that they know. Those that keep no `<iframe>` (GitHub,
notebooks that are not trusted) show what stands beside it in the HTML, the table; those that
take no HTML at all the SVG; terminals the text.
"""

from __future__ import annotations

import html
import io
import tempfile
from collections.abc import Container
from pathlib import Path
from typing import TYPE_CHECKING

from atpdsl.problems.clean import clean

if TYPE_CHECKING:
    from atpdsl.results.result import Result

TEXT, SVG, HTML = "text/plain", "image/svg+xml", "text/html"
HEIGHT, WIDTH = 900, 80
ROWS = 10


def bundle(
    result: Result,
    include: Container[str] | None = None,
    exclude: Container[str] | None = None,
) -> dict[str, str]:
    """A result by MIME types; IPython asks for it by `_repr_mimebundle_`.

    Args:
        result: what to show.
        include: only these types; None for all.
        exclude: none of these.
    """
    makers = {TEXT: as_text, SVG: as_svg, HTML: as_html}
    if _is_empty(result):
        makers = {TEXT: as_text}
    return {
        kind: make(result)
        for kind, make in makers.items()
        if (include is None or kind in include) and (exclude is None or kind not in exclude)
    }


def as_text(result: Result) -> str:
    """The table that `atpdsl show` prints, 80 columns wide and without colours."""
    from rich.console import Console

    from atpdsl.cli.report import closing, report

    stream = io.StringIO()
    console = Console(
        file=stream,
        width=WIDTH,
        color_system=None,
        force_jupyter=False,
        markup=False,
        highlight=False,
        emoji=False,
    )
    console.print(*report(result, rows=ROWS), closing(result), sep="\n")
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


def as_svg(result: Result) -> str:
    """The circuit as a figure, without the XML declaration, which HTML takes for a comment."""
    text = _exported(result, "svg")
    return text[text.index("<svg") :]


def as_html(result: Result) -> str:
    """The page in a frame that may run its scripts and nothing else, and the table below it.

    The frame has no origin: its scripts reach neither the notebook nor any storage, and the
    page's own policy keeps them from the network.
    """
    page = html.escape(_exported(result, "html"), quote=True)
    table = html.escape(as_text(result))
    title = html.escape(f"{clean(result.record.spec.name)}: result of atpdsl", quote=True)
    return (
        f'<iframe sandbox="allow-scripts" srcdoc="{page}" title="{title}" width="100%"'
        f' height="{HEIGHT}" style="border:0"></iframe>\n'
        f"<details><summary>As text</summary><pre>{table}</pre></details>"
    )


def _is_empty(result: Result) -> bool:
    """Whether nothing was computed, as with the executor `null`."""
    score = result.table["score"]
    return bool(score.null_count == len(score))


def _exported(result: Result, form: str) -> str:
    """What an exporter writes, as text."""
    from atpdsl.exports import EXPORTERS

    exporter = EXPORTERS[form]
    with tempfile.TemporaryDirectory(prefix="atpdsl-") as folder:
        path = Path(folder) / f"result{exporter.suffixes[0]}"
        exporter.write(result, path)
        return path.read_text(encoding="utf-8")
