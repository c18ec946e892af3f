"""Any formula: Python's own arithmetic on the readings' numbers gives the same."""

from __future__ import annotations

import math
from types import SimpleNamespace

import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from atpdsl.metrics import metric_of
from tests.metrics.formulas import metric_call
from tests.metrics.test_computed import RIGHT, WRONG, targets_for
from tests.metrics.test_metrics import LOGITS

P = torch.softmax(LOGITS[0], -1).tolist()
ROW = LOGITS[0].tolist()
SIDES = {"right": list(RIGHT), "wrong": list(WRONG)}
BY_HAND = {
    "logit": lambda tokens: sum(ROW[i] for i in tokens) / len(tokens),
    "prob": lambda tokens: sum(P[i] for i in tokens),
    "logprob": lambda tokens: math.log(sum(P[i] for i in tokens)),
    "loss": lambda tokens: -math.log(sum(P[i] for i in tokens)),
    "rank": lambda tokens: float(sum(x > max(ROW[i] for i in tokens) for x in ROW)),
    "entropy": -sum(p * math.log(p) for p in P),
    "logit_diff": (ROW[0] + ROW[3]) / 2 - ROW[1],
}

tokens = st.one_of(
    st.sampled_from(["right", "wrong"]),
    st.lists(st.integers(0, 3), min_size=1, max_size=4, unique=True).map(str),
)
readings = st.one_of(
    st.sampled_from(["entropy", "logit_diff"]),
    st.tuples(st.sampled_from(["logit", "prob", "logprob", "loss", "rank"]), tokens).map(
        lambda call: f"{call[0]}({call[1]})"
    ),
)
numbers = st.sampled_from(["2", "0.5", "3", "10", "0.25"])
formulas = st.recursive(
    st.one_of(readings, numbers),
    lambda parts: st.one_of(
        st.tuples(parts, st.sampled_from("+-*/"), parts).map(" ".join),
        parts.map("({})".format),
        parts.map("-{}".format),
    ),
    max_leaves=8,
)


def python_value(text: str) -> float:
    names = {**BY_HAND, **SIDES, "__builtins__": SimpleNamespace()}
    return float(eval(text, names))  # noqa: S307 (made of the words above)


@settings(deadline=None, max_examples=300)
@given(readings, st.sampled_from("+-*/"), formulas)
def test_a_formula_is_what_python_says(first, sign, rest):
    text = f"{first} {sign} {rest}"
    try:
        expected = python_value(text)
    except ZeroDivisionError:
        assume(False)
    assume(abs(expected) < 1e9)

    found = metric_of(metric_call(text)).compute(LOGITS, targets_for(text)).item()

    assert math.isclose(found, expected, rel_tol=1e-6, abs_tol=1e-9)
