"""docs/language.md says what is true: its examples work, and no key is left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from atpdsl.driver import vocabulary
from atpdsl.problems import Source
from atpdsl.problems.render import plain
from atpdsl.semantics.schema import PAIR, PROMPTS_FROM_FILE, SHAPES, Key
from tests.semantics.words import VOCABULARY, complete, resolved

PAGE = (Path(__file__).parents[2] / "docs" / "language.md").read_text(encoding="utf-8")
ALL_SHAPES = (*SHAPES, PROMPTS_FROM_FILE, PAIR)


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def section(word: str) -> str:
    found = re.search(rf"^## `{word}`\n(.*?)^## ", PAGE, re.MULTILINE | re.DOTALL)
    assert found, word
    return found[1]


@pytest.mark.parametrize("text", blocks("atp"), ids=range(len(blocks("atp"))))
def test_every_example_has_no_problems(tmp_path, text):
    (tmp_path / "names.txt").write_text("Ann\nBob\n")

    experiment, problems = resolved(complete(text), base=tmp_path)

    assert problems == ()
    assert experiment is not None


def test_the_shown_message_is_the_one_that_is_given():
    (wrong,) = blocks("atp-wrong")
    (shown,) = blocks("text")
    text = complete(wrong)

    assert plain(resolved(text)[1], Source("spec.atp", text)) + "\n" == shown


@pytest.mark.parametrize(
    ("word", "key"),
    [(shape.word, key) for shape in ALL_SHAPES for key in shape.keys if not key.later],
    ids=lambda part: part.name if isinstance(part, Key) else part,
)
def test_every_key_is_in_the_table_of_its_statement_with_its_default(word, key):
    text = section("prompts" if word == "pair" else word)
    (row,) = re.findall(rf"^\|.*`{key.name}`[^|]*\|.*$", text, re.MULTILINE)[:1]

    if isinstance(key.default, bool):
        assert f"`{'on' if key.default else 'off'}`" in row
    elif key.default is not None:
        assert re.search(rf"\| `?{key.default}`? \|$", row)
    assert all(f"`{choice}`" in row for choice in key.choices)


def test_every_statement_is_on_the_page():
    now = [shape.word for shape in SHAPES if not shape.later]
    later = [shape.word for shape in SHAPES if shape.later]
    not_yet = PAGE.split("## Not yet")[1]

    assert all(f"\n## `{word}`\n" in PAGE for word in now)
    assert all(f"`{word}`" in not_yet for word in later)


def test_every_name_that_a_spec_may_use_is_on_the_page():
    real = vocabulary()

    assert all(f"`{kind}`" in section("nodes") for kind, _ in real.nodes)
    assert all(f"`{metric.name}`" in section("metric") for metric in real.metrics)
    assert all(f"`{method.name}`" in section("method") for method in real.methods)
    assert all(f"`{suffix}`" in section("export") for suffix, _ in real.exports)
    assert all(f"`{executor}`" in section("run") for executor in real.executors)


def test_the_small_vocabulary_has_the_real_kinds_of_nodes():
    assert VOCABULARY.nodes == vocabulary().nodes
