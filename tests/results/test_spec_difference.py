"""Semantic differences: what two specs ask for, however it is written."""

from __future__ import annotations

import pytest

from atpdsl.results.document import to_json
from atpdsl.results.spec_difference import spec_changes
from tests.semantics.words import resolved

SPEC = """atp 1
model "tiny"
prompts ioi {
  template "When {IO} and {S} went to the {place}, {S as S2} gave a ring to"
  slot IO, S in ["Mary", "John", "Tom"]
  slot place in ["store", "garden"]
  corrupt S2 -> IO
  answer " {IO}" vs " {S}"
  count = 4
}
metric logit_diff at last
nodes { heads.z, mlp at every }
method atp
verify { top = 5; random = 5 }
expect { gap > 1 }
export "ioi.csv"
"""


def changes(text: str, first: str = SPEC) -> list[tuple[str, str | None, str | None]]:
    sides = []
    for spec in (first, text):
        experiment, problems = resolved(spec)
        assert experiment is not None, problems
        sides.append(to_json(experiment))
    return [(one.name, one.first, one.second) for one in spec_changes(*sides)]


def test_layout_comments_and_written_defaults_change_nothing():
    same = (
        SPEC.replace("{ top = 5; random = 5 }", "{\n  random = 5   # at random\n  top = 5\n}")
        .replace("method atp\n", "## what it is about\nmethod atp { qk_fix = off }\n")
        .replace(
            "nodes { heads.z, mlp at every }", "nodes {\n heads.z at every\n mlp at every\n}"
        )
        .replace("gap > 1", "gap  >  1")
    )

    assert same != SPEC
    assert changes(same) == []


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ("top = 5", "top = 9", ("verify: top", "5", "9")),
        ("count = 4", "count = 6", ("prompts: count", "4", "6")),
        ('model "tiny"', 'model "tiny-llama"', ("model: name", "tiny", "tiny-llama")),
        ("logit_diff", "kl", ("metric: name", "logit_diff", "kl")),
        ("method atp", "method atp { qk_fix = on }", ("method atp: qk_fix", "off", "on")),
        (
            '["store", "garden"]',
            '["store", "park"]',
            ("prompts: place, values", "garden", "park"),
        ),
        (
            '["store", "garden"]',
            '["garden", "store"]',
            ("prompts: place, values, order", "store, garden", "garden, store"),
        ),
        (
            '["store", "garden"]',
            '["store", "garden", "sea"]',
            ("prompts: place, values", None, "sea"),
        ),
        ("expect { gap > 1 }", "", ("expect", "gap > 1", None)),
        ('export "ioi.csv"', "", ("export", "ioi.csv (csv)", None)),
        ("heads.z, mlp at every", "heads.z at every", ("nodes: mlp", "at every", None)),
        (
            "heads.z, mlp at every",
            "heads.z[L0..L1] at S2, last\n mlp at every",
            ("nodes: heads.z", "at every", "L0..1 at S2, last"),
        ),
        (
            "verify { top = 5; random = 5 }",
            "",
            ("verify", "{ top = 5; random = 5; methods = atp }", "not set"),
        ),
    ],
)
def test_a_change_is_named_by_statement_and_setting(old, new, change):
    assert SPEC.count(old) == 1
    assert [sorted_settings(one) for one in changes(SPEC.replace(old, new))] == [
        sorted_settings(change)
    ]


def sorted_settings(change):
    """Settings in braces in any order."""
    return tuple(
        text if text is None or not text.startswith("{") else set(text.strip("{} ").split("; "))
        for text in change
    )


def test_a_method_more_is_told_as_one():
    (change,) = changes(SPEC.replace("method atp\n", "method atp\nmethod exact = ap\n"))

    assert change[0] == "method exact"
    assert change[1] is None
    assert change[2] is not None
    assert change[2].startswith("ap { direction = noising")


def test_hostile_values_are_only_text():
    hostile = SPEC.replace('"garden"', '"[red]\\u{1b}[2J"')

    assert changes(hostile)[0][2] == "[red]\x1b[2J"


def test_resolved_specs_of_any_shape_are_compared():
    assert spec_changes({}, {"model": {"name": "x"}})[0].first == "not set"
    assert spec_changes({"nodes": 3}, {"nodes": [1, {"a": 2}]})
    assert spec_changes({"nodes": [{"positions": 3}]}, {"nodes": [{"filters": 4, "kind": 5}]})
    assert spec_changes({"methods": [{"label": [1]}]}, {"methods": [{"label": {}}]})
    assert spec_changes({"run": {"seed": 1}}, {"run": {}})[0].second is None
