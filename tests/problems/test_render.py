from __future__ import annotations

import io
import itertools

from rich.console import Console

from atpdsl.problems import Label, Problem, Severity, Source, Span
from atpdsl.problems.render import as_json, concise, in_order, located, plain, summary
from atpdsl.problems.render_rich import render_rich

TEXT = 'atp 1\nverify {\n  tpo = 20\n}\nexport "a.csv", "a.csv"\n'
SOURCE = Source("specs/ioi.atp", TEXT)


def at(text: str, said: str = "", *, last: bool = False) -> Label:
    start = TEXT.rindex(text) if last else TEXT.index(text)
    return Label(Span(start, start + len(text)), said)


UNKNOWN = Problem(
    code="ATP105",
    message="`verify` has no setting `tpo`",
    at=at("tpo"),
    help="did you mean `top`?",
)
TWICE = Problem(
    code="ATP119",
    message="`a.csv` is written twice",
    at=at('"a.csv"', last=True),
    also=(at('"a.csv"', "the first is here"),),
    help="remove one of the two",
)


def test_a_problem_shows_its_line_with_carets_and_its_help():
    assert plain([UNKNOWN], SOURCE) == (
        "error[ATP105]: `verify` has no setting `tpo`\n"
        " --> specs/ioi.atp:3:3\n"
        "  |\n"
        "3 |   tpo = 20\n"
        "  |   ^^^\n"
        "  = help: did you mean `top`?\n"
        "\n"
        "1 error"
    )


def test_other_places_on_the_line_are_underlined_differently():
    assert plain([TWICE], SOURCE) == (
        "error[ATP119]: `a.csv` is written twice\n"
        " --> specs/ioi.atp:5:17\n"
        "  |\n"
        '5 | export "a.csv", "a.csv"\n'
        "  |                 ^^^^^^^\n"
        "  |        ------- the first is here\n"
        "  = help: remove one of the two\n"
        "\n"
        "1 error"
    )


def test_places_on_other_lines_are_shown_in_the_order_of_the_text():
    problem = Problem(
        code="ATP104",
        message="there is a second `verify`",
        at=at("export"),
        also=(at("atp", "the first is here"),),
    )

    assert plain([problem], SOURCE).splitlines()[2:8] == [
        "  |",
        "1 | atp 1",
        "  | --- the first is here",
        "...",
        '5 | export "a.csv", "a.csv"',
        "  | ^^^^^^",
    ]


def test_places_in_another_file_come_with_its_name():
    other = Source("names.atp", "let a = 1\n")
    problem = Problem(
        code="ATP104",
        message="twice",
        at=at("export"),
        also=(Label(Span(4, 5), "here", other),),
    )

    lines = plain([problem], SOURCE).splitlines()

    assert lines[5:9] == [" ::: names.atp:1:5", "  |", "1 | let a = 1", "  |     - here"]


def test_problems_come_in_the_order_of_their_places_and_each_once():
    nowhere = Problem(code="ATP400", message="the disk is full")
    warning = Problem(code="ATP214", message="unused", at=at("atp"), severity=Severity.WARNING)
    problems = [nowhere, TWICE, UNKNOWN, TWICE, warning]

    assert [values["code"] for values in as_json(problems, SOURCE)] == [
        "ATP214",
        "ATP105",
        "ATP119",
        "ATP400",
    ]
    assert plain(problems, SOURCE).splitlines()[-1] == "3 errors and 1 warning"


def test_the_order_does_not_depend_on_how_problems_were_found():
    here = [
        Problem(code=code, message=message, at=at("tpo"))
        for code in ("ATP105", "ATP008")
        for message in ("b", "a")
    ]
    orders = [in_order(some) for some in itertools.permutations([*here, TWICE])]

    assert len(set(orders)) == 1
    assert [(p.code, p.message) for p in orders[0]][:3] == [
        ("ATP008", "a"),
        ("ATP008", "b"),
        ("ATP105", "a"),
    ]


def test_a_problem_without_a_place_has_no_excerpt():
    problem = Problem(code="ATP400", message="the disk is full", help="make room")

    assert plain([problem], None) == (
        "error[ATP400]: the disk is full\n  = help: make room\n\n1 error"
    )


def test_a_place_at_the_end_of_the_text_has_a_caret():
    source = Source("a.atp", "atp 1")
    problem = Problem(code="ATP103", message="missing", at=Label(Span(5, 5)))

    assert plain([problem], source).splitlines()[3:5] == ["1 | atp 1", "  |      ^"]


def test_carets_stand_under_wide_characters_and_after_tabs():
    source = Source("a.atp", '\tmodel "日本" x')
    problem = Problem(code="ATP001", message="what", at=Label(Span(12, 13)))

    line, carets = plain([problem], source).splitlines()[3:5]

    assert line == '1 |     model "日本" x'
    assert carets == "  |                  ^"


