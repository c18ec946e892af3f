"""The specs that come with atpdsl, word by word: each is offered, explained, and renamed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from atpdsl.checked import Checked
from atpdsl.editor.collect import names_of
from atpdsl.editor.completion import Around, complete
from atpdsl.editor.hover import hover
from atpdsl.editor.rename import applied, rename
from atpdsl.problems import Span
from atpdsl.syntax.tokens import Mark, rough_tokens
from tests.editor.marked import study_of

ROOT = Path(__file__).parents[2]
SPECS = sorted((*ROOT.glob("specs/*.atp"), *ROOT.glob("atpdsl/library/*.atp")))
# Numbers, with and without units, and names of nodes.
NUMBER = re.compile(r"[0-9]\w*|L[0-9]+([HN][0-9]+)?")


def words_of(text: str, folder: Path) -> Iterator[Span]:
    """The words of a spec, but for the names that it gives itself."""
    named = {one.span for one in names_of(text, folder).found.definitions if not one.implied}
    for token in rough_tokens(text):
        span = Span(token.start, token.end)
        number = NUMBER.fullmatch(text[token.start : token.end])
        if token.mark is Mark.WORD and span not in named and not number:
            yield span


def without(text: str, span: Span, *, rest: bool) -> str:
    return text[: span.start] + (text[span.end :] if rest else "")


@pytest.mark.parametrize("rest", [True, False], ids=["before the rest", "at the end"])
@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.name)
def test_every_word_is_offered(path, rest):
    text = path.read_text(encoding="utf-8")
    missed = []
    for span in words_of(text, path.parent):
        written = without(text, span, rest=rest)
        around = Around(names=names_of(written, path.parent), folder=path.parent)
        labels = [item.label for item in complete(written, span.start, around).items]
        word = text[span.start : span.end]
        if not any(label == word or label.startswith(f"{word}.") for label in labels):
            line = text.count("\n", 0, span.start) + 1
            missed.append(f"{line}: {word}")

    assert missed == []


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.name)
def test_every_word_is_explained(path):
    text = path.read_text(encoding="utf-8")
    names = names_of(text, path.parent)
    silent = [
        text[span.start : span.end]
        for span in words_of(text, path.parent)
        if hover(text, span.start, names, None) is None
    ]

    assert silent == []


@pytest.mark.parametrize("path", sorted(ROOT.glob("specs/*.atp")), ids=lambda path: path.name)
def test_every_name_can_be_changed_without_changing_the_spec(path):
    text = path.read_text(encoding="utf-8")
    names = names_of(text, path.parent)
    before = study_of(text, path.parent)
    own = {one.key: one for one in names.found.definitions if one.path is None}
    assert own
    for definition in own.values():
        offset = definition.span.start
        edits = rename(text, offset, "brand_new", names, path.parent)
        after = study_of(applied(text, edits), path.parent)

        assert [p.code for p in after.problems] == [p.code for p in before.problems]
        assert [pairs(point) for point in after.points] == [pairs(p) for p in before.points]


def pairs(point: Checked) -> list[tuple[object, ...]]:
    bound = point.bound
    if bound is None:
        return []
    texts = [(pair.clean, pair.corrupted, pair.answers) for pair in bound.pairs.pairs]
    return [*texts, (bound.node_count,)]
