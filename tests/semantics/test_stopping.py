from __future__ import annotations

import pytest

from atpdsl.problems import Severity
from atpdsl.semantics.diagnosis import StopWhen, SubsetSampling
from atpdsl.semantics.experiment import VerifyCall
from tests.semantics.words import complete, experiment_of, found, helps, resolved


def verify(settings: str) -> VerifyCall:
    call = experiment_of(f"verify {{ {settings} }}").verify
    assert call is not None
    return call


def stop(text: str) -> StopWhen:
    condition = verify(f"top = 200; stop_when = {text}").stop
    assert condition is not None
    return condition


@pytest.mark.parametrize(
    ("text", "top", "alpha"),
    [
        ("misses(top = 50) < 5%", 50, 0.05),
        ("misses(top = 50) <= 0.1%", 50, 0.001),
        ("misses(top = 200) < 50%", 200, 0.5),
        ("misses(top = 50) < 1", 50, 0.02),
        ("misses(top = 40) < 2.5", 40, 0.0625),
        ("misses(top = 2) <= 1", 2, 0.5),
    ],
)
def test_a_share_or_a_number_of_the_best_nodes_may_be_missed(text, top, alpha):
    condition = stop(text)

    assert (condition.top, condition.alpha, condition.text) == (top, alpha, text)


def test_names_of_the_file_have_their_values_in_it():
    text = "let k = 10\nlet few = 5%\nverify { top = k; stop_when = misses(top = k) < few }"
    call = experiment_of(text).verify

    assert call is not None
    assert call.stop is not None
    assert call.stop.text == "misses(top = 10) < 5%"


def test_most_is_a_count_or_a_share_of_all_nodes():
    condition = "stop_when = misses(top = 5) < 5%"

    assert verify(f"{condition}; most = 30").most == 30
    assert verify(f"{condition}; most = 5%").most_share == 0.05
    assert (verify(condition).most, verify(condition).most_share) == (None, None)


def test_a_verification_that_goes_on_samples_subsets():
    text = "verify { stop_when = misses(top = 5) < 5% }\n"
    asked = experiment_of(text).diagnosis.subset_sampling
    own = experiment_of(text + "diagnose { subset_sampling { samples = 700 } }").diagnosis

    assert asked == SubsetSampling(span=asked.span if asked is not None else None)
    assert own.subset_sampling is not None
    assert own.subset_sampling.samples == 700


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("5%", ("ATP183", "5%")),
        ("misses(top = 50)", ("ATP183", "misses(top = 50)")),
        ("misses(top = 5) > 5%", ("ATP183", "misses(top = 5) > 5%")),
        ("5% > misses(top = 5)", ("ATP183", "5% > misses(top = 5)")),
        ("misses(top = 5) < 5% and 1 < 2", ("ATP183", "misses(top = 5) < 5% and 1 < 2")),
        ("recall(top = 5) < 5%", ("ATP183", "recall(top = 5)")),
        ("misses < 5%", ("ATP183", "misses")),
        ("misses() < 5%", ("ATP183", "misses()")),
        ("misses(5) < 5%", ("ATP183", "misses(5)")),
        ("misses(top = 5, top = 6) < 5%", ("ATP183", "misses(top = 5, top = 6)")),
        ("misses(k = 5) < 5%", ("ATP183", "misses(k = 5)")),
        ("misses(top = 5 at last) < 5%", ("ATP183", "misses(top = 5 at last)")),
        ("misses(top = 0) < 5%", ("ATP183", "0")),
        ("misses(top = 5%) < 5%", ("ATP183", "5%")),
        ("misses(top = 2.5) < 5%", ("ATP183", "2.5")),
        ("misses(top = 5) < 0", ("ATP183", "0")),
        ("misses(top = 5) < 0%", ("ATP183", "0%")),
        ("misses(top = 5) < 51%", ("ATP183", "51%")),
        ("misses(top = 5) < 3", ("ATP183", "3")),
        ("misses(top = 5) < 5kg", ("ATP183", "5kg")),
        ("misses(top = 5) < few", ("ATP183", "few")),
        ("misses(top = 5) < -1", ("ATP183", "-1")),
        ("misses(top = 21) < 5%", ("ATP184", "misses(top = 21) < 5%")),
    ],
)
def test_what_is_wrong_with_a_condition_is_told_at_its_place(condition, expected):
    code, text = expected
    told = found(f"verify {{ stop_when = {condition} }}")

    assert told == [(code, text)]


def test_most_is_nothing_without_a_condition():
    assert found("verify { most = 5 }") == [("ATP184", "most = 5")]
    assert found("verify { stop_when = misses(top = 5) < 5%; most = 0 }") == [("ATP109", "0")]


def test_helps_say_what_to_write():
    assert helps("verify { top = 20; stop_when = misses(top = 50) < 5% }") == [
        "write `top = 50` or more in `verify`, or a smaller `misses(top = ...)`"
    ]
    assert helps("verify { stop_when = misses(5) < 5% }") == [
        "write `stop_when = misses(top = 10) < 5%`"
    ]


def test_a_budget_of_time_is_refused_with_what_there_is_instead():
    assert found("verify { budget = 10min }") == [("ATP110", "budget")]
    assert helps("verify { budget = 10min }") == ["limit the number of nodes: `most = 500`"]
    assert "subset_sampling" in helps("verify { confidence = 95% }")[0]


def test_a_share_as_top_is_checked_when_the_nodes_are_counted():
    assert found("verify { top = 1%; stop_when = misses(top = 50) < 5% }") == []


def test_where_an_exact_method_measures_every_node_it_is_a_warning():
    text = "method ap\nmethod atp\nverify { stop_when = misses(top = 5) < 5% }"
    experiment, told = resolved(complete(text))

    assert [(problem.code, problem.severity) for problem in told] == [
        ("ATP182", Severity.WARNING)
    ]
    assert experiment is not None