def test_a_long_line_is_cut_around_the_place():
    text = "export " + "x" * 300 + ' "y" ' + "z" * 300
    source = Source("a.atp", text)
    start = text.index('"y"')
    problem = Problem(code="ATP001", message="what", at=Label(Span(start, start + 3)))

    lines = plain([problem], source).splitlines()

    assert all(len(line) <= 80 for line in lines)
    assert lines[3].startswith("1 | ...x")
    assert lines[3].endswith("z...")
    assert lines[3][lines[4].index("^") :].startswith('"y"')


def test_a_place_over_several_lines_shows_the_first():
    problem = Problem(code="ATP001", message="what", at=Label(Span(6, 20)))

    assert plain([problem], SOURCE).splitlines()[3:5] == ["2 | verify {", "  | ^^^^^^^^"]


def test_long_messages_and_helps_are_wrapped():
    problem = Problem(code="ATP001", message="word " * 40, help="advice " * 40)

    assert all(len(line) <= 80 for line in plain([problem], None).splitlines())


def test_nothing_hidden_reaches_the_terminal():
    source = Source("a\x1b]0;x\x07.atp", "bad\x1b[2J \u202e text\n")
    problem = Problem(
        code="ATP001", message="\x1b[2J", at=Label(Span(3, 5), "\x07"), help="\u202e\n"
    )

    text = plain([problem], source)
    out = io.StringIO()
    Console(file=out, force_terminal=False, width=80).print(render_rich([problem], source))

    assert all(line.isprintable() for line in text.split("\n"))
    assert all(line.isprintable() for line in out.getvalue().split("\n"))


def test_colours_change_nothing_about_the_text():
    out = io.StringIO()
    Console(file=out, force_terminal=False, width=100).print(
        render_rich([UNKNOWN, TWICE], SOURCE), end=""
    )
    stripped = "\n".join(line.rstrip() for line in out.getvalue().rstrip().split("\n"))

    assert stripped == plain([UNKNOWN, TWICE], SOURCE)


def test_markup_in_a_message_is_shown_and_not_obeyed():
    problem = Problem(code="ATP001", message="[bold]x[/] [link=file:///etc]y[/link]")
    out = io.StringIO()
    Console(file=out, force_terminal=True, width=100).print(render_rich([problem], None))

    assert "[bold]x[/] [link=file:///etc]y[/link]" in out.getvalue()


def test_json_has_offsets_and_lines_and_columns():
    (values,) = as_json([UNKNOWN], SOURCE)

    assert values == {
        "code": "ATP105",
        "severity": "error",
        "message": "`verify` has no setting `tpo`",
        "help": "did you mean `top`?",
        "at": {
            "file": "specs/ioi.atp",
            "start": 17,
            "end": 20,
            "text": "",
            "line": 3,
            "column": 3,
            "end_line": 3,
            "end_column": 6,
        },
        "also": [],
        "fix": {
            "title": "change to `top`",
            "file": "specs/ioi.atp",
            "start": 17,
            "end": 20,
            "text": "top",
            "line": 3,
            "column": 3,
            "end_line": 3,
            "end_column": 6,
        },
    }


def test_a_problem_that_cannot_be_mended_has_no_fix_in_json():
    (values,) = as_json([TWICE], SOURCE)

    assert values["fix"] is None


def test_concise_is_a_line_for_each_problem():
    nowhere = Problem(code="ATP400", message="the disk is full", help="make room")

    assert concise([TWICE, nowhere, UNKNOWN, UNKNOWN], SOURCE).splitlines() == [
        "specs/ioi.atp:3:3: error[ATP105]: `verify` has no setting `tpo`",
        "specs/ioi.atp:5:17: error[ATP119]: `a.csv` is written twice",
        "specs/ioi.atp: error[ATP400]: the disk is full",
    ]
    assert concise([nowhere], None) == "error[ATP400]: the disk is full"


def test_located_problems_of_included_files_count_there():
    whole, offset = SOURCE.with_part(Source("names.atp", "lett a = 1\n"))
    problem = Problem(
        code="ATP008",
        message="there is no statement `lett`",
        at=Label(Span(offset, offset + 4)),
        help="did you mean `let`?",
    )
    (placed,) = located([problem, problem], whole)

    assert concise([problem], whole).startswith("names.atp:1:1: error[ATP008]: ")
    assert placed.fix is not None
    assert placed.fix.span == Span(0, 4)


def test_no_problems_are_told_as_such():
    assert summary([]) == "no problems"
    assert plain([], SOURCE) == "no problems"
