"""Problems in a notebook: as in a terminal, with colours that dark and light pages show."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping

from atpdsl.problems import Problem, Source
from atpdsl.problems.layout import Style, lay_out
from atpdsl.problems.render import located, plain, summary

_STYLES: Mapping[Style, str] = {
    Style.PLAIN: "",
    Style.ERROR: "color:#d6453d;font-weight:bold",
    Style.WARNING: "color:#b07d00;font-weight:bold",
    Style.MESSAGE: "font-weight:bold",
    Style.FRAME: "color:#4a7fd6",
    Style.SECOND: "color:#0f8f8f",
    Style.HELP: "color:#2f8f4e",
}


def problem_bundle(problems: Iterable[Problem], source: Source | None) -> dict[str, str]:
    """Problems by MIME types."""
    found = tuple(problems)
    return {"text/plain": plain(found, source), "text/html": as_html(found, source)}


def as_html(problems: Iterable[Problem], source: Source | None) -> str:
    """Problems as preformatted HTML; every text in it is escaped."""
    ordered = located(problems, source)
    blocks = [
        "\n".join(
            "".join(_span(text, style) for text, style in line)
            for line in lay_out(problem, source)
        )
        for problem in ordered
    ]
    body = "\n\n".join((*blocks, f"<b>{html.escape(summary(ordered))}</b>"))
    return f'<pre role="alert" style="line-height:1.3">{body}</pre>'


def _span(text: str, style: Style) -> str:
    shown = html.escape(text)
    rule = _STYLES[style]
    return f'<span style="{rule}">{shown}</span>' if rule else shown
