"""Shares of nodes as numbers, and what is only known when nodes and pairs are counted."""

from __future__ import annotations

import pytest

from atpdsl.binding.amounts import check_pairs, check_stop, counted
from atpdsl.problems import Severity
from tests.semantics.words import experiment_of

STOP = "stop_when = misses(top = 20) < 5%"


@pytest.mark.parametrize(
    ("most", "nodes", "expected"), [("5%", 100, 5), ("5%", 101, 6), ("7", 100, 7)]
)
def test_the_most_nodes_of_a_verification_may_be_a_share(most, nodes, expected):
    experiment = experiment_of(f"verify {{ {STOP}; most = {most} }}")
    verify = counted(experiment, nodes).verify

    assert verify is not None
    assert verify.most == expected


def test_a_verification_without_a_limit_has_none():
    verify = counted(experiment_of(f"verify {{ {STOP} }}"), 100).verify

    assert verify is not None
    assert verify.most is None


def test_settings_of_methods_that_are_shares_of_nodes_are_counted():
    text = "method a = hierarchical { most = 5% }\nmethod b = hierarchical { most = 9 }\n"
    share, number, other = counted(
        experiment_of(f"{text}method subsampling {{ inclusion = 5% }}"), 1000
    ).methods

    assert (share.settings["most"], share.node_shares) == (50, ())
    assert (number.settings["most"], number.node_shares) == (9, ())
    # A part of the nodes in each set is no number of nodes.
    assert other.settings["inclusion"] == 0.05


def test_counting_twice_changes_nothing():
    once = counted(experiment_of(f"verify {{ top = 30%; {STOP}; most = 5% }}"), 100)

    assert counted(once, 100) == once


@pytest.mark.parametrize(
    ("top", "nodes", "codes"),
    [("10%", 200, []), ("10%", 190, ["ATP184"]), ("1%", 200, ["ATP184"])],
)
def test_a_share_as_top_may_be_too_small_for_the_condition(top, nodes, codes):
    experiment = experiment_of(f"verify {{ top = {top}; {STOP} }}")

    assert [problem.code for problem in check_stop(experiment, nodes)] == codes


@pytest.mark.parametrize("text", ["", "verify { top = 1% }", f"verify {{ {STOP} }}"])
def test_other_verifications_have_no_problem_when_nodes_are_counted(text):
    assert check_stop(experiment_of(text), 3) == ()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("bootstrap = 100", [Severity.ERROR]),
        ("bootstrap = 100; flag = score > 1", [Severity.ERROR]),
        ("", [Severity.WARNING]),
        ("flag = standard_error > 1 or score > 2", [Severity.WARNING]),
        ("flag = score > 1", []),
    ],
)
def test_one_pair_cannot_be_compared_with_others(settings, expected):
    experiment = experiment_of(f"diagnose {{ uncertainty {{ {settings} }} }}")

    assert [problem.severity for problem in check_pairs(experiment, 1)] == expected
    assert check_pairs(experiment, 2) == ()
    assert check_pairs(experiment_of("diagnose { cancellation }"), 1) == ()
