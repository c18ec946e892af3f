"""The self-test passes on every family, and says something there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from atpdsl.nodes import NODE_KINDS
from atpdsl.selftesting.checks import Verdict
from atpdsl.semantics.experiment import Direction
from tests.families import FAMILIES, PARALLEL
from tests.selftesting.subjects import every_check, failed, subject

STATE = {
    "modules in training mode",
    "parameters touched",
    "hooks added or removed",
    "logits afterwards",
}


def kinds_of(family: str) -> tuple[str, ...]:
    return tuple(
        kind.name for kind in NODE_KINDS if not (kind.sequential_only and family in PARALLEL)
    )


@pytest.mark.parametrize("executor", ["native", "bridge"])
@pytest.mark.parametrize("family", FAMILIES)
def test_every_check_passes(family, executor):
    checks = every_check(subject(family, kinds_of(family), executor=executor), 2)

    assert failed(checks) == []
    assert {c.kind for c in checks if c.kind} == set(kinds_of(family))


def test_a_model_in_float64_is_tested_to_many_digits():
    checks = every_check(subject("gpt2"))
    slow = [c for c in checks if c.name.startswith(("AtP", "QK fix", "patching"))]

    assert max(c.error for c in slow) < 1e-8
    assert all(c.numbers > 0 for c in slow)
    assert all(c.verdict is Verdict.OK for c in slow)


def test_denoising_is_tested_as_such():
    there = subject("gpt2", ("heads.k", "mlp"), direction=Direction.DENOISING)

    assert there.side == "corrupted"
    assert failed(every_check(there, 2)) == []


@pytest.mark.parametrize("metric", ["kl", "nll", "prob_diff"])
def test_any_metric_will_do(metric):
    assert failed(every_check(subject("gpt2", ("heads.q", "mlp"), metric=metric), 2)) == []


def test_prompts_that_do_not_differ_leave_nothing_to_check():
    there = subject("gpt2", ("mlp",))
    pairs = [replace(pair, corrupted=pair.clean) for pair in there.pairs]
    checks = every_check(there.with_pairs(pairs), 2)

    assert failed(checks) == []
    assert {c.name for c in checks} == STATE
