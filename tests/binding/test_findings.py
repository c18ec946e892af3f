"""Many pairs, one problem."""

from __future__ import annotations

from atpdsl.binding.findings import Finding, gathered, has_errors
from atpdsl.problems import Label, Problem, Severity, Span


def finding(message: str, at: int = 0, cause: str = "", unit: str = "pair") -> Finding:
    problem = Problem(code="ATP256", message=message, at=Label(Span(at, at + 1)))
    return Finding(problem=problem, cause=cause, unit=unit)


def test_one_cause_is_one_problem_with_a_count() -> None:
    found = gathered(finding(f"bad in pair {number}") for number in range(1, 14))

    assert [problem.message for problem in found] == ["bad in pair 1, and in 12 more pairs"]


def test_a_single_problem_has_no_count_and_two_have_one_more() -> None:
    assert gathered([finding("one")])[0].message == "one"
    assert gathered([finding("one", unit="line")] * 2)[0].message == "one, and in 1 more line"


def test_other_places_and_causes_are_other_problems() -> None:
    found = gathered([finding("a"), finding("b", at=5), finding("c", cause="x"), finding("d")])

    assert [problem.message for problem in found] == ["a, and in 1 more pair", "b", "c"]


def test_warnings_are_no_errors() -> None:
    warning = Problem(code="ATP259", message="hm", severity=Severity.WARNING)

    assert not has_errors([warning])
    assert has_errors([warning, Problem(code="ATP254", message="no")])


def test_several_findings_in_one_pair_do_not_make_other_pairs() -> None:
    first, second, third = (
        Finding(problem=finding(f"bad in pair {number}").problem, number=number)
        for number in (1, 1, 2)
    )

    assert gathered([first, second])[0].message == "bad in pair 1, and 1 more like it"
    assert gathered([first, second, third])[0].message == "bad in pair 1, and in 1 more pair"
