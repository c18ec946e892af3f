"""The token sets of computed metrics, pair by pair."""

from __future__ import annotations

from pathlib import Path

import pytest

from atpdsl.binding.bind import Bound, bind
from atpdsl.problems import Problem, Severity
from tests.binding.build import SHAPE
from tests.semantics.words import complete, resolved

NAMES = """\
prompts {
  template "When {IO} and {S} went to the store, {S as S2} gave a drink to"
  slot IO, S in ["Mary", "John", "Tom"]
  corrupt S2 -> IO
  answer " {IO}" vs " {S}"
  count = 6
}
"""
YEARS = """\
prompts {
  template "The war lasted from the year 17{yy:02} to the year 17"
  slot yy in [20, 97, 98]
  corrupt yy -> "01"
  count = 3
}
"""


def whole(lines: str) -> str:
    return complete(lines if "prompts" in lines else NAMES + lines)


def bound(lines: str, tiny) -> tuple[Bound | None, tuple[Problem, ...]]:
    experiment, problems = resolved(whole(lines))
    assert problems == ()
    assert experiment is not None
    return bind(experiment, SHAPE, tiny, Path())


def texts(lines: str, tiny) -> list[list[list[str]]]:
    """The texts of every set in every pair; nothing may be wrong."""
    found, problems = bound(lines, tiny)
    assert problems == ()
    assert found is not None
    return [[[tiny.decode_token(i) for i in one] for one in p.sets] for p in found.pairs.pairs]


def pointed(lines: str, tiny) -> list[tuple[str, str, str]]:
    """Code, place and message of every problem."""
    text = whole(lines)
    return [
        (p.code, text[p.at.span.start : p.at.span.end] if p.at else "", p.message)
        for p in bound(lines, tiny)[1]
    ]


def test_a_named_metric_reads_no_sets(tiny):
    assert texts("metric logit_diff", tiny) == [[]] * 6


def test_sides_are_the_tokens_of_the_answers(tiny):
    found, _ = bound("metric logit(wrong) + logit(right) - loss(wrong)", tiny)

    assert found is not None
    for pair in found.pairs.pairs:
        assert pair.sets == (pair.foils, pair.answers, pair.foils)
        assert len(pair.answers) == len(pair.foils) == 1
        assert pair.answers != pair.foils


def test_texts_are_filled_in_for_every_pair(tiny):
    found, _ = bound('metric logit(" {IO}") - logit([" {S}", " the"])', tiny)

    assert found is not None
    for pair in found.pairs.pairs:
        names = pair.text.values
        one, two = ([tiny.decode_token(i) for i in tokens] for tokens in pair.sets)
        assert one == [f" {names['IO']}"]
        assert two == [f" {names['S']}", " the"]


def test_formulas_are_computed_in_every_pair(tiny):
    found = texts(f"{YEARS}metric prob(two_digits(yy + 1 .. 99)) - prob(05..07)", tiny)

    assert sorted(len(later) for later, _ in found) == [1, 2, 79]
    assert all(later[-1] == "99" for later, _ in found)
    assert all(fixed == ["05", "06", "07"] for _, fixed in found)


def test_a_token_that_is_given_twice_counts_once_and_is_told_where_it_is(tiny):
    found, problems = bound('metric prob([" the", " a", " the"])', tiny)

    assert found is not None
    assert all(len(pair.sets[0]) == 2 for pair in found.pairs.pairs)
    assert [(p.code, p.severity) for p in problems] == [("ATP265", Severity.WARNING)]
    assert pointed('metric prob([" the", " a", " the"])', tiny)[0][1] == '" the"'


def test_a_text_of_several_tokens_is_refused_with_its_pieces(tiny):
    ((code, place, message),) = pointed('metric prob([" the", " zebu"])', tiny)

    assert (code, place) == ("ATP256", '" zebu"')
    assert message.startswith(
        "the text ` zebu` is 5 tokens: ` `, `z`, `e`, `b`, `u`, in pair 1"
    )


def test_a_set_that_is_empty_in_some_pair_names_the_pair(tiny):
    lines = YEARS.replace("98]", "99]") + "metric prob(two_digits(yy + 1 .. 99))"
    ((code, place, message),) = pointed(lines, tiny)
    years = [p.values["yy"] for p in expanded(lines, tiny)]

    assert (code, place) == ("ATP285", "two_digits(yy + 1 .. 99)")
    assert message == f"the metric has no tokens to read here in pair {years.index(99) + 1}"


def expanded(lines: str, tiny):
    found, _ = bound(lines.replace("yy + 1", "yy"), tiny)
    assert found is not None
    return [pair.text for pair in found.pairs.pairs]


def test_a_formula_without_a_value_is_told_at_the_part_that_has_none(tiny):
    ((code, place, message),) = pointed("metric prob(two_digits([IO, S]))", tiny)

    assert (code, place) == ("ATP286", "[IO, S]")
    assert "is no number, in pair 1, and in " in message


def test_the_tokens_continue_the_text_up_to_the_metrics_position(tiny):
    found = texts('metric prob(" gave") at S2', tiny)

    assert all(one == [[" gave"]] for one in found)


@pytest.mark.parametrize("metric", ["prob(right)", 'logit(" {IO}") / 2'])
def test_sets_do_not_change_the_pairs(tiny, metric):
    plain, _ = bound("metric logit_diff", tiny)
    other, _ = bound(f"metric {metric}", tiny)

    assert plain is not None
    assert other is not None
    assert [p.clean for p in plain.pairs.pairs] == [p.clean for p in other.pairs.pairs]
