from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from atpdsl.binding.nodeset import NodeSet
from atpdsl.planning.outcome import AT_RANDOM, BY_BOUND, MethodOutcome, Outcome, VerifiedOutcome
from atpdsl.results.bounds import bound_records, sampling_of
from atpdsl.results.rank_statistics import clopper_pearson_upper
from atpdsl.results.trust import Recall
from atpdsl.results.verification import verify_estimates
from tests.results.raw import EVERYTHING, diagnosed
from tests.results.samples import call, statistics

NODES = NodeSet(kind="mlp", layers=tuple(range(10)), indices=(0,), positions=("0", "1"))


def run(
    estimates: dict[int, float],
    effects: dict[int, tuple[float, str]],
    *,
    means: dict[int, float] | None = None,
    population: int = 20,
    nodes: int = 20,
) -> Outcome:
    """Nodes, zero but for `estimates`; measured are those of `effects`, chosen by a word."""
    node_set = (
        NODES if nodes == 20 else replace(NODES, layers=tuple(range(nodes)), positions=("0",))
    )
    values = np.zeros(nodes)
    for node, value in estimates.items():
        values[node] = value
    method = MethodOutcome(
        call=call(),
        exact=False,
        sets=(node_set,),
        statistics=(statistics(values.reshape(node_set.shape)),),
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
            {0: (5.0, "atp"), 1: (0.1, "atp"), 2: (3.0, "atp"), 7: (2.0, AT_RANDOM)},
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
            {0: (5.0, "atp"), 1: (4.0, "atp"), 7: (2.0, AT_RANDOM)},
            means={0: 0.0, 1: 4.0, 7: -2.0},
        ),
        top=2,
    )

    assert found.recall_mean_abs == Recall(hits=2, of=2)
    assert found.recall_abs_mean == Recall(hits=1, of=2)


def test_nodes_without_effect_are_not_worth_finding():
    (found,) = verify_estimates(
        run({0: 5.0, 1: 4.0}, {0: (5.0, "atp"), 1: (0.0, "atp"), 7: (0.0, AT_RANDOM)}), top=2
    )

    assert found.recall_mean_abs == Recall(hits=1, of=1)


def test_rank_correlation_leaves_out_what_is_zero_on_both_sides():
    (found,) = verify_estimates(
        run(
            {0: 3.0, 1: 2.0, 2: 1.0},
            {0: (1.0, "atp"), 1: (2.0, "atp"), 2: (3.0, "atp"), 7: (0.0, AT_RANDOM)},
        ),
        top=3,
    )

    assert found.spearman_mean_abs == -1.0


def test_the_largest_misses_come_first():
    (found,) = verify_estimates(
        run({0: 5.0, 1: 4.0}, {0: (4.5, "atp"), 1: (1.0, "atp"), 7: (0.0, AT_RANDOM)}), top=2
    )

    assert [(miss.node, miss.estimate, miss.effect_abs) for miss in found.largest] == [
        ("mlp.L0@1", 4.0, 1.0),
        ("mlp.L0@0", 5.0, 4.5),
    ]


def test_random_nodes_above_the_weakest_of_the_verified_top_are_missed():
    (found,) = verify_estimates(
        run(
            {0: 5.0, 1: 4.0},
            {0: (5.0, "atp"), 1: (2.0, "atp"), 7: (3.0, AT_RANDOM), 8: (2.0, AT_RANDOM)},
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
            {0: (5.0, "atp"), 1: (2.0, "atp"), 2: (4.0, "other"), 7: (1.0, AT_RANDOM)},
        ),
        top=2,
    )

    assert found.unseen is not None
    assert found.unseen.threshold == 4.0


def test_the_bound_is_clopper_pearson_on_the_nodes_that_were_drawn_from():
    measured = {0: (5.0, "atp"), 1: (4.0, "atp")}
    measured |= dict.fromkeys(range(10, 15), (0.1, AT_RANDOM))
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
    measured |= {n: (2.0 if n < 10 + above else 0.1, AT_RANDOM) for n in range(10, 15)}
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
        run({0: 5.0, 1: 1.0}, {0: (5.0, "atp"), 1: (1.0, AT_RANDOM)}, population=2), top=1
    )

    assert found.unseen is None
    assert found.unknown == "nothing about these nodes: every one of them was measured"


