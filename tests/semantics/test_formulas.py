from __future__ import annotations

import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atpdsl.problems import Span
from atpdsl.semantics.formulas import FormulaError, fill
from atpdsl.semantics.template import parse_template
from atpdsl.semantics.values import WrittenInt, formatted, written_number
from tests.semantics.formula import BEFORE, row, value_of

YEAR = WrittenInt(2, "02")


def error_of(text: str, **values) -> tuple[str, str]:
    """Where a formula has no value, and what helps."""
    with pytest.raises(FormulaError) as error:
        value_of(text, **values)
    span = error.value.span
    return (BEFORE + text)[span.start : span.end], error.value.advice


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("7 - 2 - 1", 4),
        ("6 / 3", 2),
        ("7 / 2", 3.5),
        ("-yy + 1", -1),
        ("yy + 1 .. 5", (3, 4, 5)),
        ("5 .. 4", ()),
        ("[1..3, 7, [8, 9]]", (1, 2, 3, 7, 8, 9)),
        ("[1] + [2..3]", (1, 2, 3)),
        ('"a" + "b"', "ab"),
        ('"{yy} {yy:03} {name:upper}"', "02 002 MARY"),
        ('r"{yy}"', "{yy}"),
        ('name == "Mary"', True),
        ('name != "Mary"', False),
        ("yy == 2 and not yy > 2", True),
        ("yy < 2 or yy >= 2", True),
        ('"ar" in name', True),
        ("yy in 3..5", False),
        ("yy in [1, 2]", True),
        ('name in ["Mary", "John"]', True),
        ("row.meta.age", "7"),
        ("int(row.meta.age) + 1", 8),
        ('"x{row.meta.age:02}"', "x07"),
        ('row.empty == ""', False),
        ("true and not false", True),
    ],
)
def test_formulas_have_the_value_that_they_say(text, value):
    values = {"yy": YEAR, "name": "Mary", "row": row(meta=row(age="7"), empty=None)}

    found = value_of(text, **values)

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "place", "advice"),
    [
        ("row.label + 1", "row.label", "make it a number with `int(row.label)`"),
        ("1 + row.label", "row.label", "make it a number with `int(row.label)`"),
        ("row.share * 2", "row.share", "make it a number with `float(row.share)`"),
        ("name + 1", "name", "only numbers can be counted with"),
        ('"{name}" + yy', '"{name}" + yy', 'write a text with both, as in `"{a}{b}"`'),
        ("yy / (yy - 2)", "yy / (yy - 2)", "leave pairs where it does out with `keep`"),
        ("yy and true", "yy", "compare it, as in `yy > 10`"),
        (
            "row.label == 5",
            "row.label == 5",
            "make both numbers, with `int(...)`, or both texts, with `text(...)`",
        ),
        ("row.lable", "row.lable", "did you mean `label`?"),
        ("yy / 4 .. 3", "yy / 4", "write `int(...)` around it"),
        ("name in yy", "yy", "behind `in` stands a list, a range or a text"),
        ('"{name:02}"', '"{name:02}"', "leave out `:02`"),
        ("two_digits(yy + 97 .. 100)", "yy + 97 .. 100", "the largest is 99"),
        ("int(row.share)", "row.share", "for the whole part write `int(float(...))`"),
        ("digits(yy, 0)", "0", "a width is a whole number from 1 to 15"),
        ("min([])", "[]", "the list is empty"),
    ],
)
def test_a_formula_without_a_value_says_where_and_what_helps(text, place, advice):
    values = {"yy": YEAR, "name": "Mary", "row": row(label="5", share="0.5")}

    assert error_of(text, **values) == (place, advice)


def test_work_is_bounded():
    assert error_of("0 .. yy * 50000", yy=YEAR)[0] == "0 .. yy * 50000"
    assert error_of("[0..99999] + [1]")[0] == "[0..99999] + [1]"
    assert error_of("yy * 1000000000000000", yy=YEAR)[0] == "yy * 1000000000000000"
    assert error_of("int(row.long)", row=row(long="9" * 5000))[0] == "row.long"
    assert error_of('"{a}{a}"', a="x" * 60_000)[0] == '"{a}{a}"'
    assert error_of("a + a", a="x" * 60_000)[0] == "a + a"


def test_the_time_for_a_formula_grows_with_its_length_only():
    assert value_of(" + ".join(["1"] * 60)) == 60
    assert value_of("(" * 20 + "1" + " + 1)" * 20) == 21


def test_a_number_keeps_its_written_form_in_texts_and_counts_as_a_number():
    number = written_number("007")

    assert number == 7
    assert formatted(number, "") == "007"
    assert written_number("Mary") == "Mary"
    assert formatted(written_number("1.50"), "") == "1.50"


@pytest.mark.parametrize(
    ("form", "text"),
    [("upper", "THE RED HOUSE"), ("lower", "the red house"), ("title", "The Red House")],
)
def test_words_can_be_written_in_other_letters(form, text):
    assert formatted("the Red hOUSE", form) == text


def test_a_text_is_filled_with_the_values_of_a_pair():
    pieces = parse_template("{{{yy:04}}} {row.a}")

    assert fill(pieces, {"yy": YEAR, "row": row(a="x")}, Span(0, 1)) == "{0002} x"


NUMBERS = st.integers(min_value=-99, max_value=99)


SIGNS = {"+": operator.add, "-": operator.sub, "*": operator.mul}
SUMS = st.recursive(
    NUMBERS.map(lambda number: (f"{number}", number)),
    lambda parts: st.tuples(st.sampled_from("+-*"), parts, parts).map(
        lambda one: (f"({one[1][0]} {one[0]} {one[2][0]})", SIGNS[one[0]](one[1][1], one[2][1]))
    ),
    max_leaves=6,
)


@given(SUMS)
def test_arithmetic_is_that_of_python(written):
    text, value = written

    assert value_of(text) == value


def test_products_come_before_sums_and_both_go_from_left_to_right():
    assert value_of("2 - 3 - 4 * 5 + 6 / 2 / 3") == 2 - 3 - 4 * 5 + 1


@given(NUMBERS, NUMBERS, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]))
def test_comparisons_are_those_of_python(one, other, sign):
    signs = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne"}

    assert value_of(f"a {sign} b", a=one, b=other) is getattr(operator, signs[sign])(one, other)


def test_a_number_is_written_without_the_strokes_between_its_digits():
    assert value_of("text(1_000)") == "1000"
    assert value_of("text([02, 1_0.50])") == ("02", "10.50")
