from __future__ import annotations

import pytest

from atpdsl.editor.outline import Entry, folds, outline
from tests.editor.marked import SPEC


def test_the_outline_has_the_statements_and_what_is_in_them():
    found = {entry.name: [inner.name for inner in entry.inside] for entry in outline(SPEC)}

    assert list(found) == [
        'model "tiny"',
        "prompts ioi",
        "metric logit_diff at last",
        "nodes",
        "method fast = atp",
        "method ap",
        "verify",
        'export "ioi.graphml"',
    ]
    assert found["verify"] == ["top", "random", "method"]
    assert found["prompts ioi"][1:5] == ["IO", "S", "place", "object"]
    assert "verb" in found["prompts ioi"]


def inside(entry: Entry) -> bool:
    """Whether an entry's head, and all that is in it, lies in it, as the protocol asks."""
    heads = [entry.head, *(inner.span for inner in entry.inside)]
    fits = all(entry.span.start <= h.start and h.end <= entry.span.end for h in heads)
    return fits and all(map(inside, entry.inside))


@pytest.mark.parametrize("length", range(0, len(SPEC), 9))
def test_entries_lie_in_one_another(length):
    assert all(map(inside, outline(SPEC[:length])))


def test_bodies_and_comments_fold():
    text = "# a\n# b\n\nnodes {\n  mlp at last\n}\nrun { # c\n}\n# d\n"

    assert [(fold.first, fold.last, fold.comment) for fold in folds(text)] == [
        (3, 4, False),
        (0, 1, True),
    ]
