"""From characters to token positions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from atpdsl.binding.tokens.positions import Finder, locate, make_finder, token_at
from atpdsl.models.tokenizer import ModelTokenizer, Offsets
from tests.binding.build import matching, relative

TEXT = "When Mary and John went"
#          0    1    2     3     4, with the space in the token as byte-level tokenizers have it
WITH_SPACES: Offsets = ((0, 4), (4, 9), (9, 13), (13, 18), (18, 23))
TRIMMED: Offsets = ((0, 4), (5, 9), (10, 13), (14, 18), (19, 23))
WITH_BOS: Offsets = ((0, 0), *WITH_SPACES)


def found(*rules, ranges=None, text: str = TEXT, offsets: Offsets = WITH_SPACES):
    finder, problems = make_finder(rules)
    assert problems == ()
    return locate(text, offsets, ranges or {}, finder)


def test_a_word_is_at_its_token_whether_or_not_the_space_belongs_to_it() -> None:
    places = [token_at(TEXT, offsets, 5, 9) for offsets in (WITH_SPACES, TRIMMED, WITH_BOS)]

    assert places == [1, 1, 2]


def test_spaces_at_the_edges_of_a_range_do_not_count() -> None:
    assert token_at(TEXT, WITH_SPACES, 4, 10) == 1


def test_a_phrase_is_at_its_last_token() -> None:
    assert token_at(TEXT, WITH_SPACES, 5, 18) == 3


def test_an_empty_or_blank_range_is_nowhere() -> None:
    assert token_at(TEXT, WITH_SPACES, 5, 5) is None
    assert token_at(TEXT, WITH_SPACES, 4, 5) is None


def test_part_of_a_token_is_at_that_token() -> None:
    assert token_at(TEXT, WITH_SPACES, 6, 7) == 1


def test_a_letter_of_several_tokens_is_at_its_last(tiny: ModelTokenizer) -> None:
    text = "Mary and Zoë"
    _, offsets = tiny.encode(text)

    assert token_at(text, offsets, 9, 12) == len(offsets) - 1


def test_a_pattern_is_at_its_group_or_else_at_the_whole_match() -> None:
    located = found(matching("name", r"and (\w+)"), matching("both", r"Mary and"))

    assert located.found == {"name": 3, "both": 2, "last": 4}


def test_of_several_groups_the_one_with_the_positions_name_is_meant() -> None:
    pattern = r"(?P<one>\w+) and (?P<other>\w+)"
    located = found(matching("one", pattern), matching("other", pattern))

    assert located.found == {"one": 1, "other": 3, "last": 4}


def test_several_groups_without_the_positions_name_are_a_problem() -> None:
    _, (problem,) = make_finder((matching("one", r"(\w+) and (\w+)"),))

    assert problem.code == "ATP263"
    assert problem.message == "the pattern of `one` cannot be used: it has 2 groups"
    assert "`(?P<one>...)`" in problem.help


def test_relative_positions_may_follow_each_other_in_any_order() -> None:
    located = found(
        relative("after", "second", 1), relative("second", "M", 1), matching("M", "Mary")
    )

    assert located.found == {"M": 1, "second": 2, "after": 3, "last": 4}


def test_last_can_be_counted_from() -> None:
    assert found(relative("before", "last", -1)).found["before"] == 3


def test_what_is_not_found_has_a_reason() -> None:
    located = found(
        matching("none", "Tom"),
        matching("unset", "(Tom)?Mary"),
        relative("on", "none", 1),
        relative("out", "last", 1),
        relative("loop", "pool", 1),
        relative("pool", "loop", 1),
        ranges={"empty": (5, 5)},
    )

    assert located.found == {"last": 4}
    assert located.missing == {
        "empty": "it is empty there",
        "none": "the pattern matches nothing",
        "unset": "the pattern matches nothing",
        "on": "`none` is missing",
        "out": "`last + 1` is outside the prompt",
        "loop": "`pool` is missing",
        "pool": "`loop` is missing",
    }


def test_a_refused_pattern_is_a_problem_and_taints_what_hangs_on_it() -> None:
    finder, (problem,) = make_finder(
        (matching("bad", "(a+)+"), relative("next", "bad", 1), relative("fine", "last", -1))
    )

    assert problem.code == "ATP263"
    assert finder.refused == {"bad", "next"}


WORDS = st.sampled_from(["Mary", "John", "Tom", "store", "to", "the", "gave", "Zoë", "xyzzy"])


@given(words=st.lists(WORDS, min_size=1, max_size=8), data=st.data())
def test_a_words_position_is_the_last_token_of_the_text_up_to_its_end(
    words: list[str], data: st.DataObject, tiny: ModelTokenizer, metaspace: ModelTokenizer
) -> None:
    chosen = data.draw(st.integers(0, len(words) - 1))
    text = " ".join(words)
    end = len(" ".join(words[: chosen + 1]))
    start = end - len(words[chosen])
    for tokenizer in (tiny, metaspace):
        offsets = tokenizer.encode(text)[1]
        before = tokenizer.encode(text[:end])[0]

        assert token_at(text, offsets, start, end) == len(before) - 1


def test_the_finder_of_no_rules_finds_the_last_token() -> None:
    located = locate(TEXT, WITH_BOS, {}, Finder(patterns={}, relatives={}))

    assert located.found == {"last": 5}
