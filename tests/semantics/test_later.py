from __future__ import annotations

import pytest

from tests.semantics.words import found, helps

DIAGNOSE, EDGES = ("ATP110", "diagnose"), ("ATP110", "edges")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("cancellation; saturation", []),
        ("cancellation { flag = direct * indirect < 0 }", []),
        ("subset_sampling { samples = 2000; confidence = 95%; min_effect = 0.05 }", []),
        ("cancelation", [("ATP168", "cancelation")]),
        ("3 + 4", [("ATP168", "3 + 4")]),
        ("saturation { flg = x > 3 }", [("ATP105", "flg")]),
        ("subset_sampling { samples = many }", [("ATP108", "many")]),
        ("subset_sampling { samples = 0 }", [("ATP109", "0")]),
        ("samples = 3", [("ATP105", "samples")]),
    ],
)
def test_words_of_diagnose_are_checked_and_it_is_refused_once(body, expected):
    assert found(f"diagnose {{ {body} }}") == [DIAGNOSE, *expected]


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


def test_a_misspelled_diagnostic_is_corrected():
    assert helps("diagnose { cancelation }")[1] == "did you mean `cancellation`?"
