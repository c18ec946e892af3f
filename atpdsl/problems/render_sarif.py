"""Problems in SARIF 2.1.0, the format in which tools exchange findings about source files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from atpdsl.problems.codes import CODES
from atpdsl.problems.problem import Label, Problem
from atpdsl.problems.source import Source, Span

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
ROOT = "%SRCROOT%"


def sarif(problems: Iterable[Problem], *, version: str) -> dict[str, object]:
    """One run of the checker as a SARIF log.

    Args:
        problems: as `atpdsl.problems.render.located` gives them, in the order to be kept.
        version: that of atpdsl.
    """
    problems = tuple(problems)
    codes = sorted({problem.code for problem in problems})
    driver = {
        "name": "atpdsl",
        "semanticVersion": version,
        "rules": [_rule(code) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(problem, codes.index(problem.code)) for problem in problems],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str) -> dict[str, object]:
    entry = CODES[code]
    text = " ".join(entry.explanation.split())
    markdown = entry.explanation.strip()
    for word, spec in (("Instead of", entry.bad), ("write", entry.good)):
        if spec:
            markdown += f"\n\n{word}:\n\n```atp\n{spec.rstrip()}\n```"
    return {
        "id": code,
        "shortDescription": {"text": entry.title},
        "fullDescription": {"text": text},
        "help": {"text": text, "markdown": markdown},
    }


def _result(problem: Problem, rule: int) -> dict[str, object]:
    said = f"{problem.message}\nhelp: {problem.help}" if problem.help else problem.message
    result: dict[str, object] = {
        "ruleId": problem.code,
        "ruleIndex": rule,
        "level": problem.severity.value,
        "message": {"text": said},
        "locations": [] if problem.at is None else _locations([problem.at]),
    }
    also = _locations(problem.also)
    if also:
        result["relatedLocations"] = also
    fix = _fix(problem)
    if fix is not None:
        result["fixes"] = [fix]
    return result


def _locations(labels: Iterable[Label]) -> list[dict[str, object]]:
    locations: list[dict[str, object]] = []
    for label in labels:
        if label.source is None:
            continue
        place = {
            "artifactLocation": _artifact(label.source),
            "region": _region(label.source, label.span),
        }
        said = {"message": {"text": label.text}} if label.text else {}
        locations.append({"physicalLocation": place, **said})
    return locations


def _artifact(source: Source) -> dict[str, object]:
    """Where a file is: relative to the folder in which the command runs, if it is below it."""
    name = source.name
    if name.startswith("lib:"):
        return {"uri": quote(name, safe=":/")}
    path = Path(name)
    if path.is_absolute():
        if not path.is_relative_to(Path.cwd()):
            return {"uri": path.as_uri()}
        path = path.relative_to(Path.cwd())
    return {"uri": quote(path.as_posix(), safe="/"), "uriBaseId": ROOT}


def _region(source: Source, span: Span) -> dict[str, object]:
    """Lines and columns from 1; the end is the column after the last character."""
    line, column = source.line_column(span.start)
    end_line, end_column = source.line_column(span.end)
    return {
        "startLine": line,
        "startColumn": column,
        "endLine": end_line,
        "endColumn": end_column,
    }


def _fix(problem: Problem) -> dict[str, object] | None:
    fix, at = problem.fix, problem.at
    if fix is None or at is None or at.source is None:
        return None
    change = {
        "deletedRegion": _region(at.source, fix.span),
        "insertedContent": {"text": fix.text},
    }
    artifact = {"artifactLocation": _artifact(at.source), "replacements": [change]}
    return {"description": {"text": fix.title}, "artifactChanges": [artifact]}
