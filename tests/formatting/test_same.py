from __future__ import annotations

import pytest

from atpdsl.formatting.same import same_tree
from atpdsl.problems import Source
from atpdsl.syntax.parse import parse
from atpdsl.syntax.tree import SpecFile


def tree(text: str) -> SpecFile:
    return parse(Source("a.atp", text))[0]


def test_places_do_not_matter():
    assert same_tree(tree('model   "x" { a=1 }'), tree('\nmodel "x" {\n a = 1\n}'))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('model "x"', 'model "y"'),
        ('model "x"', 'model r"x"'),
        ("let x = 1", "let x = 1.0"),
        ("let x = 1_0", "let x = 10"),
        ("let x = a - b - c", "let x = a - (b - c)"),
        ("run { a = 1 }", "run {}"),
        ("run {}", "expect {}"),
        ("method atp # a", "method atp # b"),
        ("method atp # a", "method atp"),
        ("## a\nmethod atp", "method atp\n## a"),
        ("nodes { a at b }", "nodes { a where b }"),
        ("nodes { a, b at c }", "nodes { a -> b at c }"),
    ],
)
def test_anything_else_does(one, other):
    assert not same_tree(tree(one), tree(other))
