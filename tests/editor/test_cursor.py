from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atpdsl.editor.cursor import cursor_at
from tests.editor.marked import SPEC, marked


def cursor(text: str):
    return cursor_at(*marked(text))


def test_a_place_at_the_top_has_no_owner():
    found = cursor("atp 1\nmo|")

    assert (found.prefix, found.before, found.owners) == ("mo", (), ())
    assert found.siblings == (("atp", "1"),)


def test_a_place_in_a_body_knows_whose_body_it_is_and_what_else_is_in_it():
    found = cursor("verify {\n  top = 20\n  ra|\n}\nrun { }")

    assert found.owners == (("verify",),)
    assert found.siblings == (("top", "=", "20"),)


def test_a_body_that_was_never_closed_ends_at_the_next_statement():
    found = cursor("verify {\n  top = 20\n  |\nmetric logit_diff\n")

    assert found.owners == (("verify",),)
    assert found.siblings == (("top", "=", "20"),)


def test_a_body_that_was_never_closed_reaches_to_the_end_of_the_text():
    assert cursor("verify { top = |").owner == "verify"


def test_a_statement_goes_on_after_a_comma():
    assert cursor('export "a",\n  |').before == ("export", '"a"', ",")


def test_a_bracket_that_was_never_closed_does_not_swallow_the_rest():
    found = cursor("nodes { heads.z[L1\n  |\n mlp at last }")

    assert found.before == ()


def test_a_place_behind_a_body_is_outside():
    assert cursor("verify { top = 20 }\n|").owners == ()


def test_bodies_stand_in_bodies():
    found = cursor('prompts { pair "a" -> "b" { ans| } }')

    assert [owner[0] for owner in found.owners] == ["prompts", "pair"]


@pytest.mark.parametrize(
    "text", ['model "ti|', 'model "ti|"', 'model "|"', 'x = """a\n|b"""', 'match(r"|")']
)
def test_a_place_in_a_string_is_in_it(text):
    assert cursor(text).string is not None


@pytest.mark.parametrize("text", ['model |"tiny"', 'model "tiny"|', "# model |", "|"])
def test_other_places_are_in_none(text):
    assert cursor(text).string is None


def test_a_comment_is_one_to_the_end_of_its_line():
    assert cursor("run { } # what |").comment
    assert not cursor("run { } # what\n|").comment


def test_the_star_belongs_to_the_name():
    found = cursor("method atp*|")

    assert found.text[found.word.start : found.word.end] == "atp*"


@given(st.text(alphabet='ab \n\r;{}[]()"#,=.r'), st.integers(-3, 99))
def test_any_place_of_any_text_has_a_cursor(text, offset):
    found = cursor_at(text, offset)

    assert 0 <= found.word.start <= found.offset <= found.word.end <= len(text)


@given(st.integers(0, len(SPEC)))
def test_what_stands_before_a_place_is_in_the_text_before_it(offset):
    found = cursor_at(SPEC, offset)

    assert all(token in SPEC[:offset] for token in found.before)
