from __future__ import annotations

import pytest

from atpdsl.semantics.findings import Findings
from atpdsl.semantics.read_formulas import names_in, read_formula
from tests.semantics.formula import expression_of, problems_of

NAMES = ("yy", "name")


@pytest.mark.parametrize(
    ("text", "code", "place", "advice"),
    [
        ("yyy + 1", "ATP230", "yyy", "did you mean `yy`?"),
        ('"{yyy}"', "ATP230", "{yyy}", "did you mean `yy`?"),
        ("two_digit(yy)", "ATP231", "two_digit", "did you mean `two_digits`?"),
        ("str(yy)", "ATP231", "str", "did you mean `text`?"),
        ("int(yy, 2)", "ATP232", "int(yy, 2)", "write `int(value)`"),
        ("digits(yy)", "ATP232", "digits(yy)", "write `digits(numbers, width)`"),
        ("int(value = yy)", "ATP232", "value = yy", "write `int(value)`"),
        ("yy[0]", "ATP233", "yy[0]", "a list is written alone, `[a, b]`"),
        ("yy ..", "ATP233", "yy ..", "write both, as `2..9`"),
        ("yy + 5%", "ATP233", "5%", "write the number alone"),
        ("name.first", "ATP233", "name.first", "only `row` has parts: `row.column`"),
        ('"{yy as Y}"', "ATP241", "{yy as Y}", "positions are named in a `template`"),
        ('"a" + 1', "ATP233", '"a" + 1', 'write a text with both, as in `"{a}{b}"`'),
        ("1 / 0", "ATP233", "1 / 0", "leave pairs where it does out with `keep`"),
    ],
)
def test_mistakes_are_told_at_their_place(text, code, place, advice):
    assert problems_of(text, NAMES) == [(code, place, advice)]


def test_all_mistakes_of_a_formula_are_told():
    assert [code for code, _, _ in problems_of("aaa + bbb(1) + [ccc, 3%]", NAMES)] == [
        "ATP230",
        "ATP231",
        "ATP230",
        "ATP233",
    ]


def test_columns_need_a_file():
    ((code, place, advice),) = problems_of("int(row.label) + 1", NAMES)

    assert (code, place) == ("ATP230", "row.label")
    assert "from csv" in advice
    assert problems_of("int(row.label) + 1", ("row",)) == []


def test_a_bare_column_is_told_to_be_one():
    assert problems_of("label", ("row",)) == [
        ("ATP230", "label", "for a column of the file write `row.label`")
    ]


def test_unknown_names_are_passed_over_where_not_all_names_are_known():
    findings = Findings()

    assert read_formula(expression_of("yyy"), NAMES, findings, complete=False) is not None
    assert len(findings) == 0


def test_the_names_of_a_formula_are_those_in_texts_too():
    names = names_in(expression_of('"{a}" in [b, c] and f(row.d)'))

    assert [name for name, _ in names] == ["a", "b", "c", "row"]
