"""Where nodes are in pairs of unequal prompts, and what is zero by construction."""

from __future__ import annotations

from atpdsl.binding.nodeset import NodeSet
from atpdsl.nodes import NODE_KINDS
from atpdsl.planning.ops import Side
from atpdsl.planning.positions import (
    NOWHERE,
    STAYING,
    Reach,
    Skips,
    Spot,
    equal_prefix,
    first_looked_at,
    is_zero,
    live_labels,
    spot,
    whole_sequence,
    window,
)
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


LAST = 2
REACH = Reach("read", LAST)
# The metric reads position 2 of four.
READ = token_pair([0, 1, 2, 3], [0, 1, 5, 3], positions={"read": (2, 2)})


def nodes(kind: str, *positions: str) -> NodeSet:
    return NodeSet(kind=kind, layers=(0, LAST), indices=(0,), positions=positions)


def test_nodes_after_the_position_that_is_read_can_change_nothing():
    live = live_labels([READ], nodes("heads.k", "0", "1", "2", "3"), Side.CLEAN, REACH)

    # The prompts differ at 2, and 3 is after what is read.
    assert live == ((False, False, True, False),) * 2


def test_in_the_last_layer_only_keys_and_values_are_seen_elsewhere():
    early = token_pair([0, 1, 2, 3], [0, 9, 2, 3], positions={"read": (2, 2)})
    positions = ("1", "2")

    def of(kind: str) -> tuple[tuple[bool, ...], ...]:
        return live_labels([early], nodes(kind, *positions), Side.CLEAN, REACH)

    assert of("heads.v") == of("resid.pre") == ((True, True), (True, True))
    assert of("heads.q") == of("mlp") == of("resid.post") == ((True, True), (False, True))


def test_every_kind_of_node_is_said_to_stay_or_to_be_seen_elsewhere():
    seen = {kind.name for kind in NODE_KINDS} - STAYING

    assert seen == {"embed", "resid.pre", "heads.k", "heads.v"}
    assert set(NODE_KINDS.names) >= STAYING


def test_one_node_over_the_sequence_matters_where_the_metric_reads():
    (first, last) = live_labels([READ], nodes("mlp", "sequence"), Side.CLEAN, REACH)

    assert (first, last) == ((True,), (True,))
    before = token_pair([0, 1, 2], [0, 1, 5], positions={"read": (1, 1)})
    assert live_labels([before], nodes("mlp", "sequence"), Side.CLEAN, REACH) == ((False,),) * 2


def test_a_sequence_is_patched_from_the_first_difference_on():
    here = window(READ, Side.CLEAN, Skips(equal_prefix=True, reach=REACH))

    assert here.changing("sequence") == (Spot(2, 2),)
    assert window(READ, Side.CLEAN, Skips()).changing("sequence") == tuple(
        Spot(i, i) for i in range(4)
    )


def test_the_first_position_that_patches_look_at_may_be_before_the_difference():
    pair = token_pair([0, 1, 2, 3], [0, 1, 2, 4], positions={"S": (3, 1)})
    named = nodes("mlp", "S", "0")

    for base, run, first in (
        (Side.CLEAN, Side.CLEAN, 3),
        (Side.CLEAN, Side.CORRUPTED, 1),
        (Side.CORRUPTED, Side.CORRUPTED, 1),
    ):
        assert first_looked_at([pair], named, base, run) == first
    assert first_looked_at([pair], nodes("mlp", "0"), Side.CLEAN, Side.CLEAN) is None
