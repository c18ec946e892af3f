from __future__ import annotations

import pyarrow as pa
import pytest

from atpdsl.results.columns import (
    BY_PAIR,
    SCHEMA,
    in_order,
    is_of_scores,
    schema,
    upper_column,
    without_lists,
)


@pytest.mark.parametrize(
    ("confidence", "name"),
    [
        *((0.9, "upper_90"), (0.99, "upper_99"), (0.999, "upper_999"), (0.95, "upper_95")),
        *((0.975, "upper_975"), (0.5, "upper_50"), (0.05, "upper_05"), (0.099, "upper_099")),
        (99.9 / 100, "upper_999"),
        (1 - 1e-15, "upper_999999999999"),
    ],
)
def test_a_bounds_column_is_named_by_the_decimals_of_its_confidence(confidence, name):
    assert upper_column(confidence) == name


def test_columns_come_in_one_order_whatever_the_order_of_the_question():
    names = ("flags", "upper_999", "direct", "upper_90", "score_low", "atp", "disagreement")

    assert in_order(names) == (
        *("atp", "direct", "disagreement", "upper_90", "upper_999", "score_low", "flags"),
    )


@pytest.mark.parametrize("name", ["luck", "upper_", "upper_9", "upper_9x", "score"])
def test_a_column_that_is_none_of_scores_is_refused(name):
    with pytest.raises(KeyError, match=name):
        in_order([name])


def test_columns_that_are_always_there_come_first_and_lists_last():
    names = schema(["flags", "atp"], pairs=2).names

    assert names == [*SCHEMA.names, "atp", "flags", *BY_PAIR]


@pytest.mark.parametrize("others", [(), ("atp",), ("flags", "upper_95")])
@pytest.mark.parametrize("pairs", [None, 3])
def test_a_table_of_scores_is_known_by_its_columns(others, pairs):
    assert is_of_scores(schema(others, pairs), 3)


@pytest.mark.parametrize(
    "found",
    [
        pa.schema(list(schema(["atp"]))[::-1]),
        schema([], pairs=4),
        pa.schema(list(SCHEMA)[:-1]),
        pa.schema([*SCHEMA, pa.field("signed_by_pair", pa.list_(pa.float64(), 3))]),
    ],
    ids=["reversed", "other pairs", "one too few", "half of the lists"],
)
def test_anything_else_is_not(found):
    assert not is_of_scores(found, 3)


def test_the_lists_can_be_left_out():
    table = schema(["atp"], pairs=3).empty_table()

    assert without_lists(table).schema == schema(["atp"])
