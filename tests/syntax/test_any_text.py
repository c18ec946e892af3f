"""Whatever the text is, problems come of it, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atpdsl.problems import Source
from atpdsl.problems.codes import CODES
from atpdsl.problems.render import as_json, plain
from atpdsl.syntax.parse import parse
from atpdsl.syntax.tree import SpecFile

FOLDER = Path(__file__).parent
SPECS = [
    path.read_text(encoding="utf-8")
    for path in (FOLDER / "whole_language.atp", *(FOLDER.parents[1] / "specs").glob("*.atp"))
]
PIECES = (
    *"{}[]()\"'=:;,*+-/<>#.\\ \n\r\t%`\0\ufeff\u202e\ud800\u2019日",
    *('"""', 'r"', "\r\n", "##", "->", "..", "==", ">=", "\\u{", "{{", "{S}", "{row.x}"),
    *("atp", "atp*", "model", "prompts", "nodes", "method", "verify", "export", "run", "let"),
    *("pair", "template", "slot", "corrupt", "answer", "pos", "at", "in", "vs", "where", "not"),
    *("heads.q", "L9H6", "9.6", "5%", "1e999", "last", "every", '"x"', "row.x", "x"),
)
SETTINGS = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)


@st.composite
def mutated_specs(draw: st.DrawFn) -> str:
    """A spec with a few pieces cut out, doubled or put in."""
    text = draw(st.sampled_from(SPECS))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.sampled_from((0, 0, 1, 2, 10, 60))))
        piece = draw(st.sampled_from((*PIECES, "", text[start:end] * 2)))
        text = text[:start] + piece + text[end:]
    return text


TEXTS = st.one_of(
    st.text(max_size=200),
    st.binary(max_size=200).map(lambda raw: raw.decode("utf-8", "surrogateescape")),
    st.lists(st.sampled_from(PIECES), max_size=60).map(" ".join),
    st.lists(st.sampled_from(PIECES), max_size=60).map("".join),
    mutated_specs(),
)


def tree_of(text: str) -> SpecFile:
    source = Source("a.atp", text)
    tree, problems = parse(source)
    for problem in problems:
        assert problem.code in CODES
        assert problem.message
        assert problem.at is None or 0 <= problem.at.span.start <= problem.at.span.end
        assert problem.at is None or problem.at.span.end <= len(text)
    assert all(line.isprintable() for line in plain(problems, source).split("\n"))
    assert len(as_json(problems, source)) == len(problems)
    return tree


@SETTINGS
@given(TEXTS)
def test_any_text_gives_a_tree_and_problems(text):
    tree_of(text)


@SETTINGS
@given(TEXTS)
def test_places_in_the_tree_are_in_the_text(text):
    for statement in tree_of(text).statements:
        assert 0 <= statement.span.start < statement.span.end <= len(text)
        assert statement.word.span.start == statement.span.start


@pytest.mark.parametrize("text", SPECS, ids=range(len(SPECS)))
def test_a_spec_cut_off_anywhere_gives_problems_at_most(text):
    for end in range(0, len(text), max(7, len(text) // 60)):
        tree_of(text[:end])
