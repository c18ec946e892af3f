"""Expectations against results, with a slow twin for the numbers that are computed here."""

from __future__ import annotations

from dataclasses import replace

import networkx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atpdsl.planning.outcome import Outcome
from atpdsl.results.bounds import bound_records, sampling_of
from atpdsl.results.expectations import _ANSWERS
from atpdsl.results.record import ExpectationRecord
from atpdsl.results.result import Result
from atpdsl.semantics.claims import Amount, Asked, Calculated, Claim, Compared, Denied, Joined
from atpdsl.semantics.experiment import CircuitCall, Expectation, Keep, VerifyCall
from atpdsl.semantics.result_functions import RESULT_FUNCTIONS
from tests.binding.build import nodes, only
from tests.results.raw import EVERYTHING, beside, diagnosed, some_arms, spec
from tests.results.samples import NOWHERE, call, experiment, finished, outcome, result

HEAD = nodes("heads.z", "4", layers=only(0), indices=only(3))
UNMEASURED = nodes("heads.z", "0", layers=only(1), indices=only(3))
TRUE, FALSE, UNKNOWN = "true", "false", "unknown"


def asks(function: str, **arguments: object) -> Asked:
    """A question; `methods` are labels, `nodes` one selection."""
    named = {"methods": ("atp",), "text": function, "span": NOWHERE, **arguments}
    return Asked(function=function, **named)  # type: ignore[arg-type]


def compared(left: Asked, sign: str, right: float) -> Compared:
    return Compared(operator=sign, left=left, right=Amount(value=right))


def judged(
    claim: Claim, computed: Outcome | None = None, keep: CircuitCall | None = None
) -> ExpectationRecord:
    verify = VerifyCall(top=4, random=2, methods=("atp",), span=NOWHERE)
    spec = replace(
        experiment(verify=verify),
        circuit=keep,
        expectations=(Expectation(condition=claim, text="text", span=NOWHERE),),
    )
    (record,) = result(computed, experiment=spec).record.expectations
    return record


def value(asked: Asked, computed: Outcome | None = None) -> str:
    return judged(compared(asked, ">", 0), computed).found[0].split(" is ")[1]


def keeping(keep: Keep, amount: float) -> CircuitCall:
    return CircuitCall(method=None, keep=keep, amount=amount, span=NOWHERE)


# ---- numbers ----


def test_every_function_of_this_version_has_an_answer():
    assert set(_ANSWERS) == {
        function.name for function in RESULT_FUNCTIONS if not function.later
    }


def test_recall_of_as_many_as_verified_is_that_of_the_record():
    (verification,) = result().record.verification
    recall = verification.recall_mean_abs

    assert recall is not None
    assert value(asks("recall")).endswith(f"({recall.hits} of {recall.of})")


@given(st.integers(1, 60), st.integers(0, 30))
def test_recall_is_the_share_of_the_true_top_in_the_estimates_top(top, seed):
    computed = outcome(exact=True, seed=seed)
    frame = result(computed).scores
    mine = frame[frame["method"] == "atp"].reset_index(drop=True)
    true_top = mine.sort_values("effect_abs", ascending=False).head(top).index
    own_top = set(mine.sort_values("estimate", ascending=False).head(top).index)
    found = judged(compared(asks("recall", top=top), ">=", 0), computed)

    if top >= len(mine):
        assert found.undecided.endswith("no node outside the estimate's own top was measured")
    else:
        hits = len([node for node in true_top if node in own_top])
        assert found.found[0].endswith(f"({hits} of {len(true_top)})")


def test_a_share_of_all_nodes_is_a_number_of_them():
    computed = outcome(exact=True)

    assert value(asks("recall", top_share=0.1), computed) == value(
        asks("recall", top=6), computed
    )


def test_spearman_with_the_truth_is_that_of_the_record():
    (verification,) = result().record.verification

    assert value(asks("spearman", methods=("atp", None))) == (
        f"{verification.spearman_mean_abs:.3g} (over 6 nodes)"
    )


