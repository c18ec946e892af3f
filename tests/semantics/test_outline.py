from __future__ import annotations

import pytest

from atpdsl.semantics.schema import SHAPES
from atpdsl.syntax.words import STATEMENTS
from tests.semantics.words import DEFAULTS, complete, found, resolved

WHOLE = complete("")


def without(word: str) -> str:
    return "\n".join(("atp 1", *(text for name, text in DEFAULTS.items() if name != word)))


def codes(text: str) -> list[str]:
    return [problem.code for problem in resolved(text)[1]]


def test_the_schema_has_every_statement_of_the_language():
    assert tuple(shape.word for shape in SHAPES) == STATEMENTS


@pytest.mark.parametrize("word", DEFAULTS)
def test_a_missing_statement_is_told_with_an_example(word):
    (problem,) = resolved(without(word))[1]

    assert problem.code == "ATP103"
    assert f"`{word}`" in problem.message
    assert word in problem.help


def test_an_empty_spec_is_told_what_a_spec_needs():
    edition, missing = resolved("")[1]

    assert edition.code == "ATP100"
    assert edition.help == "begin with the line `atp 1`"
    assert missing.message == "this spec has no `model`, `prompts`, `metric`, `nodes`, `method`"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (WHOLE.removeprefix("atp 1\n"), ["ATP100"]),
        (WHOLE.replace("atp 1", "atp 2"), ["ATP101"]),
        (WHOLE.replace("atp 1", "atp 1.5"), ["ATP101"]),
        (WHOLE.replace("atp 1", "atp 0"), ["ATP101"]),
        (WHOLE.removeprefix("atp 1\n") + "atp 1\n", ["ATP102"]),
        (WHOLE + "atp 1\n", ["ATP104"]),
    ],
)
def test_a_spec_begins_with_its_edition(text, expected):
    assert codes(text) == expected


def test_of_another_edition_nothing_else_is_said():
    assert codes("atp 2\nmodel 3\nrun { x = 1 }\n") == ["ATP101"]


@pytest.mark.parametrize("word", ["model", "metric"])
def test_a_second_statement_shows_the_first(word):
    text = WHOLE + DEFAULTS[word]
    (problem,) = resolved(text)[1]

    assert problem.code == "ATP104"
    assert problem.at is not None
    assert problem.at.span.start == text.rindex(word)
    assert problem.also[0].span.start == text.index(word)


def test_a_statement_of_later_versions_is_known_and_refused():
    assert found("edges { heads.z -> mlp }") == [("ATP110", "edges")]


def test_a_statement_that_could_not_be_read_is_not_missed():
    assert codes(WHOLE.replace("model", "modle")) == ["ATP008"]
    assert codes(WHOLE.replace("method atp", "method ap atp")) == ["ATP001"]
    assert codes("[" * 100) == ["ATP010"]


def test_a_spec_of_edges_is_not_asked_for_nodes():
    assert "ATP103" not in codes(without("nodes") + "\nedges { mlp -> mlp }")
