"""Flags against the same conditions, looked at node by node."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atpdsl.results.flags import codes, flag_records, flagged, words
from atpdsl.results.scores import Wanted, score_table
from atpdsl.semantics import diagnosis as d
from tests.results.raw import EVERYTHING, NODES, above, beside, diagnosed
from tests.results.samples import result

VALUES = {
    "a": np.array([1.0, 2.0, math.nan, 0.0, -3.0, math.inf]),
    "b": np.array([0.0, 2.0, 1.0, math.nan, 5.0, 1.0]),
}
NAMES = st.sampled_from(tuple(VALUES)).map(lambda name: d.Column(name=name))
AMOUNTS = st.sampled_from((-1.0, 0.0, 1.0, 2.0)).map(lambda value: d.Number(value=value))
QUANTITIES: st.SearchStrategy[d.FlagQuantity] = st.recursive(
    NAMES | AMOUNTS,
    lambda inner: st.builds(
        d.Arithmetic, operator=st.sampled_from("+-*/"), left=inner, right=inner
    ),
    max_leaves=4,
)
CONDITIONS: st.SearchStrategy[d.FlagCondition] = st.recursive(
    st.builds(
        d.Test,
        operator=st.sampled_from(("<", "<=", "==", "!=", ">=", ">")),
        left=QUANTITIES,
        right=QUANTITIES,
    ),
    lambda inner: (
        st.builds(d.Not, operand=inner)
        | st.builds(
            d.Several,
            operator=st.sampled_from(("and", "or")),
            operands=st.lists(inner, min_size=2, max_size=3).map(tuple),
        )
    ),
    max_leaves=5,
)


def number(quantity: d.FlagQuantity, node: int) -> float:
    """One node at a time; nan is not known."""
    if isinstance(quantity, d.Number):
        return quantity.value
    if isinstance(quantity, d.Column):
        return float(VALUES[quantity.name][node])
    left, right = number(quantity.left, node), number(quantity.right, node)
    match quantity.operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case _:
            with np.errstate(all="ignore"):
                return float(np.float64(left) / np.float64(right))


def holds(condition: d.FlagCondition, node: int) -> bool | None:
    """Whether a condition holds for one node; None where that is not known."""
    if isinstance(condition, d.Test):
        left, right = number(condition.left, node), number(condition.right, node)
        if math.isnan(left) or math.isnan(right):
            return None
        return {
            "<": left < right,
            "<=": left <= right,
            "==": left == right,
            "!=": left != right,
            ">=": left >= right,
            ">": left > right,
        }[condition.operator]
    if isinstance(condition, d.Not):
        inner = holds(condition.operand, node)
        return None if inner is None else not inner
    found = [holds(one, node) for one in condition.operands]
    decides = condition.operator == "or"
    if decides in found:
        return decides
    return None if None in found else not decides


@given(CONDITIONS)
def test_a_node_is_flagged_where_the_condition_is_known_to_hold(condition):
    found = flagged(d.Flag(condition=condition, text=""), VALUES)

    assert found.tolist() == [holds(condition, node) is True for node in range(6)]


def test_what_is_not_known_is_not_flagged_by_its_denial_either():
    small = d.Test(operator="<", left=d.Column(name="a"), right=d.Number(value=1.5))
    found = flagged(d.Flag(condition=d.Not(operand=small), text=""), VALUES)

    assert found.tolist() == [False, True, False, False, False, True]


def test_flags_are_words_joined_by_commas():
    names = ("cancellation", "saturation", "uncertainty")
    held = [np.array([True, False, True]), np.array([False, False, True])]

    assert words(names)[:4] == ("", *names[:2], "cancellation,saturation")
    assert [words(names[:2])[code] for code in codes(held)] == [
        "cancellation",
        "",
        "cancellation,saturation",
    ]


TABLE = score_table(beside(diagnosed()), {}, Wanted(diagnosis=EVERYTHING))


@pytest.mark.parametrize(
    ("word", "column", "limit"),
    [("cancellation", "cancellation", 5), ("saturation", "correction", 0.5)],
)
def test_a_flag_is_about_the_column_of_its_quantity(word, column, limit):
    pairs = zip(TABLE["flags"].to_pylist(), TABLE[column].to_pylist(), strict=True)
    both = [(word in flags.split(","), value) for flags, value in pairs]

    assert all(got is (value is not None and value > limit) for got, value in both)
    assert {got for got, _ in both} == {True, False}


QUANTITIES_OF = [(part, name) for part, names in d.FLAG_QUANTITIES.items() for name in names]


@pytest.mark.parametrize(("part", "quantity"), QUANTITIES_OF)
def test_every_quantity_of_the_language_can_be_asked_for(part, quantity):
    kind = {
        "cancellation": d.Cancellation,
        "saturation": d.Saturation,
        "uncertainty": d.Uncertainty,
    }
    asked = d.Diagnosis(**{part: kind[part](flag=above(quantity, -1e9))})
    table = score_table(diagnosed(), {}, Wanted(diagnosis=asked))

    assert set(table["flags"].to_pylist()) == {"", part}


def test_a_result_counts_the_flagged_nodes_of_each_method():
    records = flag_records(EVERYTHING, TABLE)
    star = TABLE["flags"].to_pylist()[NODES:]

    assert [one.name for one in records] == ["cancellation", "saturation", "uncertainty"]
    for record in records:
        number = sum(record.name in flags.split(",") for flags in star)
        assert record.nodes["star"] == number > 0
    # Plain AtP says nothing of cancellation and saturation.
    assert [record.nodes.get("atp") for record in records] == [None, None, 0]
    assert records[0].text == "index > 5"


def test_without_diagnostics_there_are_no_flags():
    assert result().record.flags == ()
    assert "flags" not in result().table.column_names


def test_uncertainty_alone_needs_nothing_but_the_pairs():
    asked = d.Diagnosis(uncertainty=d.Uncertainty(flag=above("sign_flips", 0.2)))
    table = score_table(diagnosed(), {}, Wanted(diagnosis=asked))

    assert set(table["flags"].to_pylist()) == {"", "uncertainty"}
