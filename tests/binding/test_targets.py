"""Nodes that expectations are about, and shares of all nodes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from atpdsl.binding.amounts import check_circuit, counted
from atpdsl.binding.nodeset import NodeSet
from atpdsl.binding.pairs import TokenPair
from atpdsl.binding.select import select_nodes
from atpdsl.binding.targets import check_expectations, find_targets
from atpdsl.problems import Problem
from atpdsl.semantics.claims import Asked, Denied
from atpdsl.semantics.experiment import (
    CircuitCall,
    Expectation,
    Experiment,
    Keep,
    NodeSelection,
    VerifyCall,
)
from tests.binding.build import NOWHERE, SHAPE, experiment, nodes, only, prompts
from tests.binding.test_select import HERE, pair

MEASURED = (nodes("heads.z"), nodes("mlp", "S2 last", layers=only(1, 2)))
SAME = (pair(3), pair(3))
OTHER = (pair(3), pair(5))


def with_s2(*pairs: TokenPair) -> tuple[TokenPair, ...]:
    return tuple(replace(p, positions={**p.positions, "S2": (1, 1)}) for p in pairs)


def asked(selection: NodeSelection, function: str = "has") -> Asked:
    return Asked(function=function, nodes=(selection,), text="", span=NOWHERE)


def targets(selection: NodeSelection, pairs: tuple[TokenPair, ...] = SAME) -> list[NodeSet]:
    pairs = with_s2(*pairs)
    sets, _ = select_nodes(MEASURED, SHAPE, pairs)
    return list(find_targets(asked(selection), sets, SHAPE, pairs))


def problems(
    selection: NodeSelection, function: str = "has", pairs: tuple[TokenPair, ...] = SAME
) -> list[Problem]:
    pairs = with_s2(*pairs)
    sets, _ = select_nodes(MEASURED, SHAPE, pairs)
    condition = Denied(operand=asked(selection, function))
    expected = Expectation(condition=condition, text="", span=NOWHERE)
    return list(check_expectations((expected,), sets, SHAPE, pairs))


def test_a_node_is_found_where_it_is_measured():
    (found,) = targets(nodes("heads.z", "2", layers=only(1), indices=only(3)))

    assert (found.layers, found.indices, found.positions) == ((1,), (3,), ("2",))


def test_last_is_the_number_of_the_last_token_where_that_is_the_same_in_every_pair():
    last = nodes("heads.z", "last", layers=only(1), indices=only(3))

    assert [found.positions for found in targets(last)] == [("2",)]
    assert targets(last, OTHER) == []


def test_a_number_is_the_name_of_a_position_that_is_there_in_every_pair():
    numbered = nodes("mlp", "2", layers=only(1))

    assert [found.positions for found in targets(numbered)] == [("last",)]
    assert targets(numbered, OTHER) == []


def test_every_position_and_the_whole_prompt_are_not_the_same():
    assert [len(found) for found in targets(nodes("heads.z", layers=only(0)))] == [4 * 3]
    assert targets(nodes("heads.z", "sequence")) == []


def test_only_measured_nodes_of_a_choice_are_found():
    (found,) = targets(nodes("mlp", "last"))

    assert (found.layers, found.positions) == ((1, 2), ("last",))


def test_what_is_found_is_good():
    assert problems(nodes("heads.z", "last")) == []
    assert problems(nodes("mlp", "last", layers=only(1)), "effect") == []


def test_a_node_that_is_not_measured_is_a_problem_with_its_place():
    (problem,) = problems(nodes("mlp", "last", layers=only(3), span=HERE))

    assert problem.code == "ATP277"
    assert problem.message == "this node is not among the nodes of this spec"
    assert problem.at is not None
    assert problem.at.span == HERE
    assert problem.help == "add it to `nodes { ... }`"


def test_a_position_that_moves_is_no_number():
    (problem,) = problems(nodes("heads.z", "last"), pairs=OTHER)

    assert problem.message == "none of these nodes is among the nodes of this spec"
    assert "`last` is not at the same one in every pair" in problem.help


def test_a_node_that_the_model_lacks_is_the_problem_that_it_is_in_nodes():
    assert [p.code for p in problems(nodes("heads.z", "last", layers=only(9)))] == ["ATP270"]
    assert [p.code for p in problems(nodes("mlp", "last", indices=only(1)))] == ["ATP274"]


def test_an_effect_is_that_of_one_node():
    (problem,) = problems(nodes("heads.z", "last", layers=only(1)), "effect")

    assert problem.code == "ATP278"
    assert problem.message == "`effect` is that of one node, and these are 4"


def with_shares(top: float | None, random: float | None) -> Experiment:
    verify = VerifyCall(
        top=20 if top is None else 0,
        random=3 if random is None else 0,
        methods=("atp",),
        top_share=top,
        random_share=random,
        span=NOWHERE,
    )
    return replace(experiment(prompts()), verify=verify)


@pytest.mark.parametrize(
    ("share", "nodes", "expected"),
    [(0.05, 100, 5), (0.05, 101, 6), (0.07, 100, 7), (0.001, 10, 1), (0.0, 10, 0), (1.0, 7, 7)],
)
def test_a_share_is_rounded_up_to_a_number_of_nodes(share, nodes, expected):
    verify = counted(with_shares(share, share), nodes).verify

    assert verify is not None
    assert (verify.top, verify.random) == (expected, expected)
    assert verify.top_share == share


def test_numbers_stay_what_they_are():
    verify = counted(with_shares(None, None), 1000).verify

    assert verify is not None
    assert (verify.top, verify.random) == (20, 3)
    assert counted(experiment(prompts()), 1000).verify is None


def test_a_share_may_be_too_large_a_circuit():
    call = CircuitCall(method=None, keep=Keep.SHARE, amount=0.5, span=HERE)
    spec = replace(experiment(prompts()), circuit=call)
    (problem,) = check_circuit(spec, 3000)

    assert problem.code == "ATP279"
    assert problem.message == "this keeps 1,500 of 3,000 nodes, and a circuit has at most 1,000"
    assert check_circuit(spec, 2000) == ()
    assert check_circuit(experiment(prompts()), 10**6) == ()
