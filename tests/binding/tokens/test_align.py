"""The law of partner maps."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from atpdsl.binding.tokens.align import NO_PARTNER, partner_map
from atpdsl.semantics.experiment import Align

LENGTHS = st.integers(1, 12)


@given(length=LENGTHS, align=st.sampled_from(Align), anchored=st.integers(0, 1))
def test_equal_lengths_are_their_own_partners(length: int, align: Align, anchored: int) -> None:
    assert partner_map(length, length, align, anchored) == tuple(range(length))


@given(
    clean=LENGTHS,
    corrupted=LENGTHS,
    align=st.sampled_from([Align.START, Align.END]),
    anchored=st.integers(0, 1),
)
def test_partners_exist_rise_and_are_as_many_as_can_be(
    clean: int, corrupted: int, align: Align, anchored: int
) -> None:
    partners = partner_map(clean, corrupted, align, anchored)
    found = [partner for partner in partners if partner != NO_PARTNER]

    assert len(partners) == clean
    assert found == sorted(set(found))
    assert all(0 <= partner < corrupted for partner in found)
    assert len(found) == min(clean, corrupted)


@given(clean=LENGTHS, corrupted=LENGTHS, anchored=st.integers(0, 1))
def test_the_first_tokens_meet_at_the_start(clean: int, corrupted: int, anchored: int) -> None:
    assert partner_map(clean, corrupted, Align.START, anchored)[0] == 0


@given(clean=st.integers(2, 12), corrupted=st.integers(2, 12), anchored=st.integers(0, 1))
def test_the_last_tokens_meet_at_the_end(clean: int, corrupted: int, anchored: int) -> None:
    assert partner_map(clean, corrupted, Align.END, anchored)[-1] == corrupted - 1


def test_a_longer_clean_prompt_has_positions_without_partner() -> None:
    assert partner_map(4, 2, Align.START) == (0, 1, -1, -1)
    assert partner_map(4, 2, Align.END) == (-1, -1, 0, 1)


def test_a_longer_corrupted_prompt_has_positions_that_are_nobodys_partner() -> None:
    assert partner_map(2, 4, Align.START) == (0, 1)
    assert partner_map(2, 4, Align.END) == (2, 3)


def test_bos_is_the_partner_of_bos_whatever_is_aligned() -> None:
    assert partner_map(4, 3, Align.END, anchored=1) == (0, -1, 1, 2)
    assert partner_map(3, 4, Align.END, anchored=1) == (0, 2, 3)
