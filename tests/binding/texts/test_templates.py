"""Pairs from templates."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atpdsl.binding.pairs import TextPair
from atpdsl.binding.texts.expand import expand
from atpdsl.problems import Severity, Span
from tests.binding.build import (
    NAMES,
    answer,
    corrupt,
    ioi_slots,
    prompts,
    slot,
    templates,
)

SHORT = "{S} saw {IO}. {S as S2} waved"
NO_FOLDER = Path()


def expanded(*written: str, seed: int = 0, **options) -> tuple[TextPair, ...]:
    pairs, problems = expand(prompts(templates(*written, **options)), seed, NO_FOLDER)
    assert problems == ()
    return pairs


def problems_of(*written: str, **options):
    return expand(prompts(templates(*written, **options)), 0, NO_FOLDER)[1]


def marked(pair: TextPair, name: str) -> tuple[str, str]:
    (start, end), (first, after) = pair.marks[name]
    return pair.clean[start:end], pair.corrupted[first:after]


def test_a_label_is_corrupted_alone() -> None:
    (pair,) = expanded(count=1)
    io, s = marked(pair, "IO")[0], marked(pair, "S")[0]

    assert pair.clean.startswith(f"When {io} and {s} went to the ")
    assert marked(pair, "S2") == (s, io)
    assert marked(pair, "S") == (s, s)
    assert pair.corrupted.startswith(f"When {io} and {s} went to the ")


def test_answers_are_filled_in_from_the_clean_draw() -> None:
    (pair,) = expanded(count=1)

    assert pair.answers == (f" {marked(pair, 'IO')[0]}",)
    assert pair.foils == (f" {marked(pair, 'S')[0]}",)


def test_a_slot_name_corrupts_all_its_places() -> None:
    pairs = expanded(SHORT, corruptions=(corrupt("S", redraw=True),), count=5)

    for pair in pairs:
        assert marked(pair, "S")[1] == marked(pair, "S2")[1]
        assert marked(pair, "S")[1] not in (marked(pair, "S")[0], marked(pair, "IO")[0])


def test_a_labels_own_corruption_goes_before_its_slots() -> None:
    rules = (corrupt("S", text="Paul"), corrupt("S2", slot="IO"))
    (pair,) = expanded(SHORT, corruptions=rules, count=1)

    assert marked(pair, "S")[1] == "Paul"
    assert marked(pair, "S2")[1] == marked(pair, "IO")[0]


def test_redrawn_values_differ_from_each_other_and_from_the_prompts() -> None:
    rules = (corrupt("S", redraw=True), corrupt("IO", redraw=True))
    pairs = expanded(SHORT, corruptions=rules, count=50)

    for pair in pairs:
        values = {*marked(pair, "S"), *marked(pair, "IO")}
        assert len(values) == 4


def test_a_fixed_text_may_hold_slots() -> None:
    rules = (corrupt("S2", text="the friend of {IO}"),)
    (pair,) = expanded(SHORT, corruptions=rules, count=1)

    assert marked(pair, "S2")[1] == f"the friend of {marked(pair, 'IO')[0]}"


def test_two_corruptions_can_swap_values() -> None:
    rules = (corrupt("S", slot="IO"), corrupt("IO", slot="S"))
    (pair,) = expanded("{S} saw {IO}", corruptions=rules, count=1)

    assert marked(pair, "S") == marked(pair, "IO")[::-1]


def test_templates_take_turns() -> None:
    pairs = expanded(SHORT, "{IO} and {S} met. {S as S2} waved", count=6)

    assert [pair.origin for pair in pairs] == [Span(100, 101), Span(200, 201)] * 3
    assert [pair.row for pair in pairs] == [0, 0, 1, 1, 2, 2]


def test_a_template_without_more_pairs_leaves_the_turns_to_the_others() -> None:
    fixed = "Ann and Bob met. {S2 as S2}"
    slots = (slot("IO S", NAMES), slot("S2", ("Ann",)))
    pairs = expanded(
        fixed, SHORT, slots=slots, corruptions=(corrupt("S2", text="Bob"),), count=5
    )

    assert [pair.origin.start for pair in pairs] == [100, 200, 200, 200, 200]


def test_all_pairs_of_a_small_sample_are_found_and_differ() -> None:
    total = 6 * 5
    pairs = expanded(SHORT, count=total)

    assert len({(pair.clean, pair.corrupted) for pair in pairs}) == total


def test_a_name_that_stands_twice_is_no_position() -> None:
    (pair,) = expanded("{S} saw {S} and {IO}", corruptions=(corrupt("S", slot="IO"),), count=1)

    assert set(pair.marks) == {"IO"}


@given(seed=st.integers(0, 2**32), count=st.integers(1, 40))
def test_the_same_seed_gives_the_same_pairs(seed: int, count: int) -> None:
    first = expanded(SHORT, "{IO} met {S}. {S as S2} waved", seed=seed, count=count)
    second = expanded(SHORT, "{IO} met {S}. {S as S2} waved", seed=seed, count=count)

    assert first == second
    assert len({(pair.clean, pair.corrupted) for pair in first}) == count


@given(seed=st.integers(0, 2**32))
def test_marks_are_the_places_of_the_values(seed: int) -> None:
    for pair in expanded(seed=seed, count=3):
        io, s, s2 = (marked(pair, name) for name in ("IO", "S", "S2"))

        assert io[0] != s[0]
        assert s2 == (s[0], io[0])
        assert marked(pair, "place")[0] in ("store", "park", "school")


def test_another_seed_gives_other_pairs() -> None:
    assert expanded(seed=1, count=20) != expanded(seed=2, count=20)


def test_too_few_different_pairs_is_a_problem_with_the_product() -> None:
    slots = (slot("IO S", ("Mary", "John", "Tom")),)
    (problem,) = problems_of(SHORT, slots=slots, count=7)

    assert problem.code == "ATP243"
    assert problem.message == "the slot lists give 6 different pairs, and `count` asks for 7"
    assert "3 `IO` x 2 `S` = 6" in problem.help


def test_draws_that_give_the_same_texts_count_once() -> None:
    slots = (slot("A", ("x", "xx"), 1), slot("B", ("x", "xx"), 2))
    options = {
        "slots": slots,
        "corruptions": (corrupt("A", text="y"), corrupt("B", text="y")),
        "answers": answer("a", "b"),
    }
    (problem,) = problems_of("{A}{B} end", count=4, **options)

    assert len(expanded("{A}{B} end", count=3, **options)) == 3
    assert problem.message == "the slot lists give 3 different pairs, and `count` asks for 4"


@pytest.mark.parametrize(
    ("names", "corruption", "needed"),
    [
        (("Mary",), corrupt("S2", slot="IO"), 2),
        (("Mary", "John"), corrupt("S2", redraw=True), 3),
    ],
)
def test_a_list_too_short_to_draw_from_is_a_problem(names, corruption, needed) -> None:
    (problem,) = problems_of(corruptions=(corruption,), slots=ioi_slots(names))

    assert problem.code == "ATP242"
    assert f"{needed} different ones are drawn" in problem.message


def test_a_target_that_a_template_lacks_is_a_problem_at_that_template() -> None:
    (problem,) = problems_of(SHORT, "{IO} met {S}")

    assert problem.code == "ATP244"
    assert problem.at is not None
    assert problem.at.span == Span(200, 201)


def test_unknown_names_are_problems_with_a_suggestion() -> None:
    found = problems_of("{S} saw {IO}. {S as S2} {plac}", answers=answer(" {I0}", " {Q}"))

    assert [problem.code for problem in found] == ["ATP241"] * 3
    assert "did you mean `place`?" in found[0].help


def test_a_repeated_word_is_a_warning_and_is_drawn_once() -> None:
    slots = (slot("IO S", ("Mary", "John", "Mary")),)
    pairs, (problem,) = expand(prompts(templates(SHORT, slots=slots, count=2)), 0, NO_FOLDER)

    assert (problem.code, problem.severity) == ("ATP245", Severity.WARNING)
    assert {pair.clean for pair in pairs} == {
        "Mary saw John. Mary waved",
        "John saw Mary. John waved",
    }


def test_parts_share_one_stream_of_random_numbers() -> None:
    both = prompts(templates(SHORT, count=3), templates(SHORT, count=3))
    pairs, _ = expand(both, 0, NO_FOLDER)

    assert pairs[:3] == expanded(SHORT, count=3)
    assert pairs[3:] != pairs[:3]


def test_the_draw_leaves_the_global_generator_alone() -> None:
    before = random.getstate()
    expanded(count=5)

    assert random.getstate() == before
