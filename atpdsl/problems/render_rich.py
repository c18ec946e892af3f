"""Problems in colour, for terminals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.text import Text

from atpdsl.problems.layout import WIDTH, Style, lay_out
from atpdsl.problems.problem import Problem
from atpdsl.problems.render import in_order, summary
from atpdsl.problems.source import Source

STYLES: Mapping[Style, str] = {
    Style.PLAIN: "",
    Style.ERROR: "bold red",
    Style.WARNING: "bold yellow",
    Style.MESSAGE: "bold",
    Style.FRAME: "blue",
    Style.SECOND: "cyan",
    Style.HELP: "green",
}


def render_rich(
    problems: Iterable[Problem], source: Source | None, *, width: int = WIDTH
) -> Text:
    """Problems as styled text; nothing in it is taken for markup."""
    ordered = in_order(problems)
    text = Text()
    for problem in ordered:
        for line in lay_out(problem, source, width=width):
            for segment, style in line:
                text.append(segment, STYLES[style])
            text.append("\n")
        text.append("\n")
    return text.append(f"{summary(ordered)}\n", "bold")