def test_spearman_of_two_methods_compares_what_each_says_itself():
    computed = outcome(exact=True)
    frame = result(computed).scores
    estimate = frame[frame["method"] == "atp"]["estimate"].to_numpy()
    effect = frame[frame["method"] == "ap"]["effect_abs"].to_numpy()
    order = [np.argsort(np.argsort(column)) for column in (estimate, effect)]
    expected = np.corrcoef(*order)[0, 1]

    found = value(asks("spearman", methods=("atp", "ap")), computed)
    assert float(found.split()[0]) == pytest.approx(expected, abs=5e-4)


def test_verified_nodes_do_not_make_two_estimates_alike():
    first = outcome().methods[0]
    second = replace(outcome(seed=1).methods[0], call=call("other"))
    computed = replace(outcome(), methods=(first, second))
    both = asks("spearman", methods=("atp", "other"))

    without = replace(computed, verified=())
    assert value(both, computed) == value(both, without)


def test_misses_are_those_of_the_record():
    (verification,) = result().record.verification

    assert value(asks("misses")) == str(len(verification.missed))


def test_the_metric_has_a_mean_on_both_sides():
    assert value(asks("clean_metric")) == "3"
    assert judged(compared(asks("corrupted_metric"), "<", 0)).found == (
        "corrupted_metric is -2",
    )
    assert value(asks("gap")) == "5"


def test_an_effect_has_its_sign_and_a_score_has_none():
    assert judged(compared(asks("effect", nodes=(HEAD,)), "<", 0)).found == (
        "effect is -0.7333",
    )
    assert value(asks("score", nodes=(HEAD,))) == "2.2 (measured)"
    assert value(asks("score", nodes=(UNMEASURED,))).endswith("(estimated)")


def test_a_metric_that_is_no_number_decides_nothing():
    computed = replace(outcome(), clean_metric=np.array([np.nan, 1.0, 1.0]))

    assert judged(compared(asks("gap"), ">", 0), computed).undecided == (
        "gap is not known: the metric is no number"
    )


# ---- bounds and flags ----


def said(function: str, computed: Outcome | None = None, **arguments: object) -> str:
    """The answer to a question about the run with every diagnostic."""
    asked = asks(function, **{"methods": ("star",), **arguments})
    line = Expectation(condition=compared(asked, ">=", 0), text="text", span=NOWHERE)
    found = diagnosed() if computed is None else computed
    (record,) = result(
        found, experiment=replace(spec(), expectations=(line,))
    ).record.expectations
    return record.found[0] if record.found else record.undecided


@pytest.mark.parametrize(
    ("asked", "meant"), [(None, 0.95), (0.9, 0.9), (0.99, 0.99), (99.9 / 100, 0.999)]
)
def test_an_upper_bound_is_that_of_the_record(asked, meant):
    (bound,) = bound_records(diagnosed(), sampling_of(EVERYTHING))
    upper = {at.confidence: at.upper for at in bound.at}[meant]

    assert said("upper_bound", confidence=asked) == (
        f"upper_bound is {upper:.4g} (for {bound.nodes} nodes)"
    )


def test_a_bound_at_another_confidence_was_not_computed():
    assert said("upper_bound", confidence=0.8).endswith("no bound at a confidence of 80%")


def test_a_node_in_too_few_sets_leaves_the_bound_undecided():
    computed = diagnosed()
    few = replace(some_arms(), with_count=np.ones(56, np.int64))
    bounds = (replace(computed.bounds[0], arms=few),)

    assert "was in too few sets" in said("upper_bound", replace(computed, bounds=bounds))


def test_without_sets_there_is_no_bound_unless_everything_was_measured():
    exact = asks("upper_bound")

    assert said("upper_bound", replace(diagnosed(), bounds=())).endswith("does that")
    assert value(exact, outcome(exact=True)) == "0 (every node was measured)"


