"""Values of their own in every pair: formats, `let`, `where`, `keep`, and formulas."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atpdsl.binding.pairs import TextPair
from atpdsl.binding.texts import templates
from atpdsl.binding.texts.expand import expand
from atpdsl.problems import Problem
from tests.semantics.formula import FourLetters
from tests.semantics.words import complete, experiment_of, resolved

TEMPLATE = 'template "The war of {cc}{yy:02 as YY} and {cc as CC2}"'
SLOTS = "slot cc in 11..13\n slot yy in 2..7"
ANSWER = 'answer "x" vs "y"'


def read(
    *lines: str,
    template: str = TEMPLATE,
    slots: str = SLOTS,
    answer: str = ANSWER,
    seed: int = 0,
) -> tuple[tuple[TextPair, ...], tuple[Problem, ...]]:
    body = "\n".join((template, slots, answer, *lines))
    experiment, _ = resolved(complete(f"prompts {{\n{body}\n}}"))
    assert experiment is not None
    return expand(experiment.prompts, seed, Path(), FourLetters())


def drawn(*lines: str, **options) -> tuple[TextPair, ...]:
    pairs, problems = read(*lines, **options)
    assert problems == ()
    return pairs


def problems_of(*lines: str, **options) -> list[tuple[str, str]]:
    """Codes and messages; nothing of the spec itself is wrong."""
    return [(problem.code, problem.message) for problem in read(*lines, **options)[1]]


def test_a_format_writes_the_value_in_both_prompts() -> None:
    pairs = drawn("corrupt YY -> yy - 1", "count = 18")

    assert {pair.clean[11:15] for pair in pairs} == {
        f"{cc}0{yy}" for cc in (11, 12, 13) for yy in range(2, 8)
    }
    for pair in pairs:
        year = int(pair.clean[13:15])
        assert pair.corrupted == pair.clean.replace(pair.clean[13:15], f"{year - 1:02}", 1)


@pytest.mark.parametrize(
    ("corruption", "text"),
    [
        ("1", "01"),
        ("cc", "11"),
        ('"1"', "1"),
        ('"<{yy}>"', "<7>"),
        ('"{yy:03}"', "007"),
        ('"{YY}!"', "07!"),
        ("next", "08"),
        ("next + 1", "09"),
        ("two_digits(next)", "08"),
    ],
)
def test_what_comes_in_a_place_has_its_format_unless_it_is_in_quotes(corruption, text) -> None:
    (pair,) = drawn(
        f"corrupt YY -> {corruption}",
        "let next = yy + 1",
        'keep = yy == 7 and "{next}" == "8"',
        "count = 1",
        slots="slot cc in [11]; slot yy in 2..7",
    )

    assert pair.clean == "The war of 1107 and 11"
    assert pair.corrupted == f"The war of 11{text} and 11"


def test_another_word_of_the_list_has_the_format_too() -> None:
    for pair in drawn("corrupt YY -> other", "count = 18"):
        assert pair.corrupted[13:15] != pair.clean[13:15]
        assert pair.corrupted[13] == "0"


def test_words_may_be_written_in_other_letters() -> None:
    (pair,) = drawn(
        "corrupt a -> b",
        "count = 1",
        template='template "{a:title} and {c:upper} and {c:lower as d}, {d}"'.replace(
            ", {d}", ""
        ),
        slots='slot a in ["mary ann"]; slot b in ["tom"]; slot c in ["Bob"]',
    )

    assert pair.clean == "Mary Ann and BOB and bob"
    assert pair.corrupted == "Tom and BOB and bob"
    assert pair.values["d"] == "bob"


def test_roles_can_be_swapped_in_one_line() -> None:
    pairs = drawn(
        "corrupt A, B -> B, A",
        "count = 6",
        template='template "{A} saw {B} and {A as A2}"',
        slots='slot A, B in ["x", "y", "z"]',
    )

    for pair in pairs:
        a, b = pair.values["A"], pair.values["B"]
        assert pair.clean == f"{a} saw {b} and {a}"
        assert pair.corrupted == f"{b} saw {a} and {b}"


def test_one_value_may_come_in_several_places() -> None:
    (pair,) = drawn(
        "corrupt A, B -> C",
        "count = 1",
        template='template "{A} saw {B}"',
        slots='slot A, B in ["x", "y"]; slot C in ["z"]',
    )

    assert pair.corrupted == "z saw z"


def test_every_pair_has_the_values_of_its_names() -> None:
    pairs = drawn(
        "corrupt YY -> 1", "let next = yy + 1", 'let both = "{next}{CC2}"', "count = 18"
    )

    for pair in pairs:
        cc, yy = pair.clean[11:13], int(pair.clean[13:15])
        assert dict(pair.values) == {
            "cc": int(cc),
            "yy": yy,
            "YY": yy,
            "CC2": int(cc),
            "next": yy + 1,
            "both": f"{yy + 1}{cc}",
        }
        assert str(pair.values["YY"]) == f"0{yy}"
        assert str(pair.values["yy"]) == f"{yy}"


def test_a_computed_value_may_stand_in_a_template_and_name_a_place() -> None:
    (pair,) = drawn(
        "let next = yy + 1",
        "corrupt N -> yy",
        "count = 1",
        template='template "{yy} {next:02 as N} {next}"',
        slots="slot yy in [4]",
    )

    assert (pair.clean, pair.corrupted) == ("4 05 5", "4 04 5")
    assert set(pair.marks) == {"yy", "N", "next"}


def test_answers_may_be_computed() -> None:
    pairs = drawn(
        "corrupt YY -> 1",
        "count = 18",
        answer='answer two_digits(yy + 1 .. 8) vs ["00", two_digits(2 .. yy), "{yy}!"]',
    )

    for pair in pairs:
        year = int(pair.clean[13:15])
        assert pair.answers == tuple(f"0{n}" for n in range(year + 1, 9))
        assert pair.foils == ("00", *(f"0{n}" for n in range(2, year + 1)), f"{year}!")


def test_a_condition_of_a_slot_leaves_the_words_that_fulfil_it() -> None:
    pairs = drawn(
        "corrupt A -> B",
        "count = 6",
        template='template "{A} saw {B}"',
        slots='slot A, B in ["Ann", "Maria", "Tom", "Joe"] where single_token("{A}", B)',
    )

    assert {pair.values["A"] for pair in pairs} == {"Ann", "Tom", "Joe"}


def test_a_condition_that_no_word_fulfils_is_a_problem() -> None:
    ((code, message),) = problems_of(
        "corrupt YY -> 1", slots="slot cc in 11..13 where cc > 20; slot yy in 2..7"
    )

    assert code == "ATP268"
    assert message == (
        "no word fulfils the condition of `cc`: none of the 3 words of the list does"
    )


def test_a_condition_that_compares_names_of_its_own_line_says_that_they_are_one_word() -> None:
    slots = 'slot A, B in ["x", "y"] where A != B'
    (problem,) = read("corrupt A -> B", template='template "{A} {B}"', slots=slots)[1]

    assert problem.code == "ATP268"
    assert problem.help == (
        "`A` and `B` both stand for the same word here; drawn they always differ"
    )


def test_a_condition_without_a_value_names_the_word() -> None:
    ((code, message),) = problems_of(
        "corrupt YY -> 1", slots='slot cc in ["a", "12"] where int(cc) > 3; slot yy in 2..7'
    )

    assert (code, message) == (
        "ATP267",
        "the text `a` is no whole number, for the word `a`",
    )


# As formulas, and as Python over the century and the year.
CONDITIONS: dict[str, Callable[[int, int], bool]] = {
    "yy + 9 > cc": lambda cc, yy: yy + 9 > cc,
    "yy in [2, 4, 6] or cc == 12": lambda cc, yy: yy in (2, 4, 6) or cc == 12,
    "not cc == 11 and yy < next - 0.5": lambda cc, yy: cc != 11,
    '"{YY}" in ["02", "{cc}"]': lambda cc, yy: yy == 2,
    'single_token("{cc}{yy:03}") or yy in 3..5': lambda cc, yy: 3 <= yy <= 5,
    "next == yy": lambda cc, yy: False,
}


@settings(deadline=None)
@given(
    condition=st.sampled_from(sorted(CONDITIONS)), seed=st.integers(0, 9), both=st.booleans()
)
def test_pairs_that_are_kept_are_those_of_all_pairs_that_fulfil_the_condition(
    condition: str, seed: int, both: bool
) -> None:
    template = TEMPLATE + ('\ntemplate "{cc as CC2} {yy:02 as YY}"' if both else "")
    lines = ("corrupt YY -> 1", "let next = yy + 1")
    total = 36 if both else 18
    every, _ = read(*lines, f"count = {total}", template=template, seed=seed)
    wanted = {
        pair.clean
        for pair in every
        if CONDITIONS[condition](pair.values["cc"], pair.values["yy"])
    }
    count = max(len(wanted), 1)
    kept, problems = read(
        *lines, f"count = {count}", f"keep = {condition}", template=template, seed=seed
    )

    assert len(every) == total
    assert {pair.clean for pair in kept} == wanted
    assert len(kept) == len(wanted)
    assert [problem.code for problem in problems] == ([] if wanted else ["ATP243"])


def test_pairs_that_are_kept_come_in_the_order_in_which_they_were_drawn() -> None:
    every = drawn("corrupt YY -> 1", "count = 18", seed=3)
    kept = drawn("corrupt YY -> 1", "keep = yy > 4", "count = 9", seed=3)

    assert [pair.clean for pair in kept] == [
        pair.clean for pair in every if int(pair.clean[13:15]) > 4
    ]
    assert [pair.row for pair in kept] == list(range(9))


def test_too_few_pairs_that_are_kept_is_a_problem_with_the_number_dropped() -> None:
    ((code, message),) = problems_of("corrupt YY -> 1", "keep = yy > 6", "count = 4")

    assert code == "ATP243"
    assert message == (
        "the slot lists give 3 different pairs, and `count` asks for 4:"
        " `keep` dropped 15 of 18 draws"
    )


def test_drawing_ends_where_nothing_is_kept_of_a_huge_sample(monkeypatch) -> None:
    monkeypatch.setattr(templates, "DROPS_AT_MOST", 50)
    slots = "slot cc in 1..99999; slot yy in 1..99999"
    (problem,) = read("corrupt YY -> 0", "keep = cc > 99999", slots=slots)[1]

    assert problem.message == (
        "the slot lists give 0 different pairs, and `count` asks for 32:"
        " `keep` dropped 51 of 51 draws that were tried"
    )
    assert problem.help.endswith("ask for less in `keep`, or add words to the lists")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ("corrupt YY -> 1", "keep = yy"),
            "the number 7 is neither true nor false, in pair 1,"
            " where `cc` is `11`, `yy` is `7`",
        ),
        (
            ("corrupt YY -> [yy] + [1]",),
            "a list cannot stand in one place, in pair 1, where `cc` is `11`, `yy` is `7`",
        ),
        (
            ("corrupt YY -> yy / 2",),
            "`3.5` cannot be written with `:02`, which is for whole numbers, in pair 1,"
            " where `cc` is `11`, `yy` is `7`",
        ),
        (
            ("corrupt YY -> 1", "let far = yy / (yy - 7)", "keep = far > 0"),
            "this divides by zero, in pair 1, where `cc` is `11`, `yy` is `7`",
        ),
    ],
)
def test_a_formula_without_a_value_is_a_problem_that_names_the_pair(lines, message) -> None:
    found = problems_of(*lines, "count = 1", slots="slot cc in [11]; slot yy in [7]")

    assert found == [("ATP267", message)]


def test_an_empty_side_is_a_problem_at_its_formula() -> None:
    answer = "answer two_digits(yy + 1 .. 7) vs two_digits(0 .. yy)"
    pairs, (problem,) = read("corrupt YY -> 1", "count = 18", answer=answer)

    assert problem.code == "ATP267"
    assert problem.message.startswith("this gives no answer, in pair ")
    assert problem.message.endswith(", and in 2 more pairs")
    assert len(pairs) == 15


def test_a_value_that_only_dropped_pairs_lack_is_no_problem() -> None:
    pairs = drawn(
        "corrupt YY -> 1",
        "let share = 1 / (yy - 2)",
        "keep = yy > 2",
        "count = 15",
        answer='answer "{share}" vs "y"',
    )

    assert all(pair.values["yy"] != 2 for pair in pairs)


def test_a_pairs_own_answer_may_be_computed_from_nothing() -> None:
    given = experiment_of(
        'prompts { pair "a" -> "b" { answer two_digits(2..3) vs "x" } }'
    ).prompts
    (pair,), problems = expand(given, 0, Path())

    assert problems == ()
    assert (pair.answers, pair.foils) == (("02", "03"), ("x",))


def test_a_pairs_own_answer_may_not_be_empty() -> None:
    given = experiment_of(
        'prompts { pair "a" -> "b" { answer two_digits(3..2) vs "x" } }'
    ).prompts
    pairs, (problem,) = expand(given, 0, Path())

    assert (pairs, problem.code) == ((), "ATP267")


def test_places_that_only_some_templates_have_cannot_be_counted_on() -> None:
    lines = (
        "prompts {\n"
        'template "{A} {B as B2}"\ntemplate "{A} {B}"\nslot A, B in ["x", "y"]\n'
        'corrupt B -> A\nanswer " {B2}" vs " {A}"\n}'
    )
    text = complete(lines)
    _, (problem,) = resolved(text)

    assert problem.code == "ATP241"
    assert problem.message == "a template has no place `B2`, whose word is used here"
    assert problem.at is not None
    assert text[problem.at.span.start : problem.at.span.end] == "{B2}"


def test_a_column_of_numbers_counts_and_keeps_its_form() -> None:
    rows = '["Punic", 02, "5"], ["Great", 14, "6"], ["Cold", 47, "7"]'
    pairs = drawn(
        "let next = year + 1",
        "keep = year < 20",
        "corrupt year -> next",
        "count = 2",
        template='template "The {name} war {year} {code}"',
        slots=f'slot name, year, code in table({rows}) where year != 14 or code == "6"',
    )

    assert {(pair.clean, pair.corrupted) for pair in pairs} == {
        ("The Punic war 02 5", "The Punic war 3 5"),
        ("The Great war 14 6", "The Great war 15 6"),
    }
