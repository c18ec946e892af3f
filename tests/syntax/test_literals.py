from __future__ import annotations

import pytest

from atpdsl.problems import Problem
from atpdsl.syntax.literals import read_number, read_string


def string(written: str):
    problems: list[Problem] = []
    value = read_string(written, 100, problems)
    assert problems == []
    return value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ('""', ""),
        ('"a b"', "a b"),
        (r'"a\nb\tc\rd"', "a\nb\tc\rd"),
        (r'"\"\\"', '"\\'),
        (r'"é\u00e9\u{e9}\u{1F600}"', "ééé😀"),
        (r'r"\d+ \n {x}"', r"\d+ \n {x}"),
        ('"""a\nb "q" c"""', 'a\nb "q" c'),
        ('"""a\r\nb"""', "a\nb"),
        ('"""a \\\nb"""', "a b"),
        ('""""""', ""),
        ('"{S}"', "{S}"),
    ],
)
def test_strings_have_the_value_that_is_written(written, value):
    assert string(written).value == value


def test_every_character_knows_where_it_stands():
    written = r'"a\u{e9}b\nc"'
    value = string(written)

    places = [written[value.place(i, i + 1).start - 100 :][:2] for i in range(len(value.value))]
    assert places == ["a\\", "\\u", "b\\", "\\n", 'c"']
    assert value.place(0, len(value.value)).end == 100 + len(written) - 1


def test_a_raw_string_is_marked():
    assert string('r"x"').raw
    assert not string('"x"').raw


@pytest.mark.parametrize("written", [r'"\q"', r'"\u12"', r'"\u{}"', r'"\ud800"', r'"\{"'])
def test_other_escapes_are_a_problem(written):
    problems: list[Problem] = []
    read_string(written, 0, problems)

    assert [problem.code for problem in problems] == ["ATP016"]


@pytest.mark.parametrize(
    ("written", "value", "unit"),
    [
        ("20", 20, ""),
        ("007", 7, ""),
        ("1_000", 1000, ""),
        ("1_", 1, ""),
        ("1__0_.5", 10.5, ""),
        ("5%", 5, "%"),
        ("10min", 10, "min"),
        ("0.5", 0.5, ""),
        ("1e3", 1000.0, ""),
        ("2.5e-3s", 0.0025, "s"),
    ],
)
def test_numbers_have_a_value_and_a_unit(written, value, unit):
    number = read_number(written, 0, [])

    assert number.value == value
    assert type(number.value) is type(value)
    assert number.unit == unit
    assert number.text == written


@pytest.mark.parametrize("written", ["9" * 16, "1e16", "1e999", "0." + "1" * 60, "0" * 5000])
def test_numbers_that_are_too_large_are_a_problem(written):
    problems: list[Problem] = []
    read_number(written, 0, problems)

    assert [problem.code for problem in problems] == ["ATP017"]