@pytest.mark.parametrize("word", ["cancellation", "saturation", "uncertainty"])
def test_flagged_nodes_are_counted(word):
    table = result(diagnosed(), experiment=spec()).table
    number = sum(word in flags for flags in table["flags"].to_pylist())

    assert said("flagged", word=word) == f"flagged is {number}"
    assert said("flagged", word=word, methods=("other", "star")) == f"flagged is {number}"


def test_a_method_that_says_nothing_of_a_diagnostic_has_no_flags_to_count():
    assert said("flagged", beside(diagnosed()), word="cancellation", methods=("atp",)) == (
        "flagged is not known: the method says nothing of it"
    )


def test_flags_that_were_not_asked_for_are_not_known():
    assert judged(compared(asks("flagged", word="cancellation"), ">", 0)).undecided == (
        "flagged is not known: `diagnose` does not ask for it"
    )


# ---- whether they hold ----


@pytest.mark.parametrize(
    ("sign", "number", "holds"),
    [(">", 5, False), (">=", 5, True), ("==", 5, True), ("!=", 5, False), ("<", 6, True)],
)
def test_numbers_are_compared(sign, number, holds):
    found = judged(compared(asks("gap"), sign, number))

    assert (found.holds, found.undecided, found.text) == (holds, "", "text")


def test_numbers_are_counted_with():
    half = Calculated(operator="/", left=asks("gap"), right=Amount(value=2))

    assert judged(Compared(operator="==", left=half, right=Amount(value=2.5))).holds


def test_a_division_by_zero_cannot_be_decided():
    broken = Calculated(operator="/", left=asks("gap"), right=Amount(value=0))
    found = judged(Compared(operator=">", left=broken, right=Amount(value=0)))

    assert (found.holds, found.undecided) == (False, "it divides by 0")


CLAIMS: dict[str, Claim] = {
    TRUE: compared(asks("gap"), ">", 0),
    FALSE: compared(asks("gap"), "<", 0),
    UNKNOWN: compared(asks("effect", nodes=(UNMEASURED,)), "<", 0),
}


@pytest.mark.parametrize(
    ("joint", "left", "right", "expected"),
    [
        ("and", TRUE, TRUE, TRUE),
        ("and", TRUE, FALSE, FALSE),
        ("and", UNKNOWN, FALSE, FALSE),
        ("and", UNKNOWN, TRUE, UNKNOWN),
        ("or", FALSE, FALSE, FALSE),
        ("or", UNKNOWN, TRUE, TRUE),
        ("or", UNKNOWN, FALSE, UNKNOWN),
    ],
)
def test_one_part_may_decide_what_another_leaves_open(joint, left, right, expected):
    found = judged(Joined(operator=joint, operands=(CLAIMS[left], CLAIMS[right])))

    assert found.holds is (expected == TRUE)
    assert bool(found.undecided) is (expected == UNKNOWN)


def test_what_is_unknown_stays_so_if_it_is_denied():
    found = judged(Denied(operand=CLAIMS[UNKNOWN]))

    assert found.holds is False
    assert "it was not measured" in found.undecided
    assert judged(Denied(operand=CLAIMS[FALSE])).holds


# ---- the circuit ----


def drawn(keep: CircuitCall | None, **changes: object) -> networkx.MultiDiGraph:
    spec = replace(experiment(**changes), circuit=keep)  # type: ignore[arg-type]
    return result(experiment=spec).circuit(prune=False)


@pytest.mark.parametrize("keep", [keeping(Keep.TOP, 7), keeping(Keep.SHARE, 0.12)])
def test_a_circuit_has_exactly_the_nodes_that_are_kept(keep):
    graph = drawn(keep)
    ranks = [facts["rank"] for _, facts in graph.nodes(data=True) if facts["rank"]]

    assert sorted(ranks) == [1, 2, 3, 4, 5, 6, 7]
    assert {"input", "logits"} <= set(graph)
    assert graph.graph["keep"] == 7


