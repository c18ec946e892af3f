"""Node selections against the shape of a model."""

from __future__ import annotations

from dataclasses import replace

import pytest

from atpdsl.binding.nodeset import NodeSet
from atpdsl.binding.pairs import TextPair, TokenPair
from atpdsl.binding.select import select_nodes
from atpdsl.binding.tokens.align import NO_PARTNER
from atpdsl.models.shape import ModelShape
from atpdsl.nodes import NODE_KINDS
from atpdsl.problems import Label, Problem, Severity, Span
from atpdsl.semantics.conditions import AllOf, AnyOf, Range
from atpdsl.semantics.experiment import NodeSelection
from tests.binding.build import NOWHERE, SHAPE, nodes, only, where

GQA = replace(SHAPE, n_heads=9, n_kv_heads=3)
PARALLEL = replace(SHAPE, architecture="GPTNeoXForCausalLM", parallel=True)
HERE = Span(40, 50)


def pair(clean: int, corrupted: int | None = None) -> TokenPair:
    text = TextPair(
        clean="a",
        corrupted="b",
        answers=(),
        foils=(),
        marks={},
        align="strict",
        origin=NOWHERE,
        row=0,
    )
    return TokenPair(
        text=text,
        clean=(1,) * clean,
        corrupted=(2,) * (corrupted or clean),
        answers=(),
        foils=(),
        positions={"last": (clean - 1, clean - 1)},
        partner=tuple(range(clean)),
    )


def selected(*selections: NodeSelection, shape: ModelShape = SHAPE) -> tuple[NodeSet, ...]:
    sets, problems = select_nodes(selections, shape, (pair(3), pair(5, 8)))
    assert problems == ()
    return sets


def only_problem(*selections: NodeSelection, shape: ModelShape = SHAPE) -> Problem:
    (problem,) = select_nodes(selections, shape, (pair(3),))[1]
    return problem


@pytest.mark.parametrize(
    ("kind", "layers", "indices"),
    [
        ("heads.q", 4, 9),
        ("heads.k", 4, 3),
        ("heads.v", 4, 3),
        ("heads.z", 4, 9),
        ("attn", 4, 1),
        ("mlp", 4, 1),
        ("neurons", 4, 512),
        ("resid.pre", 4, 1),
        ("resid.mid", 4, 1),
        ("resid.post", 4, 1),
        ("embed", 1, 1),
    ],
)
def test_a_kind_has_its_layers_and_units(kind: str, layers: int, indices: int) -> None:
    (only_set,) = selected(nodes(kind, "last"), shape=GQA)

    assert only_set.layers == tuple(range(layers))
    assert only_set.indices == tuple(range(indices))


def test_every_kind_is_tried_above() -> None:
    assert len(NODE_KINDS) == 11


def test_every_is_a_label_per_token_of_the_longest_clean_prompt() -> None:
    assert selected(nodes("mlp"))[0].positions == ("0", "1", "2", "3", "4")


def test_named_positions_keep_their_order_and_a_sequence_is_whole() -> None:
    assert selected(nodes("mlp", "S2 last"))[0].positions == ("S2", "last")
    assert selected(nodes("mlp", "sequence"))[0].whole


def test_ranges_include_both_ends_and_may_be_open() -> None:
    chosen = [
        selected(nodes("mlp", "last", layers=ranges))[0].layers
        for ranges in (only(1, 2), only(None, 1), only(2, None), (only(3)[0], only(0)[0]))
    ]

    assert chosen == [(1, 2), (0, 1), (2, 3), (0, 3)]


@pytest.mark.parametrize(
    ("operator", "layers"),
    [
        (">=", (2, 3)),
        (">", (3,)),
        ("<", (0, 1)),
        ("<=", (0, 1, 2)),
        ("==", (2,)),
        ("!=", (0, 1, 3)),
    ],
)
def test_filters_compare(operator: str, layers: tuple[int, ...]) -> None:
    term = where("layer", operator, Range(first=2, last=2))

    assert selected(nodes("mlp", "last", where=(term,)))[0].layers == layers


