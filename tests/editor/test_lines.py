from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atpdsl.editor.lines import Encoding, Lines, Position

TEXTS = st.text(alphabet=st.sampled_from("ab\r\n\u2028\x0c\u00e9\u20ac\U0001f600\ud800"))


@given(TEXTS, st.sampled_from(Encoding), st.data())
def test_an_offset_and_its_position_are_one(text, encoding, data):
    lines = Lines(text, encoding)
    offset = data.draw(st.integers(0, len(text)))
    in_line_end = text[offset - 1 : offset + 1] == "\r\n"

    assert lines.offset(lines.position(offset)) == offset - in_line_end


@given(TEXTS, st.sampled_from(Encoding), st.integers(-2, 9), st.integers(0, 99))
def test_any_position_is_an_offset_of_the_text(text, encoding, line, character):
    offset = Lines(text, encoding).offset(Position(line, character))

    assert 0 <= offset <= len(text)


def slow_position(text: str, offset: int) -> Position:
    """By counting the code units of the text before, as the protocol defines them."""
    before = text[:offset].replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return Position(len(before) - 1, len(before[-1].encode("utf-16-le", "surrogatepass")) // 2)


@given(TEXTS, st.data())
def test_positions_agree_with_counting_units(text, data):
    offset = data.draw(st.integers(0, len(text)))
    if text[offset - 1 : offset + 1] == "\r\n":
        offset += 1

    assert Lines(text).position(offset) == slow_position(text, offset)


@pytest.mark.parametrize(
    ("encoding", "character"),
    [(Encoding.UTF8, 8), (Encoding.UTF16, 6), (Encoding.UTF32, 5)],
)
def test_an_emoji_is_as_wide_as_the_editor_says(encoding, character):
    text = 'x\r\n"\U0001f600" = 1\r\n'

    assert Lines(text, encoding).position(text.index("=") + 1).line == 1
    assert Lines(text, encoding).position(text.index("=")).character == character - 1


def test_half_an_emoji_is_after_it():
    assert Lines("\U0001f600b").offset(Position(0, 1)) == 1
