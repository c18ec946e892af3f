from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atpdsl.problems import Span
from atpdsl.results.document import DamagedError, dumps, from_json, loads, to_json
from atpdsl.results.record import Record
from tests.results.samples import result


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    name: str
    number: float | None
    places: tuple[int, ...]
    both: tuple[int, str]
    parts: Mapping[str, int]
    sure: bool = False


THING = Thing(name="a", number=1.5, places=(1, 2), both=(3, "x"), parts={"k": 4})


def test_a_record_survives_the_way_to_json_and_back():
    record = result().record

    assert from_json(Record, loads(dumps(record))) == record


def test_the_text_does_not_depend_on_the_order_of_keys():
    assert dumps({"b": 1, "a": [2, 3]}) == dumps({"a": [2, 3], "b": 1})


def test_lists_of_plain_values_stay_on_one_line():
    assert dumps({"a": [1, 2], "b": [[1], [2]]}) == (
        '{\n  "a": [1, 2],\n  "b": [\n    [1],\n    [2]\n  ]\n}\n'
    )


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_null(number):
    assert to_json({"a": number}) == {"a": None}


def test_places_in_the_spec_are_left_out():
    @dataclass
    class Spanned:
        name: str
        span: Span

    assert to_json(Spanned("a", Span(1, 2))) == {"name": "a"}


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@settings(deadline=None)  # the machine may be busy
@given(JSON)
def test_any_value_is_written_as_json_that_reads_back(value):
    text = dumps(value)

    assert json.loads(text) == value
    text.encode("utf-8")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "Expecting"),
        ("NaN", "`NaN` is no JSON"),
        ("[" * 100_000, "too deep"),
        ("1" * 5000, "digits"),
    ],
)
def test_what_is_no_json_is_damaged(text, reason):
    with pytest.raises(DamagedError, match=reason):
        loads(text)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"name": 3}, "`name` is no text"),
        ({"number": "1"}, "`number` is no number"),
        ({"number": True}, "`number` is no number"),
        ({"number": 10**400}, "`number` is too large"),
        ({"number": float("inf")}, "`number` is too large"),
        ({"places": [1, 2.5]}, r"`places\[1\]` is no whole number"),
        ({"places": [True]}, r"`places\[0\]` is no whole number"),
        ({"places": 1}, "`places` is no list"),
        ({"both": [1]}, "`both` has 1 entries, not 2"),
        ({"parts": {"k": None}}, "`parts.k` is no whole number"),
        ({"sure": 1}, "`sure` is no truth value"),
    ],
)
def test_a_value_of_another_type_is_named(changes, reason):
    with pytest.raises(DamagedError, match=reason):
        from_json(Thing, to_json(THING) | changes)


def test_a_missing_key_is_named():
    with pytest.raises(DamagedError, match="`parts` is missing"):
        from_json(Thing, {k: v for k, v in to_json(THING).items() if k != "parts"})


def test_unknown_keys_are_left_alone():
    assert from_json(Thing, to_json(THING) | {"later": 1}) == THING


def test_whole_numbers_do_for_numbers():
    assert from_json(Thing, to_json(THING) | {"number": 2}).number == 2.0
