"""Which patterns are compiled."""

from __future__ import annotations

import re

import pytest

from atpdsl.binding.tokens.patterns import Refused, compile_pattern


@pytest.mark.parametrize(
    "pattern",
    [
        r"from the year \d\d(\d\d)",
        r"^(.*?) is in",
        r"(\w+) gave",
        r"(?:a|b) went",
        r"(?P<who>\w+)(?= gave)",
        r"(?i)mary",
        r"[(+]+ (x)",
        r"\(a+\)+",
        r"(a+)?b",
        r"a{2,3}(b)",
        r"(ab)+",
        r"(?#a comment with a ) in it",
        r"[[a]",
    ],
)
def test_usual_patterns_are_compiled(pattern: str) -> None:
    assert isinstance(compile_pattern(pattern), re.Pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a+)+b",
        r"(a*)*b",
        r"(?:a?a)+b",
        r"(a|a)*b",
        r"((a+))+b",
        r"(\w+\s?)*$",
        r"(a{1,9}){1,9}b",
        r"(?P<x>a+)+",
        r"(x(a+)y)+?b",
        r"(?=(a+)+b)a",
    ],
)
def test_repeats_within_repeats_are_refused(pattern: str) -> None:
    refused = compile_pattern(pattern)

    assert isinstance(refused, Refused)
    assert "repeats a group" in refused.reason


@pytest.mark.parametrize("pattern", ["(", "[a", "*", r"\g", "a{99999999999}", "(?<x)"])
def test_wrong_patterns_are_refused(pattern: str) -> None:
    assert isinstance(compile_pattern(pattern), Refused)


def test_long_patterns_and_many_repeats_are_refused() -> None:
    assert isinstance(compile_pattern("a" * 201), Refused)
    assert isinstance(compile_pattern(r".*a.*b.*c.*d.*e"), Refused)


def test_the_slowest_accepted_pattern_comes_to_an_end_on_a_prompt() -> None:
    pattern = compile_pattern(r"\w*\w*\w*\w*!")

    assert isinstance(pattern, re.Pattern)
    assert pattern.search("a" * 60) is None