def test_all_filters_must_hold_each_on_its_axis() -> None:
    terms = (
        where("layer", "in", Range(first=0, last=0), Range(first=2, last=3)),
        where("head", ">=", Range(first=1, last=1)),
        where("layer", "<", Range(first=3, last=3)),
    )
    (only_set,) = selected(nodes("heads.z", "last", where=terms))

    assert (only_set.layers, only_set.indices) == ((0, 2), (1, 2, 3))


def test_single_heads_become_as_few_sets_as_can_be() -> None:
    heads = [
        nodes("heads.z", "last", layers=only(layer), indices=only(head))
        for layer, head in ((3, 1), (3, 2), (1, 1), (1, 2), (0, 0))
    ]
    sets = selected(*heads)

    assert [(each.layers, each.indices) for each in sets] == [((1, 3), (1, 2)), ((0,), (0,))]


def test_a_node_selected_twice_counts_once_with_a_warning() -> None:
    sets, (problem,) = select_nodes(
        (
            nodes("mlp", "last"),
            nodes("mlp", "S2 last", layers=only(2, 3), span=HERE),
            nodes("attn", "last"),
        ),
        SHAPE,
        (pair(3),),
    )

    assert (problem.code, problem.severity) == ("ATP276", Severity.WARNING)
    assert problem.message == "2 of these 4 nodes are selected already"
    assert problem.at is not None
    assert problem.at.span == HERE
    assert sum(map(len, sets)) == 4 + 2 + 4


def test_repeating_a_selection_adds_no_set() -> None:
    sets, (problem,) = select_nodes(
        (nodes("mlp", "last"), nodes("mlp", "last")), SHAPE, (pair(3),)
    )

    assert len(sets) == 1
    assert problem.message == "all of these 4 nodes are selected already"


def test_a_layer_out_of_range_says_which_there_are() -> None:
    problem = only_problem(nodes("mlp", layers=only(2, 4), span=HERE))

    assert problem.code == "ATP270"
    assert problem.message == "there is no layer 4 for `mlp`: the model has layers 0-3"
    assert problem.at is not None
    assert problem.at.span == HERE


def test_a_head_and_a_neuron_out_of_range_are_problems() -> None:
    found = [
        only_problem(nodes("heads.z", indices=only(4))).message,
        only_problem(nodes("neurons", indices=only(512))).message,
    ]

    assert found == [
        "there is no head 4 for `heads.z`: the model has heads 0-3",
        "there is no neuron 512 for `neurons`: the model has neurons 0-511",
    ]


def test_key_value_heads_are_counted_as_such() -> None:
    problem = only_problem(nodes("heads.k", indices=only(8)), shape=GQA)

    assert problem.code == "ATP272"
    assert problem.message == (
        "there is no key-value head 8 for `heads.k`: the model has key-value heads 0-2"
    )
    assert problem.help == (
        "the 9 query heads share 3 key-value heads: query head 8 reads key-value head 2"
    )
    none = only_problem(nodes("heads.k", indices=only(9)), shape=GQA)
    assert none.help.endswith("query head h reads key-value head h // 3")


def test_without_shared_heads_a_key_head_is_a_head() -> None:
    assert only_problem(nodes("heads.k", indices=only(8))).code == "ATP271"


def test_a_filter_that_names_a_missing_layer_is_a_problem_at_the_filter() -> None:
    term = where("layer", "in", Range(first=2, last=9))
    problem = only_problem(nodes("mlp", where=(term,)))

    assert problem.code == "ATP270"
    assert problem.at is not None
    assert problem.at.span == term.span


def test_a_filter_that_leaves_nothing_says_what_there_is() -> None:
    term = where("layer", ">=", Range(first=5, last=5))
    problem = only_problem(nodes("heads.z", where=(term,)))

    assert problem.code == "ATP275"
    assert problem.message == (
        "no node of `heads.z` fulfils this: the model has layers 0-3 and heads 0-3"
    )
    assert problem.at is not None
    assert problem.at.span == term.span


