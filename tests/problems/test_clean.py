from __future__ import annotations

import sys
import unicodedata

import pytest

from atpdsl.problems.clean import clean, columns


def test_printable_text_stays_as_it_is():
    assert clean("naïve 日本 `x` 🙂") == "naïve 日本 `x` 🙂"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", "\\u001b[2J"),
        ("a\nb\tc\r", "a\\u000ab\\u0009c\\u000d"),
        ("\x9b31m", "\\u009b31m"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\u{e0041}"),
        ("\xa0", "\\u00a0"),
    ],
)
def test_what_a_terminal_may_obey_or_hide_is_spelled_out(text, shown):
    assert clean(text) == shown


def test_nothing_but_printable_characters_comes_out():
    everything = "".join(map(chr, range(sys.maxunicode + 1)))

    assert clean(everything).isprintable()


def test_wide_and_combining_characters_count_as_terminals_show_them():
    assert columns("abc") == 3
    assert columns("日本") == 4
    assert columns(unicodedata.normalize("NFD", "é")) == 1
