from __future__ import annotations

import re

from atpdsl.problems import Label, Problem, Severity, Source, Span
from atpdsl.problems.render_github import github

SOURCE = Source("specs/a,b.atp", "atp 1\nverify {\n  tpo = 20\n}\n")
COMMAND = re.compile(r"::(error|warning) ((?:\w+=[^,:]*,?)+)::(.*)")


def read(line: str) -> tuple[str, dict[str, str], str]:
    """A workflow command as GitHub's runner reads it."""
    found = COMMAND.fullmatch(line)
    assert found, line
    pairs = (part.partition("=") for part in found[2].split(","))
    return found[1], {key: unescaped(value) for key, _, value in pairs}, unescaped(found[3])


def unescaped(text: str) -> str:
    signs = (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%"))
    for written, sign in signs:
        text = text.replace(written, sign)
    return text


def problem(first: int, last: int, message: str = "m", **more: object) -> Problem:
    at = Label(Span(first, last))
    return Problem(code="ATP105", message=message, at=at, **more)  # type: ignore[arg-type]


def test_an_annotation_has_its_place_title_and_message():
    wrong = problem(17, 20, "`verify` has no setting `tpo`", help="did you mean `top`?")

    assert github([wrong], SOURCE) == (
        "::error file=specs/a%2Cb.atp,line=3,endLine=3,col=3,endColumn=6,title=ATP105"
        "::`verify` has no setting `tpo`%0Ahelp: did you mean `top`?"
    )


def test_what_would_end_a_command_is_escaped():
    text = "50% of a:b, c\r\n::error::no"
    kind, properties, message = read(github([problem(0, 3, text)], SOURCE))

    assert kind == "error"
    assert properties["file"] == SOURCE.name
    assert message == text


def test_a_place_over_several_lines_has_no_columns():
    _, properties, _ = read(github([problem(6, 24)], SOURCE))

    assert properties == {
        "file": SOURCE.name,
        "line": "2",
        "endLine": "3",
        "title": "ATP105",
    }


def test_a_problem_without_a_place_and_a_warning_are_told():
    nowhere = Problem(code="ATP420", message="gone", severity=Severity.WARNING)

    assert github([nowhere], None) == "::warning title=ATP420::gone"


def test_each_problem_has_one_line_in_the_order_of_the_text():
    lines = github([problem(17, 20), problem(0, 3, "first"), problem(17, 20)], SOURCE)

    assert [line.rsplit("::", 1)[1] for line in lines.split("\n")] == ["first", "m"]
