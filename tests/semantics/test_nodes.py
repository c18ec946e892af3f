from __future__ import annotations

import pytest

from atpdsl.semantics.conditions import AllOf, AnyOf, Comparison, Negation, Range
from atpdsl.semantics.experiment import NodeSelection, Placement
from tests.semantics.words import experiment_of, found, helps


def nodes(line: str) -> tuple[NodeSelection, ...]:
    return experiment_of(f"nodes {{ {line} }}").nodes


def ends(ranges: tuple[Range, ...] | None) -> list[tuple[int | None, int | None]] | None:
    return None if ranges is None else [(r.first, r.last) for r in ranges]


def units(line: str) -> list[tuple[str, object, object]]:
    return [(n.kind, ends(n.layers), ends(n.indices)) for n in nodes(line)]


def terms(line: str) -> list[tuple[str, str, list[tuple[int | None, int | None]] | None]]:
    (selection,) = nodes(line)
    return [
        (term.axis, term.operator, ends(term.values))
        for term in selection.filters
        if isinstance(term, Comparison)
    ]


def test_each_item_of_a_line_is_a_selection():
    first, second = nodes("heads.q, mlp at every")

    assert (first.kind, second.kind) == ("heads.q", "mlp")
    assert first.placement is second.placement is Placement.EVERY
    assert first.layers is None
    assert first.indices is None


def test_places_are_every_sequence_or_named():
    assert nodes("mlp at every")[0].placement is Placement.EVERY
    assert nodes("mlp at sequence")[0].placement is Placement.SEQUENCE
    assert nodes("mlp at S2, last")[0].placement is Placement.NAMED
    assert nodes("mlp at every")[0].positions == ()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("neurons[L8..L11] at last", [("neurons", [(8, 11)], None)]),
        ("neurons[8..11] at last", [("neurons", [(8, 11)], None)]),
        ("mlp[L8..] at last", [("mlp", [(8, None)], None)]),
        ("mlp[..L3] at last", [("mlp", [(None, 3)], None)]),
        ("mlp[L0, L2, L5..L6] at last", [("mlp", [(0, 0), (2, 2), (5, 6)], None)]),
        ("heads.q[L9H6] at last", [("heads.q", [(9, 9)], [(6, 6)])]),
        ("heads.k[L9H1] at last", [("heads.k", [(9, 9)], [(1, 1)])]),
        ("neurons[L3N200] at last", [("neurons", [(3, 3)], [(200, 200)])]),
        ("heads.z[L1H0..L1H3] at last", [("heads.z", [(1, 1)], [(0, 3)])]),
        ("L9H6 at last", [("heads.z", [(9, 9)], [(6, 6)])]),
        ("L9H6..L9H8 at last", [("heads.z", [(9, 9)], [(6, 8)])]),
        ("neurons[L3N5..L3N20] at last", [("neurons", [(3, 3)], [(5, 20)])]),
        (
            "heads.z[L9H6, L3, L4..L5, L1H0] at last",
            [
                ("heads.z", [(3, 3), (4, 5)], None),
                ("heads.z", [(9, 9)], [(6, 6)]),
                ("heads.z", [(1, 1)], [(0, 0)]),
            ],
        ),
    ],
)
def test_brackets_choose_layers_and_heads(line, expected):
    assert units(line) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("layer >= 5 and layer < 10", [("layer", ">=", [(5, 5)]), ("layer", "<", [(10, 10)])]),
        ("5 <= layer", [("layer", ">=", [(5, 5)])]),
        ("layer != 3", [("layer", "!=", [(3, 3)])]),
        ("head in 0..3", [("head", "in", [(0, 3)])]),
        ("layer in [0, 2, 4..]", [("layer", "in", [(0, 0), (2, 2), (4, None)])]),
        ("index == 2", [("index", "==", [(2, 2)])]),
    ],
)
def test_conditions_are_terms_joined_by_and(line, expected):
    assert terms(f"heads.z at every where {line}") == expected


def test_conditions_are_joined_by_or_and_not_and_grouped_by_brackets():
    (selection,) = nodes(
        "heads.z at every where layer >= 6 and not head in [0, 1] or not (layer == 0)"
    )
    (either,) = selection.filters

    assert isinstance(either, AnyOf)
    both, last = either.operands
    assert isinstance(both, AllOf)
    first, second = both.operands
    assert isinstance(first, Comparison)
    assert isinstance(second, Negation)
    assert isinstance(second.operand, Comparison)
    assert (second.operand.axis, second.operand.operator) == ("head", "in")
    assert isinstance(last, Negation)