def test_what_a_circuit_has_no_use_for_is_pruned():
    spec = replace(experiment(), circuit=keeping(Keep.TOP, 7))
    graph = result(experiment=spec).graph

    # Nobody reads the last layer before the last position.
    dangling = {"heads.z.L1.H2@3", "heads.z.L1.H3@4"}
    assert set(drawn(spec.circuit)) - set(graph) == dangling
    assert graph.graph["pruned"] == 2


def test_a_threshold_keeps_scores_from_it_on():
    scores = result().scores["score"]
    limit = float(scores.sort_values(ascending=False).iloc[8])
    kept = [f["score"] for _, f in drawn(keeping(Keep.THRESHOLD, limit)).nodes(data=True)]

    assert len([score for score in kept if score is not None]) == 9
    assert min(score for score in kept if score is not None) == limit


def test_a_number_of_nodes_that_is_asked_for_counts_more_than_the_spec():
    spec = replace(experiment(), circuit=keeping(Keep.TOP, 7))

    assert len(result(experiment=spec).circuit(keep=10)) == 10 + 2
    assert len(result(experiment=spec).circuit(method="atp", prune=False)) == 7 + 2


def test_the_circuit_is_in_the_record():
    spec = replace(experiment(), circuit=keeping(Keep.SHARE, 0.12))
    circuit = result(experiment=spec).record.circuit

    assert circuit is not None
    assert (circuit.method, circuit.keep, circuit.amount) == ("atp", "share", 0.12)
    assert (circuit.nodes, circuit.left_out) == (7, 0)
    assert result().record.circuit is None


def test_a_circuit_has_a_node_or_one_of_several():
    top, keep = nodes("heads.z", "4", layers=only(0)), keeping(Keep.THRESHOLD, 2.2)

    assert judged(asks("has", nodes=(HEAD,)), keep=keep).found == (
        "has finds 1 in the circuit",
    )
    assert judged(asks("has", nodes=(top,)), keep=keep).holds
    assert not judged(asks("has", nodes=(UNMEASURED,)), keep=keep).holds
    assert judged(Denied(operand=asks("has", nodes=(UNMEASURED,))), keep=keep).holds


def test_a_named_position_may_stand_for_a_number():
    last = nodes("heads.z", "last", layers=only(0), indices=only(3))
    everything = keeping(Keep.TOP, 1000)

    # `last` is token 5 in all three pairs, where the heads are measured by number.
    assert judged(asks("has", nodes=(last,)), keep=everything).holds


def test_too_many_nodes_above_a_threshold_are_a_warning(monkeypatch):
    monkeypatch.setattr("atpdsl.results.kept.MOST_NODES", 5)
    spec = replace(experiment(), circuit=keeping(Keep.THRESHOLD, 1e-9))
    found = result(experiment=spec)

    assert len(found.circuit(prune=False)) == 5 + 2
    assert found.record.warnings[-1].code == "ATP429"
    assert found.record.circuit is not None
    assert found.record.circuit.left_out > 0


# ---- the record ----


def test_a_result_says_which_expectations_do_not_hold(tmp_path):
    lines = tuple(
        Expectation(condition=claim, text=name, span=NOWHERE) for name, claim in CLAIMS.items()
    )
    spec = replace(experiment(), expectations=lines)
    saved = result(experiment=spec).save(tmp_path / "run")
    loaded = Result.load(tmp_path / "run")

    assert [one.text for one in saved.record.unmet] == [FALSE, UNKNOWN]
    assert loaded.record.expectations == saved.record.expectations


def test_a_run_that_computes_nothing_is_not_judged():
    spec = replace(
        experiment(), expectations=(Expectation(condition=CLAIMS[TRUE], text="", span=NOWHERE),)
    )
    values = outcome()
    nothing = replace(
        values,
        verified=(),
        methods=tuple(
            replace(
                method,
                statistics=tuple(
                    replace(s, mean=s.mean * np.nan, mean_abs=s.mean_abs * np.nan)
                    for s in method.statistics
                ),
            )
            for method in values.methods
        ),
    )

    assert finished(nothing, experiment=spec).experiment.expectations
    assert result(nothing, experiment=spec).record.expectations == ()
