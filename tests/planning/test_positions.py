"""Where nodes are in pairs of unequal prompts, and what is zero by construction."""

from __future__ import annotations

from atpdsl.planning.ops import Side
from atpdsl.planning.positions import NOWHERE, Spot, equal_prefix, is_zero, spot, whole_sequence
from tests.engine import token_pair

SAME_LENGTH = token_pair([0, 1, 2, 3], [0, 1, 5, 3])
# The corrupted prompt has one token less; positions are counted from the end.
FROM_THE_END = token_pair([0, 1, 2, 3], [0, 9, 3], partner=[-1, 0, 1, 2])


def test_the_equal_prefix_ends_at_the_first_difference():
    assert equal_prefix(SAME_LENGTH) == 2


def test_shifted_prompts_have_no_equal_prefix():
    assert equal_prefix(FROM_THE_END) == 0


def test_positions_before_the_difference_are_zero_and_later_ones_are_not():
    zero = [is_zero(SAME_LENGTH, str(i), Side.CLEAN) for i in range(4)]

    assert zero == [True, True, False, False]


def test_a_whole_sequence_is_zero_only_for_identical_prompts():
    assert not is_zero(SAME_LENGTH, "sequence", Side.CLEAN)
    assert is_zero(token_pair([0, 1], [0, 1]), "sequence", Side.CLEAN)


def test_a_position_without_partner_is_nowhere():
    assert spot(FROM_THE_END, "0", Side.CLEAN) == NOWHERE
    assert spot(FROM_THE_END, "1", Side.CLEAN) == Spot(1, 0)


def test_denoising_swaps_base_and_donor():
    assert spot(FROM_THE_END, "3", Side.CORRUPTED) == Spot(2, 3)


def test_a_position_beyond_the_prompt_is_nowhere():
    assert spot(SAME_LENGTH, "4", Side.CLEAN) == NOWHERE


def test_a_named_position_may_differ_between_the_sides():
    pair = token_pair([0, 1, 2], [0, 2, 1], positions={"S": (1, 2)})

    assert spot(pair, "S", Side.CLEAN) == Spot(1, 2)
    assert spot(pair, "S", Side.CORRUPTED) == Spot(2, 1)


def test_a_named_position_after_an_equal_prefix_at_another_index_is_not_zero():
    pair = token_pair([0, 1, 2, 3], [0, 1, 2, 4], positions={"S": (1, 2)})

    assert not is_zero(pair, "S", Side.CLEAN)


def test_a_whole_sequence_covers_the_positions_that_both_sides_have():
    assert whole_sequence(FROM_THE_END, Side.CLEAN) == (Spot(1, 0), Spot(2, 1), Spot(3, 2))
