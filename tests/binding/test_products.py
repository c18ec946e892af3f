"""The algebra of node sets against plain sets of nodes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from atpdsl.binding.nodeset import NodeSet
from atpdsl.binding.products import joined, overlap, without

AXIS = st.lists(st.integers(0, 3), min_size=1, max_size=4, unique=True).map(
    lambda numbers: tuple(sorted(numbers))
)
SETS = st.builds(
    NodeSet,
    kind=st.sampled_from(["heads.z", "heads.q"]),
    layers=AXIS,
    indices=AXIS,
    positions=st.one_of(
        AXIS.map(lambda numbers: tuple(map(str, numbers))),
        st.lists(st.sampled_from(["S", "S2", "last"]), min_size=1, max_size=3, unique=True).map(
            tuple
        ),
        st.just(("sequence",)),
    ),
)


def members(*sets: NodeSet) -> list[tuple[str, int, int, str]]:
    return [(nodes.kind, *nodes.at(flat)) for nodes in sets for flat in range(len(nodes))]


def box(layers: tuple[int, ...], indices: tuple[int, ...], *positions: str) -> NodeSet:
    return NodeSet(
        kind="heads.z", layers=layers, indices=indices, positions=positions or ("last",)
    )


@given(nodes=SETS, other=SETS)
def test_what_is_left_is_the_difference_of_sets(nodes: NodeSet, other: NodeSet) -> None:
    parts = without(nodes, other)

    assert sorted(members(*parts)) == sorted(set(members(nodes)) - set(members(other)))
    assert overlap(nodes, other) == len(set(members(nodes)) & set(members(other)))
    assert len(parts) <= 3


@given(given_sets=st.lists(SETS, max_size=6))
def test_joining_keeps_every_node_once(given_sets: list[NodeSet]) -> None:
    apart: list[NodeSet] = []
    for nodes in given_sets:
        parts = (nodes,)
        for other in apart:
            parts = tuple(rest for part in parts for rest in without(part, other))
        apart += parts
    result = joined(apart)

    assert sorted(members(*result)) == sorted(set(members(*given_sets)))
    assert len(result) <= len(apart)


def test_heads_of_one_layer_become_one_set() -> None:
    assert joined([box((9,), (9,)), box((9,), (6,))]) == (box((9,), (6, 9)),)


def test_a_block_given_head_by_head_becomes_one_set() -> None:
    heads = [box((layer,), (head,)) for layer in (3, 1) for head in (0, 2)]

    assert joined(heads) == (box((1, 3), (0, 2)),)


def test_what_is_no_product_stays_several_sets() -> None:
    heads = (box((9,), (6,)), box((10,), (0,)))

    assert joined(heads) == heads


def test_numbered_named_and_whole_positions_stay_apart() -> None:
    sets = (box((0,), (0,), "0", "1"), box((0,), (0,), "S2"), box((0,), (0,), "sequence"))

    assert joined(sets) == sets


def test_joined_numbers_are_in_order_and_names_as_written() -> None:
    assert joined([box((0,), (0,), "10"), box((0,), (0,), "9")])[0].positions == ("9", "10")
    assert joined([box((0,), (0,), "last"), box((0,), (0,), "S")])[0].positions == (
        "last",
        "S",
    )
