from __future__ import annotations

import pytest

from atpdsl.problems import Label, Problem, Severity, Source, Span
from atpdsl.syntax.limits import (
    DEEPEST,
    LARGEST,
    MOST_PROBLEMS,
    first_ones,
    shortened,
    too_many,
)
from atpdsl.syntax.parse import parse


def codes(text: str) -> list[str]:
    return [problem.code for problem in parse(Source("a.atp", text))[1]]


def test_as_many_levels_as_allowed_are_read():
    brackets = DEEPEST - 1

    assert codes("run { seed = " + "(" * brackets + "0" + ")" * brackets + " }") == []


@pytest.mark.parametrize(
    "text",
    [
        "let x = " + "(" * 65 + "1" + ")" * 65,
        "let x = " + "[" * 100_000,
        "run " + "{ a " * 100_000,
        "let x = " + "f(" * 65 + ")" * 65,
        "let x = " + "1 + " * 1_000 + "1",
        "let x = a" + ".b" * 1_000,
        "let x = " + "-" * 1_000 + "1",
        "let x = " + "not " * 1_000 + "a",
        "let x = " + "1 + " * 1_000 + "1\nmodle",
    ],
    ids=["round", "square", "braces", "calls", "sum", "dots", "minus", "not", "and a mistake"],
)
def test_more_levels_are_a_problem(text):
    assert "ATP010" in codes(text)


def test_a_text_of_the_largest_size_is_read_and_a_larger_one_is_not():
    assert codes(" " * LARGEST) == []
    assert codes(" " * (LARGEST + 1)) == ["ATP011"]


def test_only_so_many_problems_are_told():
    told = codes("a\n" * 1_000)

    assert told == ["ATP008"] * MOST_PROBLEMS + ["ATP015"]


def test_many_hidden_characters_are_cut_off_too():
    assert len(codes("\0" * 10_000)) == MOST_PROBLEMS + 1


def test_a_long_doc_comment_is_read_in_reasonable_time():
    assert codes("## x\n" * 100_000 + "atp 1") == []


def test_problems_of_several_stages_are_cut_off_together():
    found = [Problem(code="ATP001", message=f"number {number}") for number in range(120)]
    told = shortened([too_many(7), *found, too_many(3)])

    assert told == (*found[:MOST_PROBLEMS], too_many(30))


def test_problems_that_are_few_are_all_told():
    found = tuple(
        Problem(code="ATP001", message=f"number {number}") for number in range(MOST_PROBLEMS)
    )

    assert shortened(found) == found
    assert shortened((*found, too_many(2))) == (*found, too_many(2))


def test_warnings_that_are_not_shown_stop_no_run():
    warnings = [
        Problem(code="ATP151", message=f"{n}", severity=Severity.WARNING) for n in range(120)
    ]
    error = Problem(code="ATP141", message="wrong", at=Label(Span(9, 9)))

    for cut in (first_ones, shortened):
        assert {problem.severity for problem in cut(warnings)} == {Severity.WARNING}
        assert cut((*warnings, error))[-1].severity is Severity.ERROR
    assert shortened(first_ones(warnings))[-1].severity is Severity.WARNING
    assert shortened(first_ones((*warnings, error)))[-1].severity is Severity.ERROR
