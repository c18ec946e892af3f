"""Problems as plain text, one line each, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable

from atpdsl.problems.clean import clean
from atpdsl.problems.fixes import mended
from atpdsl.problems.layout import WIDTH, lay_out
from atpdsl.problems.problem import Label, Problem, Severity
from atpdsl.problems.source import Source


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Problems in the order of their places, each once; those without a place come last.

    The order is the same however they were found: at one place it is that of their codes.
    """
    return tuple(sorted(dict.fromkeys(problems), key=_place_and_code))


def _place_and_code(problem: Problem) -> tuple[bool, int, str, int, str]:
    span = problem.at.span if problem.at else None
    start, end = (0, 0) if span is None else (span.start, span.end)
    return span is None, start, problem.code, end, problem.message


def located(problems: Iterable[Problem], source: Source | None) -> tuple[Problem, ...]:
    """Problems in order, each with its source, its place there, and its fix."""
    ordered = in_order(problems)
    whole = ordered if source is None else (mended(problem, source) for problem in ordered)
    return tuple(dict.fromkeys(problem.placed(source) for problem in whole))


def concise(problems: Iterable[Problem], source: Source | None) -> str:
    """A line for each problem, as compilers write them: `file:line:column: error[...]: ...`."""
    return "\n".join(_one_line(problem, source) for problem in located(problems, source))


def _one_line(problem: Problem, source: Source | None) -> str:
    at = problem.at
    place = "" if source is None else f"{clean(source.name)}: "
    if at is not None and at.source is not None:
        line, column = at.source.line_column(at.span.start)
        place = f"{clean(at.source.name)}:{line}:{column}: "
    head = f"{problem.severity.value}[{clean(problem.code)}]"
    return f"{place}{head}: {clean(problem.message)}"


def plain(problems: Iterable[Problem], source: Source | None, *, width: int = WIDTH) -> str:
    """Problems as text without colours, and a line that counts them; no line end after it."""
    ordered = in_order(problems)
    blocks = [_block(problem, source, width) for problem in ordered]
    return "\n".join((*blocks, summary(ordered)))


def _block(problem: Problem, source: Source | None, width: int) -> str:
    lines = lay_out(problem, source, width=width)
    return "".join("".join(text for text, _ in line).rstrip() + "\n" for line in lines)


def summary(problems: Iterable[Problem]) -> str:
    """How many problems there are, in words."""
    counts = dict.fromkeys(Severity, 0)
    for problem in problems:
        counts[problem.severity] += 1
    parts = [
        f"{count} {severity.value}{'' if count == 1 else 's'}"
        for severity, count in counts.items()
        if count
    ]
    return " and ".join(parts) or "no problems"


def as_json(problems: Iterable[Problem], source: Source | None) -> list[dict[str, object]]:
    """Problems as values for JSON; places have offsets, and lines and columns from 1."""
    return [_values(problem) for problem in located(problems, source)]


def _values(problem: Problem) -> dict[str, object]:
    return {
        "code": problem.code,
        "severity": problem.severity.value,
        "message": problem.message,
        "help": problem.help,
        "at": None if problem.at is None else _place(problem.at),
        "also": [_place(label) for label in problem.also],
        "fix": _fix(problem),
    }


def _fix(problem: Problem) -> dict[str, object] | None:
    """The change that mends a problem: what is at the place is replaced by `text`."""
    fix, at = problem.fix, problem.at
    if fix is None or at is None:
        return None
    place = _place(Label(fix.span, fix.text, at.source))
    return {"title": fix.title, **place}


def _place(label: Label) -> dict[str, object]:
    origin = label.source
    place: dict[str, object] = {
        "file": None if origin is None else origin.name,
        "start": label.span.start,
        "end": label.span.end,
        "text": label.text,
    }
    if origin is not None:
        line, column = origin.line_column(label.span.start)
        end_line, end_column = origin.line_column(label.span.end)
        place |= {
            "line": line,
            "column": column,
            "end_line": end_line,
            "end_column": end_column,
        }
    return place
