"""docs/language.md says what is true: its examples work, and no statement is left out.

Every key stands on docs/reference.md, which is generated: tests/reference/test_page.py.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from atpdsl.driver import vocabulary
from atpdsl.problems import Source
from atpdsl.problems.render import plain
from atpdsl.semantics.schema import SHAPES
from tests.semantics.words import VOCABULARY, all_resolved, complete, resolved

PAGE = (Path(__file__).parents[2] / "docs" / "language.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", blocks("atp"), ids=range(len(blocks("atp"))))
def test_every_example_has_no_problems(tmp_path, text):
    (tmp_path / "names.txt").write_text("Ann\nBob\n")
    (included,) = blocks("atp-included")
    (tmp_path / "weekdays.atp").write_text(included)

    experiments, problems = all_resolved(complete(text), base=tmp_path)

    assert problems == ()
    assert None not in experiments


def test_the_shown_message_is_the_one_that_is_given():
    (wrong,) = blocks("atp-wrong")
    (shown,) = blocks("text")
    text = complete(wrong)

    assert plain(resolved(text)[1], Source("spec.atp", text)) + "\n" == shown


def test_every_statement_is_on_the_page():
    now = [shape.word for shape in SHAPES if not shape.later]
    later = [shape.word for shape in SHAPES if shape.later]
    not_yet = PAGE.split("## Not yet")[1]

    assert all(f"\n## `{word}`\n" in PAGE for word in now)
    assert all(f"`{word}`" in not_yet for word in later)


def test_the_small_vocabulary_has_the_real_kinds_of_nodes():
    assert VOCABULARY.nodes == vocabulary().nodes
