from __future__ import annotations

import numpy as np
import pytest

from atpdsl.binding.nodeset import NodeSet
from atpdsl.planning.outcome import MethodOutcome, Outcome, VerifiedOutcome
from atpdsl.results.rank_statistics import clopper_pearson_upper
from atpdsl.results.record import Recall
from atpdsl.results.verification import verify_estimates
from tests.results.samples import call, statistics

NODES = NodeSet(kind="mlp", layers=tuple(range(10)), indices=(0,), positions=("0", "1"))


def run(
    estimates: dict[int, float],
    effects: dict[int, tuple[float, str]],
    *,
    means: dict[int, float] | None = None,
    population: int = 20,
) -> Outcome:
    """20 nodes, zero but for `estimates`; measured are those of `effects`, chosen by a word."""
    values = np.zeros(20)
    for node, value in estimates.items():
        values[node] = value
    method = MethodOutcome(
        call=call(),
        exact=False,
        sets=(NODES,),
        statistics=(statistics(values.reshape(NODES.shape)),),
    )
    measured = statistics(np.array([value for value, _ in effects.values()]))
    if means is not None:
        measured = type(measured)(
            pairs=measured.pairs,
            mean=np.array([means[node] for node in effects]),
            mean_abs=measured.mean_abs,
            mean_square=measured.mean_square,
        )
    verified = VerifiedOutcome(
        labels=("atp",),
        nodes=np.array([[0, node] for node in effects]),
        chosen_by=tuple(word for _, word in effects.values()),
        statistics=measured,
        population=population,
    )
    return Outcome(
        methods=(method,),
        verified=(verified,),
        clean_metric=np.zeros(3),
        corrupted_metric=np.zeros(3),
        stages=(),
    )


def test_recall_counts_the_truly_largest_that_are_on_top_of_the_estimate():
    (found,) = verify_estimates(
        run(
            {0: 5.0, 1: 4.0, 2: 3.0},
            {0: (5.0, "atp"), 1: (0.1, "atp"), 2: (3.0, "atp"), 7: (2.0, "random")},
        ),
        top=3,
    )

    assert found.recall_mean_abs == Recall(hits=2, of=3)
    assert (found.nodes, found.measured, found.random) == (20, 4, 1)


def test_there_is_no_recall_where_only_the_top_of_the_estimate_was_measured():
    (found,) = verify_estimates(
        run({0: 5.0, 1: 4.0, 2: 3.0}, {0: (5.0, "atp"), 1: (0.1, "atp")}), top=2
    )

    assert found.recall_mean_abs is None
    assert found.recall_abs_mean is None


def test_recall_is_by_both_truths():
    (found,) = verify_estimates(
        run(
            {0: 5.0, 1: 4.0},
            {0: (5.0, "atp"), 1: (4.0, "atp"), 7: (2.0, "random")},
            means={0: 0.0, 1: 4.0, 7: -2.0},
        ),
        top=2,
    )

    assert found.recall_mean_abs == Recall(hits=2, of=2)
    assert found.recall_abs_mean == Recall(hits=1, of=2)


def test_nodes_without_effect_are_not_worth_finding():
    (found,) = verify_estimates(
        run({0: 5.0, 1: 4.0}, {0: (5.0, "atp"), 1: (0.0, "atp"), 7: (0.0, "random")}), top=2
    )

    assert found.recall_mean_abs == Recall(hits=1, of=1)


def test_rank_correlation_leaves_out_what_is_zero_on_both_sides():
    (found,) = verify_estimates(
        run(
            {0: 3.0, 1: 2.0, 2: 1.0},
            {0: (1.0, "atp"), 1: (2.0, "atp"), 2: (3.0, "atp"), 7: (0.0, "random")},
        ),
        top=3,
    )

    assert found.spearman_mean_abs == -1.0


def test_the_largest_misses_come_first():
    (found,) = verify_estimates(
        run({0: 5.0, 1: 4.0}, {0: (4.5, "atp"), 1: (1.0, "atp"), 7: (0.0, "random")}), top=2
    )

    assert [(miss.node, miss.estimate, miss.effect_abs) for miss in found.largest] == [
        ("mlp.L0@1", 4.0, 1.0),
        ("mlp.L0@0", 5.0, 4.5),
    ]


