"""How two tokenisations are shown."""

from __future__ import annotations

from hypothesis import given
from hypothesis.strategies import lists, sampled_from

from atpdsl.binding.tokens.side_by_side import shared_ends, side_by_side
from atpdsl.problems.clean import columns


def shown(
    clean: tuple[str, ...], corrupted: tuple[str, ...]
) -> tuple[str, list[str], list[str]]:
    labels = side_by_side("pair 1 in tokens", clean, corrupted)
    source = labels[0].source
    assert source is not None
    marked = [source.text[label.span.start : label.span.end] for label in labels]
    return source.text, marked, [label.text for label in labels]


def test_what_both_share_stands_in_columns_and_what_differs_is_marked() -> None:
    text, marked, said = shown(("A", " Max", "imil", " went"), ("A", " Jo", " went"))

    assert text == "clean     |A| Max|imil| went|\ncorrupted |A| Jo      | went|"
    assert marked == [" Max|imil", " Jo"]
    assert said == ["4 tokens", "3 tokens"]


def test_a_prompt_that_only_has_more_is_marked_there() -> None:
    text, marked, _ = shown(("A", " b", " d"), ("A", " b", " c", " d"))

    assert text == "clean     |A| b|  | d|\ncorrupted |A| b| c| d|"
    assert marked == [" ", " c"]


def test_a_token_that_both_repeat_is_shared_once() -> None:
    text, marked, _ = shown(("a", "a"), ("a", "a", "a"))

    assert text == "clean     |a|a| |\ncorrupted |a|a|a|"
    assert marked == [" ", "a"]


def test_only_the_surroundings_of_the_difference_are_shown() -> None:
    many = tuple(str(number) for number in range(100))
    text, marked, said = shown(many, (*many[:50], "x", *many[50:]))

    assert text.splitlines() == [
        "clean     ... 44|45|46|47|48|49| |50|51|52|53|54|55| ...",
        "corrupted ... 44|45|46|47|48|49|x|50|51|52|53|54|55| ...",
    ]
    assert marked == [" ", "x"]
    assert said == ["100 tokens", "101 tokens"]


def test_of_a_long_difference_the_beginning_is_shown() -> None:
    text, marked, _ = shown(("a", *map(str, range(100))), ("a", "b"))

    assert text.splitlines()[0] == "clean     |a|0|1|2|3|4|5|6|7|8|9|...|"
    assert marked[1] == "b"


def test_wide_characters_keep_the_columns() -> None:
    text, _, _ = shown(("\u6771", "\u4eac", "z"), ("a", "z"))

    upper, lower = map(columns, text.splitlines())
    assert upper == lower


def test_a_line_end_in_a_token_does_not_break_the_line() -> None:
    text, _, _ = shown(("a\n", "b"), ("a\n",))

    assert len(text.splitlines()) == 2


@given(lists(sampled_from("ab"), max_size=6), lists(sampled_from("ab"), max_size=6))
def test_shared_ends_are_the_longest_that_do_not_overlap(one, other) -> None:
    before, after = shared_ends(one, other)

    assert one[:before] == other[:before]
    assert one[len(one) - after :] == other[len(other) - after :]
    rest = one[before : len(one) - after], other[before : len(other) - after]
    assert not all(rest) or (rest[0][0] != rest[1][0] and rest[0][-1] != rest[1][-1])
