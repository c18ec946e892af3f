from __future__ import annotations

import pytest

from atpdsl.semantics.experiment import PositionRule
from tests.semantics.words import DEFAULTS, experiment_of, found, helps


def with_lines(*lines: str) -> str:
    return DEFAULTS["prompts"].removesuffix("}") + "\n".join((*lines, "}"))


def with_first(slot: str) -> str:
    return DEFAULTS["prompts"].replace("{IO}", slot, 1)


def rules(text: str) -> list[tuple[str, str | None, tuple[str, int] | None]]:
    positions: tuple[PositionRule, ...] = experiment_of(text).prompts.positions
    return [(rule.name, rule.pattern, rule.relative) for rule in positions]


def test_positions_are_found_by_pattern_and_by_offset():
    text = with_lines(r'pos verb = match(r"\w+ (gave)")', "pos next = verb + 1", "pos S3 = S2")

    assert rules(text) == [
        ("verb", r"\w+ (gave)", None),
        ("next", None, ("verb", 1)),
        ("S3", None, ("S2", 0)),
    ]


def test_slots_and_labels_and_last_are_positions():
    text = "nodes { mlp at IO, S, S2, last }"
    (selection,) = experiment_of(text).nodes

    assert [position.text for position in selection.positions] == ["IO", "S", "S2", "last"]


def test_an_offset_in_a_selection_makes_a_position_of_its_own_once():
    text = "nodes { mlp at S2 + 1, last - 1\n attn at S2 + 1 }\nmetric logit_diff at last - 1"
    experiment = experiment_of(text)

    assert [rule.name for rule in experiment.prompts.positions] == ["last-1", "S2+1"]
    assert [p.text for p in experiment.nodes[0].positions] == ["S2+1", "last-1"]
    assert experiment.metric.position == "last-1"


def test_a_number_is_a_tokens_number():
    (selection,) = experiment_of("nodes { mlp at 3 }").nodes

    assert [position.text for position in selection.positions] == ["3"]


def test_a_metric_without_a_position_reads_the_last_one():
    assert experiment_of("metric logit_diff").metric.position == "last"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nodes { mlp at S3 }", [("ATP262", "S3")]),
        ("nodes { mlp at S3 + 1 }", [("ATP262", "S3")]),
        ("metric logit_diff at S3", [("ATP262", "S3")]),
        ('nodes { mlp at "last" }', [("ATP206", '"last"')]),
        ("nodes { mlp at 1 + S }", [("ATP206", "1 + S")]),
        ("nodes { mlp at S + 5% }", [("ATP206", "S + 5%")]),
        ("metric logit_diff at every", [("ATP226", "every")]),
        ("metric logit_diff at S, last", [("ATP226", "S, last")]),
        (with_lines("pos a = b + 1", "pos b = S + 1"), [("ATP262", "b")]),
        (with_lines("pos a = a + 1"), [("ATP262", "a")]),
        (with_lines("pos S2 = S + 1"), [("ATP203", "S2")]),
        (with_lines("pos a = S", "pos a = S"), [("ATP203", "a")]),
        (with_lines("pos last = S"), [("ATP203", "last")]),
        (with_lines("pos a = find(3)"), [("ATP108", "find(3)")]),
        (with_lines("pos a = match(3)"), [("ATP108", "match(3)")]),
        (with_lines("pos a = [S]"), [("ATP206", "[S]")]),
        (with_first("{IO as S}"), [("ATP203", "{IO as S}")]),
        (with_first("{IO as S2}"), [("ATP203", "{S as S2}")]),
        (with_first("{IO as last}"), [("ATP203", "{IO as last}")]),
    ],
)  # fmt: skip
def test_what_is_no_position_is_told(text, expected):
    assert found(text) == expected


def test_a_misspelled_position_gets_a_suggestion():
    assert helps("nodes { mlp at lsat }") == ["did you mean `last`?"]


def test_positions_of_a_broken_line_are_not_missed():
    text = with_lines('pos verb match("gave")') + "\nnodes { mlp at verb }"

    assert [code for code, _ in found(text)] == ["ATP007"]
