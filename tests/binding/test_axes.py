"""Conditions on layers and indices, against looking at every node."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from atpdsl.binding.axes import comparisons, members
from atpdsl.binding.select import select_nodes
from atpdsl.semantics.conditions import AllOf, AnyOf, Comparison, Condition, Negation, Range
from tests.binding.build import NOWHERE, SHAPE, nodes, where
from tests.binding.test_select import pair

LARGEST = 6
ENDS = st.none() | st.integers(0, LARGEST)
RANGES = st.builds(lambda first, last: Range(first=first, last=last), ENDS, ENDS)
NUMBERS = st.integers(0, LARGEST).map(lambda n: Range(first=n, last=n))
AXES = st.sampled_from(["layer", "head", "index"])


def comparisons_drawn() -> st.SearchStrategy[Condition]:
    compared = st.builds(
        where, AXES, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), NUMBERS
    )
    listed = st.lists(RANGES, min_size=1, max_size=3)
    member = st.builds(lambda axis, values: where(axis, "in", *values), AXES, listed)
    return compared | member


def joined(parts: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    several = st.lists(parts, min_size=1, max_size=3).map(tuple)
    return (
        parts.map(lambda one: Negation(operand=one, span=NOWHERE))
        | several.map(lambda some: AllOf(operands=some, span=NOWHERE))
        | several.map(lambda some: AnyOf(operands=some, span=NOWHERE))
    )


CONDITIONS = st.recursive(comparisons_drawn(), joined, max_leaves=6)


def contains(each: Range, number: int) -> bool:
    return (each.first is None or each.first <= number) and (
        each.last is None or number <= each.last
    )


def compare(operator: str, number: int, bound: int) -> bool:
    return {
        "<": number < bound,
        "<=": number <= bound,
        ">": number > bound,
        ">=": number >= bound,
        "==": number == bound,
        "!=": number != bound,
    }[operator]


def fulfils(condition: Condition, layer: int, head: int) -> bool:
    """Whether one node fulfils a condition, as one would say it."""
    if isinstance(condition, Comparison):
        number = layer if condition.axis == "layer" else head
        if condition.operator == "in":
            return any(contains(each, number) for each in condition.values)
        bound = condition.values[0].first
        assert bound is not None
        return compare(condition.operator, number, bound)
    if isinstance(condition, Negation):
        return not fulfils(condition.operand, layer, head)
    each = [fulfils(one, layer, head) for one in condition.operands]
    return all(each) if isinstance(condition, AllOf) else any(each)


def exists(condition: Condition, layers: int, heads: int) -> bool:
    """Whether a condition names only layers and heads that there are."""
    return all(
        end is None or end < (layers if term.axis == "layer" else heads)
        for term in comparisons(condition)
        if term.operator in ("in", "==", "!=")
        for each in term.values
        for end in (each.first, each.last)
    )


@given(
    st.integers(1, LARGEST),
    st.integers(1, LARGEST),
    st.lists(CONDITIONS, min_size=1, max_size=3).map(tuple),
)
def test_a_choice_has_the_nodes_for_which_each_condition_holds_and_no_other(
    layers, heads, filters
):
    shape = replace(SHAPE, n_layers=layers, n_heads=heads, n_kv_heads=heads)
    chosen = nodes("heads.z", "last", where=filters)
    sets, problems = select_nodes((chosen,), shape, (pair(3),))
    expected = {
        (layer, head)
        for layer in range(layers)
        for head in range(heads)
        if all(fulfils(one, layer, head) for one in filters)
    }

    if not all(exists(one, layers, heads) for one in filters):
        assert {problem.code for problem in problems} <= {"ATP270", "ATP271"}
        assert problems != ()
    elif not expected:
        assert [problem.code for problem in problems] == ["ATP275"]
    else:
        found = [each.at(flat)[:2] for each in sets for flat in range(len(each))]
        assert problems == ()
        assert sorted(found) == sorted(expected)
        assert len(sets) <= layers


@given(st.sets(st.integers(0, 200)))
def test_the_members_of_a_mask_are_its_bits(numbers):
    assert members(sum(1 << number for number in numbers)) == tuple(sorted(numbers))


def test_layers_with_the_same_heads_are_one_set():
    late = where("layer", ">=", Range(first=2, last=2))
    first = where("head", "==", Range(first=0, last=0))
    condition = AnyOf(
        operands=(
            AllOf(operands=(late, first), span=NOWHERE),
            where("layer", "<", Range(first=1, last=1)),
        ),
        span=NOWHERE,
    )
    sets, _ = select_nodes((nodes("heads.z", "last", where=(condition,)),), SHAPE, (pair(3),))

    assert [(each.layers, each.indices) for each in sets] == [
        ((0,), (0, 1, 2, 3)),
        ((2, 3), (0,)),
    ]


def test_a_condition_over_many_neurons_is_quick_to_decide():
    shape = replace(SHAPE, n_layers=48, d_mlp=20_000)
    even = where("neuron", "in", *(Range(first=n, last=n) for n in range(0, 20_000, 2)))
    here = where("layer", "!=", Range(first=3, last=3))
    condition = AnyOf(operands=(Negation(operand=even, span=NOWHERE), here), span=NOWHERE)
    sets, problems = select_nodes(
        (nodes("neurons", "last", where=(condition,)),), shape, (pair(3),)
    )

    assert problems == ()
    assert sum(map(len, sets)) == 47 * 20_000 + 10_000