def test_random_nodes_above_the_weakest_of_the_verified_top_are_missed():
    (found,) = verify_estimates(
        run(
            {0: 5.0, 1: 4.0},
            {0: (5.0, "atp"), 1: (2.0, "atp"), 7: (3.0, "random"), 8: (2.0, "random")},
        ),
        top=2,
    )

    assert [miss.node for miss in found.missed] == ["mlp.L3@1"]
    assert found.unseen is not None
    assert found.unseen.threshold == 2.0
    assert (found.unseen.sampled, found.unseen.above) == (2, 1)


def test_the_threshold_is_the_k_th_largest_of_the_top_whoever_chose_it():
    (found,) = verify_estimates(
        run(
            {0: 5.0, 1: 4.0, 2: 3.0},
            {0: (5.0, "atp"), 1: (2.0, "atp"), 2: (4.0, "other"), 7: (1.0, "random")},
        ),
        top=2,
    )

    assert found.unseen is not None
    assert found.unseen.threshold == 4.0


def test_the_bound_is_clopper_pearson_on_the_nodes_that_were_drawn_from():
    measured = {0: (5.0, "atp"), 1: (4.0, "atp")}
    measured |= dict.fromkeys(range(10, 15), (0.1, "random"))
    (found,) = verify_estimates(run({0: 5.0, 1: 4.0}, measured, population=18), top=2)

    assert found.unseen is not None
    assert found.unseen.nodes == 18 - 7
    assert found.unseen.at_most == int(clopper_pearson_upper(0, 5) * (18 - 2))
    assert found.unseen.expected == 0.0
    assert "Clopper-Pearson" in found.unseen.bound
    assert found.unknown == (
        "11 nodes that can have an effect were not measured; with 95% confidence at most 7 of"
        " them have a larger one than 4, that of place 2 in the verified top (0 of 5 drawn at"
        " random has)"
    )


@pytest.mark.parametrize("above", [0, 1, 5])
def test_never_more_nodes_are_unknown_than_were_not_measured(above):
    measured = {0: (1.0, "atp")}
    measured |= {n: (2.0 if n < 10 + above else 0.1, "random") for n in range(10, 15)}
    (found,) = verify_estimates(run({0: 5.0}, measured), top=1)

    assert found.unseen is not None
    assert found.unseen.above == above
    assert found.unseen.at_most <= found.unseen.nodes == 14


def test_without_a_random_sample_nothing_is_said_about_the_rest():
    (found,) = verify_estimates(run({0: 5.0}, {0: (5.0, "atp")}), top=1)

    assert found.unseen is not None
    assert found.unseen.expected is None
    assert found.unseen.at_most == 19
    assert "none was drawn at random" in found.unknown


def test_when_every_node_that_can_matter_was_measured_nothing_is_unknown():
    (found,) = verify_estimates(
        run({0: 5.0, 1: 1.0}, {0: (5.0, "atp"), 1: (1.0, "random")}, population=2), top=1
    )

    assert found.unseen is None
    assert found.unknown == "nothing about these nodes: every one of them was measured"


def with_exact(outcome: Outcome, effects: np.ndarray, direction: str) -> Outcome:
    exact = MethodOutcome(
        call=call("truth", "ap", direction),
        exact=True,
        sets=(NODES,),
        statistics=(statistics(effects.reshape(NODES.shape)),),
    )
    return Outcome(
        methods=(*outcome.methods, exact),
        verified=outcome.verified,
        clean_metric=outcome.clean_metric,
        corrupted_metric=outcome.corrupted_metric,
        stages=(),
    )


def test_an_exact_method_over_the_same_nodes_is_the_truth_for_all_of_them():
    effects = np.zeros(20)
    effects[[0, 5]] = 5.0, 3.0
    computed = with_exact(run({0: 5.0, 1: 4.0}, {0: (5.0, "atp")}), effects, "noising")
    (found,) = verify_estimates(computed, top=2)

    assert (found.truth, found.measured, found.nodes, found.unseen) == ("truth", 20, 20, None)
    assert found.recall_mean_abs == Recall(hits=1, of=2)
    assert found.unknown == "nothing about these nodes: `truth` measured every one of them"


def test_an_exact_method_in_the_other_direction_says_nothing():
    computed = with_exact(run({0: 5.0}, {0: (5.0, "atp")}), np.ones(20), "denoising")
    (found,) = verify_estimates(computed, top=1)

    assert found.truth == "verify"


def test_an_estimate_without_truth_has_no_verification():
    computed = run({0: 5.0}, {0: (5.0, "atp")})
    bare = Outcome(
        methods=computed.methods,
        verified=(),
        clean_metric=np.zeros(3),
        corrupted_metric=np.zeros(3),
        stages=(),
    )

    assert verify_estimates(bare, top=3) == ()
