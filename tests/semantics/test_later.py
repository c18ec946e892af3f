from __future__ import annotations

import pytest

from tests.semantics.words import found

EDGES = ("ATP110", "edges")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("embed, heads.z, mlp -> heads.q, mlp, logits", []),
        ("heads.z[L1H2] -> mlp[L3..L5] at every where layer > 3 or layer == 1", []),
        ("heds.z -> mlp", [("ATP220", "heds.z")]),
        ("logits -> mlp", [("ATP220", "logits")]),
        ("mlp -> logit", [("ATP220", "logit")]),
        ("mlp[L1H2] -> logits", [("ATP222", "L1H2")]),
        ("mlp -> mlp where layr > 3", [("ATP224", "layr")]),
        ("heads.z, mlp", [("ATP169", "heads.z, mlp")]),
        ("x = 3", [("ATP105", "x")]),
    ],
)
def test_words_of_edges_are_checked_and_they_are_refused_once(body, expected):
    assert found(f"edges {{ {body} }}") == [EDGES, *expected]
