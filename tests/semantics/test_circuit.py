from __future__ import annotations

import pytest

from atpdsl.semantics.circuit import DEFAULT_NODES
from atpdsl.semantics.experiment import CircuitCall, Keep
from tests.semantics.words import experiment_of, found, helps


def circuit(settings: str, before: str = "") -> CircuitCall:
    call = experiment_of(f"{before}circuit {{ {settings} }}").circuit
    assert call is not None
    return call


@pytest.mark.parametrize(
    ("written", "keep", "amount"),
    [
        ("keep = top(40)", Keep.TOP, 40),
        ("keep = 5%", Keep.SHARE, 0.05),
        ("keep = top(5%)", Keep.SHARE, 0.05),
        ("keep = threshold(0.05)", Keep.THRESHOLD, 0.05),
        ("keep = threshold(2)", Keep.THRESHOLD, 2.0),
        ("", Keep.TOP, DEFAULT_NODES),
    ],
)
def test_a_circuit_keeps_so_many_nodes_a_share_or_all_from_a_score_on(written, keep, amount):
    assert (circuit(written).keep, circuit(written).amount) == (keep, amount)


def test_a_circuit_is_that_of_a_method_or_of_the_first():
    methods = "method fast = atp\nmethod star = stepped\n"

    assert circuit("from = star", methods).method == "star"
    assert circuit('from = "star"', methods).method == "star"
    assert circuit("keep = 5%", methods).method is None


def test_a_spec_need_not_have_a_circuit():
    assert experiment_of("").circuit is None


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("from = apt", [("ATP115", "apt")]),
        ("from = 3", [("ATP108", "3")]),
        ("keep = 40", [("ATP108", "40")]),
        ("keep = tpo(40)", [("ATP109", "tpo")]),
        ("keep = top", [("ATP108", "top")]),
        ("keep = top()", [("ATP108", "top()")]),
        ("keep = top(x)", [("ATP108", "x")]),
        ("keep = top(0)", [("ATP109", "0")]),
        ("keep = top(n = 3)", [("ATP108", "top(n = 3)")]),
        ("keep = top(3 at last)", [("ATP108", "top(3 at last)")]),
        ("keep = top(1_001)", [("ATP166", "1_001")]),
        ("keep = 0%", [("ATP109", "0%")]),
        ("keep = 101%", [("ATP109", "101%")]),
        ("keep = threshold(5%)", [("ATP108", "5%")]),
        ("keep = threshold(0)", [("ATP109", "0")]),
        ("keep = threshold(-1)", [("ATP109", "-1")]),
        ("keep = greedy(5%)", [("ATP110", "greedy(5%)")]),
        ("prune = dangling", [("ATP110", "prune")]),
        ("ablate = mean", [("ATP110", "ablate")]),
        ("evaluate = curve(faithfulness)", [("ATP110", "evaluate")]),
        ("kep = 5%", [("ATP105", "kep")]),
        ("keep = 5%; keep = 6%", [("ATP106", "keep")]),
        ("mlp at last", [("ATP107", "mlp")]),
    ],
)
def test_what_is_wrong_with_a_circuit_is_told_at_its_place(settings, expected):
    assert found(f"circuit {{ {settings} }}") == expected


def test_a_second_circuit_is_a_problem():
    assert found("circuit { }\ncircuit { }") == [("ATP104", "circuit")]


def test_a_number_alone_says_how_it_is_written():
    assert helps("circuit { keep = 40 }") == ["write `top(40)` for so many nodes"]


def test_a_misspelled_method_is_corrected():
    assert helps("method star = atp\ncircuit { from = sta }") == ["did you mean `star`?"]


def test_nothing_is_said_of_a_method_that_could_not_be_read():
    assert found("method star = atx\ncircuit { from = star }") == [("ATP111", "atx")]