def test_nodes_measured_because_of_their_bound_are_neither_on_top_nor_random():
    measured = {0: (5.0, "atp"), 1: (4.0, "atp"), 2: (9.0, BY_BOUND), 3: (0.5, BY_BOUND)}
    measured |= dict.fromkeys(range(10, 15), (0.1, AT_RANDOM))
    (found,) = verify_estimates(run({0: 5.0, 1: 4.0}, measured), top=2)

    assert (found.measured, found.random, found.by_bound) == (9, 5, 2)
    assert found.unseen is not None
    assert found.unseen.threshold == 4.0
    assert (found.unseen.sampled, found.unseen.above) == (5, 0)
    assert "of place 2 in the verified top" in found.unknown


@pytest.mark.parametrize("by_bound", range(6))
def test_what_is_left_is_what_the_sample_allows_without_what_bounds_have_found(by_bound):
    """The sample was drawn from everything but the top: 18 nodes, in whatever order later."""
    measured = {0: (5.0, "atp"), 1: (4.0, "atp")}
    measured |= {n: (4.5 if n < 4 else 0.5, BY_BOUND) for n in range(2, 2 + by_bound)}
    measured |= {10: (6.0, AT_RANDOM)} | dict.fromkeys(range(11, 15), (0.1, AT_RANDOM))
    (found,) = verify_estimates(run({0: 5.0, 1: 4.0}, measured), top=2)
    large = min(by_bound, 2)
    left = 18 - 5 - by_bound

    assert found.unseen is not None
    assert found.unseen.nodes == left
    assert found.unseen.expected == pytest.approx(max(0, 18 / 5 - 1 - large))
    allowed = int(clopper_pearson_upper(1, 5) * 18) - 1 - large
    assert found.unseen.at_most == min(left, allowed)


def test_a_sample_bounds_what_is_left_as_often_as_it_says():
    """40 nodes, 8 of them large; 6 drawn at random, and 12 measured by a bound that sees some.

    Over 400 repeats the bound on the large ones among the rest holds at least 95% of the time;
    the share has a standard error of 0.011.
    """
    draw, held = np.random.default_rng(0), 0
    large = set(range(8))
    for _ in range(400):
        sample = set(draw.choice(40, 6, replace=False).tolist())
        rest = sorted(set(range(40)) - sample, key=lambda n: draw.normal() - (n in large))
        by_bound = set(rest[:12])
        measured = {n: (5.0 if n in large else 0.1, AT_RANDOM) for n in sorted(sample)}
        measured |= {n: (5.0 if n in large else 0.1, BY_BOUND) for n in sorted(by_bound)}
        measured |= {40: (1.0, "atp")}
        (found,) = verify_estimates(run({40: 9.0}, measured, population=41, nodes=41), top=1)
        assert found.unseen is not None
        held += found.unseen.at_most >= len(large - sample - by_bound)

    assert held / 400 >= 0.95 - 3 * 0.011


@pytest.mark.parametrize("stopped", [True, False, None])
def test_a_sequential_verification_says_whether_it_came_to_its_end(stopped):
    computed = run({0: 5.0}, {0: (5.0, "atp"), 3: (1.0, BY_BOUND)})
    (one,) = computed.verified
    (found,) = verify_estimates(
        replace(computed, verified=(replace(one, stopped=stopped),)), top=1
    )

    assert found.stopped is stopped


def test_what_is_unknown_points_to_the_bounds_where_there_are_some():
    bounds = bound_records(diagnosed(), sampling_of(EVERYTHING))
    (with_bounds,) = verify_estimates(diagnosed(), 4, bounds)
    (without,) = verify_estimates(diagnosed(), 4)

    assert with_bounds.unknown == without.unknown + "; how large they may be is in `bounds`"
    assert (with_bounds.by_bound, with_bounds.random, with_bounds.stopped) == (1, 2, True)


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


def test_a_method_may_be_called_random_or_bound():
    computed = run({0: 5.0, 1: 4.0}, {0: (5.0, "random"), 1: (1.0, "bound")})
    (found,) = verify_estimates(computed, top=2)

    assert (found.random, found.by_bound) == (0, 0)
    assert found.unseen is not None
    assert found.unseen.sampled == 0
