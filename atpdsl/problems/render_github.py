"""Problems as annotations of GitHub Actions: they appear at their lines in a pull request."""

from __future__ import annotations

from collections.abc import Iterable

from atpdsl.problems.problem import Problem
from atpdsl.problems.render import located
from atpdsl.problems.source import Source


def github(problems: Iterable[Problem], source: Source | None) -> str:
    """A workflow command for each problem; no line end after the last."""
    return "\n".join(_command(problem) for problem in located(problems, source))


def _command(problem: Problem) -> str:
    properties = {**_place(problem), "title": problem.code}
    written = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    said = f"{problem.message}\nhelp: {problem.help}" if problem.help else problem.message
    return f"::{problem.severity.value} {written}::{_data(said)}"


def _place(problem: Problem) -> dict[str, object]:
    at = problem.at
    if at is None or at.source is None:
        return {}
    line, column = at.source.line_column(at.span.start)
    end_line, end_column = at.source.line_column(at.span.end)
    place: dict[str, object] = {
        "file": at.source.name.replace("\\", "/"),
        "line": line,
        "endLine": end_line,
    }
    # Columns of a place over several lines are refused there.
    if line == end_line:
        place |= {"col": column, "endColumn": max(end_column, column)}
    return place


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
