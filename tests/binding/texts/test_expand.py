"""Pairs as they stand in the spec, and the order of parts."""

from __future__ import annotations

from pathlib import Path

from atpdsl.binding.texts.expand import expand
from atpdsl.problems import Span
from atpdsl.semantics.experiment import Align
from tests.binding.build import answer, from_file, inline, prompts, templates

NO_FOLDER = Path()


def test_a_pair_is_taken_as_it_stands() -> None:
    part = inline("Mary {{x}}", "John {{x}}", answer(" a", " b"), Align.END)
    (pair,), problems = expand(prompts(part), 0, NO_FOLDER)

    assert problems == ()
    assert (pair.clean, pair.corrupted) == ("Mary {x}", "John {x}")
    assert (pair.answers, pair.foils) == ((" a",), (" b",))
    assert (pair.align, pair.marks, pair.origin) == ("end", {}, Span(10, 20))
    assert pair.answer_at == Span(900, 901)


def test_a_pair_without_answer_has_none() -> None:
    (pair,), _ = expand(prompts(inline("a", "b")), 0, NO_FOLDER)

    assert (pair.answers, pair.foils, pair.answer_at) == ((), (), None)


def test_a_pair_has_no_slots() -> None:
    _, problems = expand(prompts(inline("{S} went", "{row.x} went")), 0, NO_FOLDER)

    assert [problem.code for problem in problems] == ["ATP241", "ATP241"]


def test_a_broken_template_is_a_problem() -> None:
    _, problems = expand(prompts(inline("{S went", "x")), 0, NO_FOLDER)

    assert [problem.code for problem in problems] == ["ATP241"]


def test_parts_keep_the_order_of_the_spec() -> None:
    given = prompts(inline("first", "x"), templates(count=2), inline("last", "x"))
    pairs, _ = expand(given, 0, NO_FOLDER)

    assert [pair.clean for pair in pairs][::3] == ["first", "last"]


def test_problems_of_all_parts_are_reported_together(tmp_path: Path) -> None:
    given = prompts(inline("{S} went", "x"), from_file("none.csv"), templates("{S} saw {IO}"))
    _, problems = expand(given, 0, tmp_path)

    assert [problem.code for problem in problems] == ["ATP241", "ATP246", "ATP244"]


def test_no_parts_are_a_problem() -> None:
    _, problems = expand(prompts(), 0, NO_FOLDER)

    assert [problem.code for problem in problems] == ["ATP251"]