def test_a_condition_holds_for_all_items_of_its_line():
    first, second = nodes("heads.q, heads.z at every where head == 1")

    assert first.filters == second.filters != ()


def test_several_blocks_are_one_list():
    text = "nodes { mlp at last }\nnodes { attn at last }"

    assert [node.kind for node in experiment_of(text).nodes] == ["mlp", "attn"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("heads.z", [("ATP221", "heads.z")]),
        ("heads.q, heads.z", [("ATP221", "heads.q, heads.z")]),
        ("heads at every", [("ATP220", "heads")]),
        ("haeds.z at every", [("ATP220", "haeds.z")]),
        ("heads.z.x at every", [("ATP220", "heads.z.x")]),
        ("f(x) at every", [("ATP220", "f(x)")]),
        ("L9 at every", [("ATP220", "L9")]),
        ("heads.z[9.6] at last", [("ATP222", "9.6")]),
        ("heads[9.6] at last", [("ATP222", "heads[9.6]")]),
        ("heads.z[L3N2] at last", [("ATP222", "L3N2")]),
        ("neurons[L3H2] at last", [("ATP222", "L3H2")]),
        ("mlp[L3H2] at last", [("ATP222", "L3H2")]),
        ("heads.z[x] at last", [("ATP222", "x")]),
        ("heads.z[-1] at last", [("ATP222", "-1")]),
        ("heads.z[5%] at last", [("ATP222", "5%")]),
        ("heads.z[L9..L3] at last", [("ATP225", "L9..L3")]),
        ("heads.z[L1H3..L1H0] at last", [("ATP225", "L1H3..L1H0")]),
        ("heads.z[L1H3..L2H0] at last", [("ATP225", "L1H3..L2H0")]),
        ("heads.z[L1..L2H0] at last", [("ATP225", "L1..L2H0")]),
        ("heads.z[L1H3..] at last", [("ATP225", "L1H3..")]),
        ("heads.z[x..] at last", [("ATP222", "x")]),
        ("heads.z at every, last", [("ATP226", "every, last")]),
        ("heads.z at every where layer", [("ATP223", "layer")]),
        ("heads.z at every where layer > x", [("ATP223", "layer > x")]),
        ("heads.z at every where layer in x", [("ATP223", "layer in x")]),
        ("heads.z at every where layer in []", [("ATP223", "layer in []")]),
        ("heads.z at every where layer in 9..3", [("ATP225", "layer in 9..3")]),
        ("heads.z at every where layers > 3", [("ATP224", "layers")]),
        ("mlp at every where layer > 3 or (layers < 2)", [("ATP224", "layers")]),
        ("mlp at every where not layer", [("ATP223", "layer")]),
        ("mlp at every where x > 3 or not y > 2", [("ATP224", "x"), ("ATP224", "y")]),
        ("heads.z -> mlp at every", [("ATP110", "mlp")]),
        ("heads.z at every { x = 1 }", [("ATP107", "{ x = 1 }")]),
        ("x = 1", [("ATP227", "nodes"), ("ATP105", "x")]),
        ("", [("ATP227", "nodes")]),
        ('pair "a" -> "b"', [("ATP227", "nodes"), ("ATP107", "pair")]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_selection_is_told_at_its_place(line, expected):
    assert found(f"nodes {{ {line} }}") == expected


def test_a_selection_without_a_place_says_what_can_be_written():
    (advice,) = helps("nodes { heads.z }")

    assert "`at every`" in advice
    assert "`at last`" in advice
    assert "`at sequence`" in advice


def test_a_head_with_a_dot_is_rewritten():
    assert helps("nodes { heads.z[9.6] at last }") == ["write `[L9H6]`"]
    assert helps("nodes { heads[9.6] at last }") == [
        "layer 9, head 6 is `L9H6`: write `heads.z[L9H6]`"
    ]


def test_a_kind_without_its_part_lists_the_parts():
    (advice,) = helps("nodes { heads at every }")

    assert advice == "which part? `heads.q`, `heads.k`, `heads.v`, `heads.z`"
