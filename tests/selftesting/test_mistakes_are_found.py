"""A self-test that cannot fail is worth nothing: each mistake here must be found."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from atpdsl.planning.outcome import Outcome
from atpdsl.planning.target import NATIVE
from atpdsl.runtime import softmax
from atpdsl.runtime.native.executor import NativeExecutor
from atpdsl.selftesting import subject as subjects
from atpdsl.selftesting.alone import Alone
from atpdsl.selftesting.analytic_attention import attention_cases
from atpdsl.selftesting.analytic_counting import counting_cases
from atpdsl.selftesting.analytic_layers import layer_cases
from atpdsl.selftesting.state import state_checks, state_of
from tests.selftesting.subjects import every_check, failed, subject


def wrong(monkeypatch, change) -> None:
    """The engine, with its numbers changed afterwards."""

    class Wrong(NativeExecutor):
        def execute(self, plan, model, progress) -> Outcome:
            outcome = super().execute(plan, model, progress)
            return change(plan.bound.experiment.methods[0], outcome)

    monkeypatch.setitem(subjects.MAKE, "native", (NATIVE, Wrong))


def with_scores(outcome: Outcome, factor: float) -> Outcome:
    """All numbers of the method a little larger."""
    method = outcome.methods[0]
    larger = replace(
        method,
        statistics=tuple(replace(s, mean_abs=factor * s.mean_abs) for s in method.statistics),
        per_pair=tuple(factor * kept for kept in method.per_pair or ()),
    )
    return replace(outcome, methods=(larger,))


@pytest.mark.parametrize(
    ("method", "settings", "name"),
    [
        ("atp", {"qk_fix": False}, "AtP, finite differences"),
        ("atp", {"qk_fix": True}, "QK fix, softmax anew"),
        ("atp*", {}, "AtP*, frozen layers"),
        ("ap", {}, "patching, one by one"),
    ],
)
def test_numbers_that_are_off_by_a_thousandth(monkeypatch, method, settings, name):
    def change(call, outcome):
        mine = call.method == method and settings.items() <= call.settings.items()
        return with_scores(outcome, 1.001) if mine else outcome

    wrong(monkeypatch, change)
    found = failed(every_check(subject("gpt2", ("heads.q", "mlp")), 2))

    again = {
        "patching, module hooks",
        "AtP*, through the bridge",
        "patching, through the bridge",
    }
    assert {one for one, _ in found} - again == {name}
    assert ("heads.q" in {kind for _, kind in found}) or method == "ap"


def test_verified_effects_that_are_off(monkeypatch):
    def change(_, outcome):
        verified = tuple(replace(v, per_pair=v.per_pair + 1e-3) for v in outcome.verified)
        return replace(outcome, verified=verified)

    wrong(monkeypatch, change)
    found = failed(every_check(subject("gpt2", ("mlp",)), 2))

    assert found == [("patching, one by one", "mlp"), ("patching, module hooks", "mlp")]


def test_numbers_that_are_not_finite(monkeypatch):
    wrong(monkeypatch, lambda call, outcome: with_scores(outcome, float("nan")))
    checks = every_check(subject("gpt2", ("heads.q",)), 2)

    assert {"AtP, finite differences", "patching, one by one"} <= {n for n, _ in failed(checks)}


def test_equal_prompts_that_give_something(monkeypatch):
    def change(_, outcome):
        method = outcome.methods[0]
        tiny = tuple(replace(s, mean_abs=s.mean_abs + 1e-30) for s in method.statistics)
        return replace(outcome, methods=(replace(method, statistics=tiny),))

    wrong(monkeypatch, change)
    names = {name for name, _ in failed(every_check(subject("gpt2", ("mlp",)), 2))}

    assert names == {"AtP*, equal prompts give 0", "patching, equal prompts give 0"}


def test_native_numbers_that_are_not_the_bridges(monkeypatch):
    wrong(monkeypatch, lambda _, outcome: with_scores(outcome, 1.001))
    names = {name for name, _ in failed(every_check(subject("gpt2", ("mlp",)), 2))}

    assert names >= {"AtP*, through the bridge", "patching, through the bridge"}


def test_a_patch_at_the_wrong_position(monkeypatch):
    from atpdsl.runtime import patching

    patch = patching._patch

    def shifted(rows, donor):
        right = patch(rows, donor)
        return replace(right, position=(right.position - 1).clamp(min=0))

    monkeypatch.setattr(patching, "_patch", shifted)
    found = failed(every_check(subject("gpt2", ("mlp",)), 2))

    assert ("patching, one by one", "mlp") in found


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("modules in training mode", lambda model: model.bridge.blocks[1].train()),
        (
            "parameters touched",
            lambda model: next(model.bridge.parameters()).data.view(-1)[3].add_(1e-9),
        ),
        (
            "hooks added or removed",
            lambda model: model.bridge.blocks[0].register_forward_hook(lambda *_: None),
        ),
    ],
)
def test_a_model_that_is_not_left_as_it_was(name, spoil):
    one = subject("gpt2", ("mlp",))
    alones = [Alone(one, 0, ())]
    before = state_of(one.model, alones)
    with torch.no_grad():
        spoil(one.model)
    found = [c.name for c in state_checks(before, state_of(one.model, alones)) if failed((c,))]

    assert name in found


def test_the_state_of_a_model_that_is_left_alone():
    one = subject("gpt2", ("mlp",))
    alones = [Alone(one, 0, ())]
    checks = state_checks(state_of(one.model, alones), state_of(one.model, alones))

    assert [c.error for c in checks] == [0, 0, 0, 0]
    assert all(c.numbers > 0 for c in checks)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_analytic_cases_pass(dtype):
    checks = (*attention_cases(dtype, "cpu"), *layer_cases(dtype, "cpu"), *counting_cases())

    assert failed(checks) == []
    assert all(c.numbers > 1 for c in checks)


def test_a_qk_fix_by_log_odds_is_found_out(monkeypatch):
    """The formula of other programs, which loses the answer where the weight is 1."""

    def by_ratio(odds, delta):
        weight = odds.sigmoid()
        return weight * (1 - weight) * delta.expm1() / (1 + weight * delta.expm1())

    monkeypatch.setattr(softmax, "sigmoid_change", by_ratio)
    monkeypatch.setattr("atpdsl.runtime.qk_fix.sigmoid_change", by_ratio)
    found = failed(tuple(attention_cases(torch.float32, "cpu")))

    assert ("QK fix, saturated", "heads.k") in found
    assert ("QK fix, saturated", "heads.q") not in found


def test_a_mean_over_all_layers_is_found_out(monkeypatch):
    """L where L - 1 belongs."""
    from atpdsl.runtime import drops

    monkeypatch.setattr(drops, "_divisor", lambda *_: 2 + 1)
    found = failed(tuple(layer_cases(torch.float64, "cpu")))

    assert ("GradDrop, cancelling paths", "mlp") in found


def test_a_model_whose_part_is_not_called_is_not_compared_by_module_hooks():
    checks = every_check(subject("gpt2", ("attn",)), 2)
    names = {c.name for c in checks if c.kind == "attn"}

    assert "patching, one by one" in names
    assert "patching, module hooks" not in names
