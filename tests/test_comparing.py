"""`atpdsl compare` from a spec file to a folder, on the embedded model."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import atpdsl
from atpdsl import driver
from atpdsl.comparing import Wanted, candidates, estimation
from atpdsl.planning.ops import Estimate, Side
from atpdsl.planning.schemes import OnePair, Tree
from atpdsl.problems import RunError, SpecError
from atpdsl.results.comparison import Truth

# 4 layers; the prompts differ from the second subject on.
SPEC = """\
atp 1
model "tiny"
prompts ioi {
  template "When {IO} and {S} went to the {place}, {S as S2} gave a {object} to"
  slot IO, S  in ["Mary", "John", "Tom", "Anna"]
  slot place  in ["store", "park"]
  slot object in ["drink", "book"]
  corrupt S2 -> IO
  answer " {IO}" vs " {S}"
  count = 2
}
metric logit_diff at last
nodes { heads.q, heads.k, heads.z at S2, last, 1 }
"""
LAYERS, HEADS, PAIRS = 4, 4, 2
# Of three positions `1` is before the difference. In the last layer queries and outputs matter
# at `last` only.
CANDIDATES = 3 * LAYERS * HEADS * 2 - 2 * HEADS


def written(folder: Path, more: str = "method atp\n", name: str = "ioi.atp") -> Path:
    path = folder / name
    path.write_text(SPEC + more)
    return path


def prepared(folder: Path, more: str = "method atp\n", **wanted):
    return driver.plan_comparison(driver.check(written(folder, more)), Wanted(**wanted))


def problem(folder: Path, more: str, **wanted):
    with pytest.raises(SpecError) as caught:
        prepared(folder, more, **wanted)
    (found,) = caught.value.problems
    return found


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compared")
    return atpdsl.compare(written(folder), out=folder / "out")


# ---- what a method's estimates cost


def cost(folder: Path, method: str, weight: float = 2.0, nodes: str = "") -> float:
    text = SPEC.replace("heads.q, heads.k, heads.z", nodes) if nodes else SPEC
    path = folder / "cost.atp"
    path.write_text(f"{text}method {method}\n")
    bound = driver.check(path).points[0].bound
    assert bound is not None
    return estimation(bound, bound.experiment.methods[0], weight).runs


def test_forwards_and_backwards_are_counted_as_the_paper_does(tmp_path):
    assert cost(tmp_path, "atp") == 4
    assert cost(tmp_path, "atp { qk_fix = on }") == 6
    assert cost(tmp_path, "star = atp* { grad_drop = every_layer }") == 2 + (LAYERS + 1) + 2
    assert cost(tmp_path, "atp { grad_drop = first_reader }") == 4
    assert cost(tmp_path, "random") == 2


def test_the_weight_of_a_backward_can_be_chosen(tmp_path):
    assert cost(tmp_path, "atp", weight=1.0) == 3
    assert cost(tmp_path, "star = atp* { grad_drop = every_layer }", 1.0) == 2 + 2.5 + 2


def test_the_fix_costs_nothing_where_no_query_or_key_is(tmp_path):
    assert cost(tmp_path, "atp { qk_fix = on }", nodes="heads.z") == 4


def test_methods_that_need_no_gradient_are_compared_on_any_metric(tmp_path):
    path = tmp_path / "kl.atp"
    path.write_text(SPEC.replace("logit_diff", "kl") + "method ap\n")
    found = driver.plan_comparison(driver.check(path), Wanted())

    assert found.left_out == "`atp`, `atp_qk`, `star`: the metric has no gradient to use"
    assert driver.check(written(tmp_path, "method random\n")).errors == ()
    path.write_text(SPEC.replace("logit_diff", "kl") + "method random\n")
    assert driver.check(path).errors == ()


def test_metrics_that_a_method_does_not_need_are_not_counted(tmp_path):
    path = tmp_path / "kl.atp"
    path.write_text(SPEC.replace("logit_diff", "kl") + "method atp { direction = denoising }\n")
    bound = driver.check(path).points[0].bound
    found = estimation(bound, bound.experiment.methods[0], 2.0)

    # Both sides are run in any case; the clean one is the reference.
    assert found.runs == 4
    assert found.counts.backward_sequences == PAIRS


def test_patched_sets_are_counted_apart(tmp_path):
    bound = driver.check(written(tmp_path, "method blocks { size = 5 }\n")).points[0].bound
    found = estimation(bound, bound.experiment.methods[0], 2.0)

    assert found.runs == 2
    assert found.sets == math.ceil(bound.node_count / 5)


# ---- what is planned


def test_searches_are_given_the_exact_effects(tmp_path):
    plan = prepared(tmp_path).planned.plan
    sources = {
        m.call.label: m.reductions[0].source
        for m in plan.methods
        if isinstance(m.reductions[0], Estimate)
    }
    exact = next(m.reductions for m in plan.methods if m.exact)

    assert all(reduce.keep_pairs for reduce in exact)
    for source in sources.values():
        searches = isinstance(source.scheme, OnePair | Tree)
        assert source.known == (exact if searches else ())


def test_what_the_spec_verifies_is_left_aside(tmp_path):
    more = "method atp\nverify { top = 2 }\nexpect { spearman(atp, truth) > 0.5 }\n"
    plan = prepared(tmp_path, more).planned.plan

    assert plan.verifications == ()
    assert plan.bound.experiment.expectations == ()


def test_nodes_before_the_first_difference_are_no_candidates(tmp_path):
    bound = prepared(tmp_path).planned.plan.bound
    mask = candidates(bound, Side.CLEAN).reshape(3, LAYERS, HEADS, 3)

    assert not mask[..., 2].any()
    assert mask[:, :-1, :, :2].all()
    assert mask.sum() == CANDIDATES


def test_nodes_that_the_metric_cannot_see_are_no_candidates(tmp_path):
    bound = prepared(tmp_path).planned.plan.bound
    last = candidates(bound, Side.CLEAN).reshape(3, LAYERS, HEADS, 3)[:, -1]

    # Queries, keys and outputs at S2, last, 1.
    assert [kind.all(axis=0).tolist() for kind in last] == [
        [False, True, False],
        [True, True, False],
        [False, True, False],
    ]


def test_the_number_of_forwards_is_known_before(tmp_path):
    nodes = CANDIDATES

    assert prepared(tmp_path).forwards == nodes * PAIRS
    found = problem(tmp_path, "method atp\n", most_forwards=nodes * PAIRS - 1)
    assert found.code == "ATP428"
    assert f"takes {nodes * PAIRS} forwards" in found.message
    assert f"--most-forwards {nodes * PAIRS}" in found.help


def test_a_sweep_has_to_be_narrowed_to_one_point(tmp_path):
    more = "sweep width in [1, 2]\nrun { seed = width }\nmethod atp\n"
    found = problem(tmp_path, more)

    assert found.code == "ATP426"
    assert "-p width=VALUE" in found.help
    study = driver.check(written(tmp_path, more), driver.Access(given={"width": "2"}))
    assert driver.plan_comparison(study, Wanted()).forwards > 0


def test_what_cannot_be_compared_is_said(tmp_path):
    assert problem(tmp_path, "method atp\nrun { executor = null }\n").code == "ATP428"
    assert problem(tmp_path, "method atp\n", methods=("apt",)).code == "ATP111"
    path = tmp_path / "equal.atp"
    path.write_text(SPEC.replace("S2, last, 1", "0, 1") + "method atp\n")
    with pytest.raises(SpecError, match="ATP428: there is nothing to compare"):
        driver.plan_comparison(driver.check(path), Wanted())


def test_a_spec_with_errors_is_refused(tmp_path):
    assert problem(tmp_path, "method attp\n").code == "ATP111"


# ---- what comes out


def scores_of(comparison, label: str, column: str) -> np.ndarray:
    frame = comparison.result.scores
    mine = frame[(frame["method"] == label) & (frame["position"] != "1")]
    return mine[column].to_numpy(float)


@pytest.mark.parametrize(("label", "before"), [("atp", 4), ("atp_qk", 6), ("star", 9)])
def test_costs_are_those_counted_node_by_node(compared, label, before):
    estimate = scores_of(compared, label, "estimate")
    truth = np.abs(scores_of(compared, "ap", "effect"))
    truth[truth < 1e-5 * truth.max()] = 0
    order = sorted(range(len(truth)), key=lambda n: -estimate[n])
    curve = compared.curves[compared.curves["method"] == label]

    for k, cost in zip(curve["k"], curve["cost"], strict=True):
        limit = sorted(truth, reverse=True)[k - 1]
        above = {n for n in order if truth[n] > limit}
        needed = next(
            j
            for j in range(k, len(order) + 1)
            if above <= set(order[:j]) and sum(truth[n] >= limit for n in order[:j]) >= k
        )
        assert cost == before + needed


def test_estimates_with_gradients_are_ahead_of_chance(compared):
    rank = list(compared.table["method"])

    assert set(rank) == {
        *("atp", "atp_qk", "star", "subsampling"),
        *("blocks", "hierarchical", "iterative", "random"),
    }
    assert max(rank.index(name) for name in ("atp", "atp_qk", "star")) < rank.index("random")
    assert list(compared.table["irwrgm"]) == sorted(compared.table["irwrgm"])


def test_known_effects_change_nothing_but_the_work(compared, tmp_path):
    for label in ("hierarchical", "iterative"):
        alone = atpdsl.run(written(tmp_path, f"method {label}\n"), out=tmp_path / label)
        frame = alone.scores[alone.scores["position"] != "1"]

        np.testing.assert_allclose(
            scores_of(compared, label, "estimate"),
            frame["estimate"].to_numpy(float),
            rtol=2e-3,  # float32, and other batches
            atol=1e-4,
        )


def test_the_folder_has_the_result_too(compared):
    names = {path.name for path in compared.directory.iterdir()}

    assert {"result.json", "scores.parquet", "comparison.json", "comparison.csv"} <= names
    assert atpdsl.load_comparison(compared.directory).record == compared.record
    assert atpdsl.load(compared.directory).record == compared.result.record
    assert compared.record.exact[0].candidates == CANDIDATES


def test_the_truth_can_be_the_mean_of_absolute_values(tmp_path):
    found = atpdsl.compare(
        written(tmp_path), methods="random", truth="mean_abs", out=tmp_path / "out"
    )
    largest = scores_of(found, "ap", "effect_abs").max()

    assert found.record.truth == Truth.MEAN_ABS.value
    assert found.record.exact[0].largest == pytest.approx(largest)
    with pytest.raises(ValueError, match="median"):
        atpdsl.compare(written(tmp_path), truth="median")


def test_a_folder_with_something_else_is_noticed_before_the_run(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")

    with pytest.raises(RunError) as caught:
        atpdsl.compare(written(tmp_path), methods=["random"], out=tmp_path / "out")
    assert caught.value.problems[0].code == "ATP441"