def test_a_filter_that_excludes_what_is_in_brackets_is_pointed_at() -> None:
    high = replace(where("layer", ">=", Range(first=2, last=2)), span=Span(860, 861))
    chosen = nodes(
        "heads.z",
        layers=only(0, 1),
        where=(where("head", "<", only(2)[0]), high),
        span=Span(5, 9),
    )
    problem = only_problem(chosen)

    assert problem.message == "no node of `heads.z` that is chosen here fulfils this, too"
    assert problem.at == Label(Span(860, 861))
    assert problem.also == (Label(Span(5, 9), "chosen here"),)


def test_two_filters_that_exclude_each_other_are_pointed_at() -> None:
    parts = (
        where("head", "<", only(3)[0]),
        replace(where("layer", ">", only(2)[0]), span=Span(860, 861)),
        replace(where("layer", "<", only(2)[0]), span=Span(870, 871)),
    )
    both = AllOf(operands=parts, span=Span(850, 871))
    problem = only_problem(nodes("heads.z", where=(both,)))

    assert problem.message == "no node of `heads.z` fulfils both conditions"
    assert problem.at == Label(Span(870, 871))
    assert problem.also == (Label(Span(860, 861), "and this"),)


def test_filters_that_only_together_leave_nothing_are_all_pointed_at() -> None:
    low, high = where("layer", "<", only(1)[0]), where("layer", ">", only(2)[0])
    either = AnyOf(operands=(low, high), span=Span(840, 850))
    terms = (either, where("layer", "!=", only(0)[0]), where("layer", "!=", only(3)[0]))
    problem = only_problem(nodes("heads.z", where=terms))

    assert "is chosen: the model has layers 0-3" in problem.message
    assert len(problem.also) == 3


def test_a_range_that_runs_backwards_chooses_nothing() -> None:
    assert only_problem(nodes("mlp", layers=only(3, 1))).code == "ATP275"


def test_an_axis_that_a_kind_lacks_is_a_problem() -> None:
    term = where("head", "==", Range(first=0, last=0))
    layer = where("layer", "==", Range(first=0, last=0))
    found = [
        only_problem(nodes("mlp", where=(term,))),
        only_problem(nodes("embed", where=(layer,))),
        only_problem(nodes("embed", layers=only(0))),
        only_problem(nodes("mlp", indices=only(0))),
    ]

    assert [problem.code for problem in found] == ["ATP274"] * 4
    assert [problem.help for problem in found] == [
        "it can by `layer`",
        "write it without `where`",
        "write `embed` without them",
        "write `mlp` without them",
    ]


def test_parallel_blocks_have_no_stream_between_attention_and_mlp() -> None:
    problem = only_problem(nodes("resid.mid"), shape=PARALLEL)

    assert problem.code == "ATP273"
    assert "`GPTNeoXForCausalLM`" in problem.message


def test_a_model_without_mlp_has_no_neurons() -> None:
    assert only_problem(nodes("neurons"), shape=replace(SHAPE, d_mlp=0)).code == "ATP273"


def test_without_pairs_there_is_nothing_at_every_position_and_no_problem() -> None:
    assert select_nodes((nodes("mlp"),), SHAPE, ()) == ((), ())


def test_problems_of_all_selections_are_reported_together() -> None:
    _, problems = select_nodes(
        (nodes("mlp", layers=only(9)), nodes("heads.z", indices=only(9), layers=only(8))),
        SHAPE,
        (pair(3),),
    )

    assert [problem.code for problem in problems] == ["ATP270", "ATP270", "ATP271"]


def test_every_leaves_out_what_has_no_partner_in_any_pair() -> None:
    shorter, longer = (
        replace(pair(len(partner)), partner=partner)
        for partner in ((0, NO_PARTNER, 1), (0, NO_PARTNER, NO_PARTNER, 1, 2))
    )
    (only_set,), problems = select_nodes((nodes("mlp"),), SHAPE, (shorter, longer))

    assert only_set.positions == ("0", "2", "3", "4")
    assert problems == ()
