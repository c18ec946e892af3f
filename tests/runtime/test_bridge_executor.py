"""The bridge executor: counts, batches, verification, state left as found, numbers refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from atpdsl.binding.nodeset import NodeSet
from atpdsl.passes import optimize
from atpdsl.planning.outcome import AT_RANDOM, Outcome
from atpdsl.problems import RunError
from atpdsl.runtime.bridge import BridgeExecutor
from atpdsl.runtime.executor import EXECUTORS, Silent
from atpdsl.runtime.null import NullExecutor
from atpdsl.semantics.experiment import Direction, RunSettings, VerifyCall
from tests.engine import NOWHERE, execute, experiment, loaded, make_plan, token_pair
from tests.small_models import small_model

NOISING, DENOISING = Direction.NOISING, Direction.DENOISING
HEADS = NodeSet(
    kind="heads.z",
    layers=(0, 1, 2),
    indices=(0, 1, 2, 3),
    positions=tuple(map(str, range(6))),
)
QUERIES = NodeSet(kind="heads.q", layers=(1, 2), indices=(1, 3), positions=("S", "last"))
MLPS = NodeSet(kind="mlp", layers=(0, 1, 2), indices=(0,), positions=("sequence",))
SETS = (HEADS, QUERIES, MLPS)
PAIRS = [
    token_pair([0, 2, 3, 4, 5, 6], [0, 2, 13, 4, 15, 6], 20, 30, {"S": (2, 2)}),
    token_pair([0, 7, 8, 9, 10, 11], [0, 17, 8, 19, 10, 11], 21, 31, {"S": (1, 1)}),
    token_pair([0, 4, 5, 6], [0, 14, 5, 6], 22, 32, {"S": (1, 1)}),
    token_pair([0, 5, 5, 6, 7], [0, 5, 25, 6, 7], 23, 33, {"S": (3, 3)}),
]
VERIFY = VerifyCall(top=5, random=4, methods=("atp",), span=NOWHERE)


@pytest.fixture(scope="module")
def model():
    return small_model("gpt2", torch.float64)


def outcome(model, *methods, sets=SETS, verify=None, passes=True, **settings) -> Outcome:
    run = RunSettings(**{"per_pair": True, **settings})
    plan = make_plan(PAIRS, sets, experiment(methods=methods, verify=verify, run=run))
    return execute(model, optimize(plan) if passes else plan)


def test_what_was_counted_is_what_the_plan_said(model):
    asked = experiment(methods=(("atp", NOISING), ("ap", DENOISING)), run=RunSettings(batch=2))
    plan = optimize(make_plan(PAIRS, SETS, asked))

    ran = execute(model, plan)
    counted = NullExecutor().execute(plan, None, Silent())
    assert {s.name: s.counts for s in ran.stages} == {s.name: s.counts for s in counted.stages}


def test_the_model_is_called_as_often_as_is_counted(model):
    bridge = loaded(model)
    calls = []
    handle = bridge.bridge.original_model.register_forward_hook(lambda *_: calls.append(1))
    asked = experiment(methods=(("atp", NOISING),), verify=VERIFY)
    plan = optimize(make_plan(PAIRS, SETS, asked))

    result = BridgeExecutor().execute(plan, bridge, Silent())
    handle.remove()
    assert len(calls) == result.counts.forward_calls


def test_sequences_and_backward_passes_are_counted_as_they_are_run(model, monkeypatch):
    rows: list[int] = []
    backwards: list[int] = []
    gradient = torch.autograd.grad

    def counted(outputs, inputs, **how):
        backwards.append(len(outputs))
        return gradient(outputs, inputs, **how)

    monkeypatch.setattr(torch.autograd, "grad", counted)
    bridge = loaded(model)
    handle = bridge.bridge.original_model.register_forward_hook(
        lambda _module, _arguments, output: rows.append(len(output.logits))
    )
    methods = (("atp", NOISING), ("atp", DENOISING), ("ap", DENOISING))
    asked = experiment(methods=methods, verify=VERIFY, run=RunSettings(batch=3))
    plan = replace(optimize(make_plan(PAIRS, SETS, asked)), rows_per_call=37)
    counts = BridgeExecutor().execute(plan, bridge, Silent()).counts
    handle.remove()

    assert (len(rows), sum(rows)) == (counts.forward_calls, counts.forward_sequences)
    assert (len(backwards), sum(backwards)) == (
        counts.backward_calls,
        counts.backward_sequences,
    )


def test_one_batch_or_many_give_the_same_numbers(model):
    one = outcome(model, ("atp", NOISING), ("ap", NOISING), verify=VERIFY)
    many = outcome(model, ("atp", NOISING), ("ap", NOISING), verify=VERIFY, batch=1)

    for a, b in zip(one.methods, many.methods, strict=True):
        for x, y in zip(a.per_pair, b.per_pair, strict=True):
            np.testing.assert_allclose(x, y, atol=1e-12)
    np.testing.assert_array_equal(one.verified[0].nodes, many.verified[0].nodes)


def test_the_passes_do_not_change_the_numbers(model):
    plain = outcome(model, ("atp", NOISING), ("ap", DENOISING), passes=False)
    optimized = outcome(model, ("atp", NOISING), ("ap", DENOISING))

    for a, b in zip(plain.methods, optimized.methods, strict=True):
        for x, y in zip(a.per_pair, b.per_pair, strict=True):
            np.testing.assert_allclose(x, y, atol=1e-12)


def test_verified_effects_are_those_of_the_exhaustive_sweep(model):
    chosen = outcome(model, ("atp", NOISING), verify=VERIFY).verified[0]
    swept = outcome(model, ("ap", NOISING)).methods[0]

    assert chosen.per_pair is not None
    assert len(chosen.nodes) == 9
    for n, (number, flat) in enumerate(chosen.nodes):
        expected = swept.per_pair[number].reshape(len(PAIRS), -1)[:, flat]
        np.testing.assert_allclose(chosen.per_pair[:, n], expected, atol=1e-12)


def test_verification_from_an_exhaustive_method_gives_the_same_as_patching_again(model):
    patched = outcome(model, ("atp", NOISING), verify=VERIFY).verified[0]
    taken = outcome(model, ("atp", NOISING), ("ap", NOISING), verify=VERIFY).verified[0]

    np.testing.assert_array_equal(patched.nodes, taken.nodes)
    np.testing.assert_allclose(patched.per_pair, taken.per_pair, atol=1e-12)
    np.testing.assert_allclose(patched.statistics.mean, taken.statistics.mean, atol=1e-12)
    np.testing.assert_array_equal(patched.statistics.pairs, taken.statistics.pairs)


def test_the_chosen_nodes_are_the_best_estimates_and_others_by_lot(model):
    result = outcome(model, ("atp", NOISING), verify=VERIFY)
    chosen = result.verified[0]
    scores = np.concatenate([s.mean_abs.reshape(-1) for s in result.methods[0].statistics])
    starts = np.cumsum([0, *(len(nodes) for nodes in SETS)])
    flat = [starts[number] + node for number, node in chosen.nodes]

    assert flat[:5] == list(np.argsort(-np.nan_to_num(scores, nan=-1), kind="stable")[:5])
    assert chosen.chosen_by == ("atp",) * 5 + (AT_RANDOM,) * 4
    assert len(set(flat)) == 9


def test_the_lot_depends_on_the_seed_only(model):
    first = outcome(model, ("atp", NOISING), verify=VERIFY, seed=1).verified[0]
    again = outcome(model, ("atp", NOISING), verify=VERIFY, seed=1).verified[0]
    other = outcome(model, ("atp", NOISING), verify=VERIFY, seed=2).verified[0]

    np.testing.assert_array_equal(first.nodes, again.nodes)
    assert not np.array_equal(first.nodes, other.nodes)


def test_nodes_that_are_zero_by_construction_are_not_verified(model):
    everything = VerifyCall(top=1, random=10_000, methods=("atp",), span=NOWHERE)
    chosen = outcome(model, ("atp", NOISING), verify=everything).verified[0]

    # Position 0 is the same token in every pair; all else differs in some pair.
    dead = 3 * 4
    # In the last layer a head must be where the metric reads: at 3, 4 or 5.
    dead += 4 * 2 + 2
    assert chosen.population == sum(len(nodes) for nodes in SETS) - dead
    assert len(chosen.nodes) == chosen.population


def test_the_estimate_is_the_mean_of_absolute_values_over_pairs(model):
    method = outcome(model, ("atp", NOISING)).methods[0]

    for statistics, values in zip(method.statistics, method.per_pair, strict=True):
        with np.errstate(invalid="ignore"):
            present = ~np.isnan(values)
        np.testing.assert_array_equal(statistics.pairs, present.sum(0))
        filled = np.where(present, values, 0)
        some = statistics.pairs > 0
        expected = np.abs(filled).sum(0)[some] / statistics.pairs[some]
        np.testing.assert_allclose(statistics.mean_abs[some], expected, atol=1e-14)


def test_opposite_effects_cancel_in_the_mean_and_not_in_the_mean_of_absolutes():
    from atpdsl.runtime.statistics import Accumulator, Part

    sums = Accumulator((1,))
    exists = np.array([[True], [True]])
    sums.add((0, 1), Part(signed=np.array([[1.0], [-1.0]]), exists=exists))
    found = sums.statistics()

    assert found.mean[0] == 0.0
    assert found.mean_abs[0] == 1.0
    assert found.mean_square[0] == 1.0


def test_a_pair_without_the_position_is_left_out_of_the_mean(model):
    method = outcome(model, ("atp", NOISING)).methods[0]
    counts = method.statistics[0].pairs

    assert counts[0, 0].tolist() == [4, 4, 4, 4, 3, 2]


def test_parameters_hooks_and_gradients_are_left_as_found(model):
    bridge = loaded(model)
    mine = []
    bridge.bridge.add_hook("blocks.0.hook_resid_pre", lambda t, hook: mine.append(1))
    before = bridge.bridge(torch.tensor([[0, 1, 2]]))
    asked = experiment(methods=(("atp", NOISING), ("ap", NOISING)))

    BridgeExecutor().execute(optimize(make_plan(PAIRS, SETS, asked)), bridge, Silent())
    seen = len(mine)
    after = bridge.bridge(torch.tensor([[0, 1, 2]]))

    assert torch.equal(before, after)
    assert len(mine) == seen + 1
    assert all(p.grad is None for p in bridge.bridge.parameters())
    assert not any(p.requires_grad for p in bridge.bridge.parameters())


def test_a_result_that_is_not_finite_is_refused(model):
    broken = loaded(model)
    broken.bridge.original_model.lm_head.weight.data.fill_(float("inf"))
    asked = experiment(methods=(("atp", NOISING),))

    with pytest.raises(RunError) as caught:
        BridgeExecutor().execute(optimize(make_plan(PAIRS, SETS, asked)), broken, Silent())
    assert caught.value.problems[0].code == "ATP404"


def test_executors_are_made_by_name():
    assert EXECUTORS.names == ("auto", "native", "bridge", "null")
    assert isinstance(EXECUTORS["null"].make(), NullExecutor)
    assert isinstance(EXECUTORS["bridge"].make(), BridgeExecutor)


def test_the_null_executor_gives_results_of_the_right_shape_without_a_model():
    asked = experiment(methods=(("atp", NOISING),), verify=VERIFY)
    plan = optimize(make_plan(PAIRS, SETS, asked))
    result = NullExecutor().execute(plan, None, Silent())

    assert [s.mean.shape for s in result.methods[0].statistics] == [n.shape for n in SETS]
    assert np.isnan(result.clean_metric).all()
    assert result.counts.backward_calls == 1


def test_identical_prompts_give_exactly_zero_everywhere(model):
    same = [token_pair([0, 1, 2, 3], [0, 1, 2, 3], 7, 8, {"S": (1, 1)})]
    asked = experiment(methods=(("atp", NOISING), ("ap", NOISING), ("ap", DENOISING)))

    # Without the pass that skips equal prefixes rounding noise would be left: rows of another
    # batch size are not summed in the same order.
    result = execute(model, optimize(make_plan(same, SETS, asked)))
    for method in result.methods:
        for values in method.per_pair:
            assert np.nan_to_num(np.abs(values)).max() == 0.0


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_the_gradient_mode_of_the_caller_does_not_matter(model, mode):
    expected = outcome(model, ("atp", NOISING)).methods[0].per_pair
    bridge = loaded(model)
    run = RunSettings(per_pair=True)
    plan = make_plan(PAIRS, SETS, experiment(methods=(("atp", NOISING),), run=run))
    with mode():
        found = BridgeExecutor().execute(optimize(plan), bridge, Silent()).methods[0].per_pair

    for x, y in zip(expected, found, strict=True):
        np.testing.assert_array_equal(x, y)


def test_a_node_that_no_gradient_reaches_is_refused(model, monkeypatch):
    def unreached(_metric, sites, **_):
        return tuple(None for _ in sites)

    monkeypatch.setattr(torch.autograd, "grad", unreached)
    plan = optimize(make_plan(PAIRS, SETS, experiment(methods=(("atp", NOISING),))))

    with pytest.raises(RunError) as caught:
        BridgeExecutor().execute(plan, loaded(model), Silent())
    assert caught.value.problems[0].code == "ATP405"
