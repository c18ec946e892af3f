"""Draws are numbers, and every number another draw."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from atpdsl.binding.texts import decks
from atpdsl.binding.texts.decks import TableDeck, WordDeck, count_draws, draw, shuffled_numbers
from tests.binding.build import seeded

TWO_NAMES = WordDeck(names=("IO", "S"), targets=("S2",), values=("A", "B", "C", "D"))
PLACE = WordDeck(names=("place",), targets=(), values=("x", "y"))


def test_draws_are_counted_without_replacement() -> None:
    assert count_draws((TWO_NAMES, PLACE)) == 4 * 3 * 2 * 2


def test_every_number_is_another_draw_and_no_value_comes_twice() -> None:
    draws = [draw((TWO_NAMES, PLACE), number) for number in range(48)]
    seen = {(d.values["IO"], d.values["S"], d.redrawn["S2"], d.values["place"]) for d in draws}

    assert len(seen) == 48
    assert all(len({io, s, s2}) == 3 for io, s, s2, _ in seen)


def test_too_short_a_list_gives_no_draw() -> None:
    assert count_draws((WordDeck(names=("A", "B"), targets=(), values=("x",)),)) == 0


CITIES = TableDeck(
    names=("country", "city"),
    targets=(("C2", "country"), ("T2", "city")),
    rows=(("France", "Paris"), ("Italy", "Rome"), ("Japan", "Tokyo")),
)


def test_the_names_of_a_table_get_one_row_and_its_targets_another() -> None:
    assert count_draws((CITIES,)) == 3 * 2
    draws = [draw((CITIES,), number) for number in range(6)]

    for drawn in draws:
        row = (drawn.values["country"], drawn.values["city"])
        other = (drawn.redrawn["C2"], drawn.redrawn["T2"])
        assert {row, other} <= set(CITIES.rows)
        assert row != other
    assert len({(d.values["country"], d.redrawn["C2"]) for d in draws}) == 6


def test_no_decks_give_one_draw() -> None:
    assert count_draws(()) == 1
    assert draw((), 0).values == {}


@given(total=st.integers(0, 300), seed=st.integers(0, 5))
def test_every_number_comes_once(total: int, seed: int) -> None:
    assert sorted(shuffled_numbers(total, seeded(seed))) == list(range(total))


def test_huge_totals_are_drawn_without_a_table(monkeypatch) -> None:
    monkeypatch.setattr(decks, "SHUFFLED_AT_MOST", 10)
    small = list(shuffled_numbers(50, seeded(1)))
    huge = shuffled_numbers(10**40, seeded(1))
    some = [next(huge) for _ in range(100)]

    assert sorted(small) == list(range(50))
    assert len(set(some)) == 100


@given(
    size=st.integers(3, 9), names=st.integers(0, 2), targets=st.integers(0, 1), data=st.data()
)
def test_draws_are_those_of_taking_words_out_of_the_list(size, names, targets, data) -> None:
    deck = WordDeck(
        names=tuple(f"n{i}" for i in range(names)),
        targets=tuple(f"t{i}" for i in range(targets)),
        values=tuple(f"w{i}" for i in range(size)),
    )
    number = data.draw(st.integers(0, count_draws((deck,)) - 1))
    drawn = draw((deck,), number)

    left, expected = list(deck.values), []
    for _ in range(names + targets):
        number, place = divmod(number, len(left))
        expected.append(left.pop(place))
    assert [*drawn.values.values(), *drawn.redrawn.values()] == expected
