"""AtP* on SmolLM2-135M in float32: the pipeline, and the engine against its slow twins."""

from __future__ import annotations

import pytest

import atpdsl

pytestmark = [pytest.mark.slow, pytest.mark.real_model]

SPEC = """\
atp 1
model "smollm2"
prompts {
  template "When {IO} and {S} went to the store, {S as S2} gave a drink to"
  slot IO, S in ["Mary", "John"]
  corrupt S2 -> IO
  answer " {IO}" vs " {S}"
  count = 1
}
metric logit_diff at last
nodes { heads.q, heads.k, heads.v, heads.z, mlp at S2, last }
method atp*
diagnose {
  cancellation
  saturation
}
"""
# Of a metric of 5; rounding of the twins themselves is a tenth of it.
ERROR = 1e-3


@pytest.fixture(scope="module")
def spec(smollm2, tmp_path_factory):
    assert smollm2.directory.is_dir()
    path = tmp_path_factory.mktemp("real") / "star.atp"
    path.write_text(SPEC)
    return path


def test_every_number_agrees_with_its_twin(spec):
    found = atpdsl.selftest(spec, nodes=2, seed=3)

    assert found.ok, found.failed
    names = {check.name for check in found.checks}
    assert {"QK fix, softmax anew", "AtP*, frozen layers"} <= names
    assert max(check.error for check in found.checks) < ERROR


def test_the_counts_are_those_of_the_mathematics(spec, tmp_path):
    result = atpdsl.run(spec, out=tmp_path / "run")
    layers = result.record.provenance.model.shape.n_layers

    assert result.record.passes.forward_sequences == 2
    assert result.record.passes.backward_calls == 1
    assert result.record.passes.layer_backwards == layers * (layers + 1) // 2


def test_the_parts_of_every_estimate_sum_to_it(spec, tmp_path):
    scores = atpdsl.run(spec, out=tmp_path / "run").scores
    frame = scores.to_pandas() if hasattr(scores, "to_pandas") else scores

    total = frame["atp"] + frame["by_qk_fix"] + frame["by_grad_drop"]
    assert (total - frame["estimate"]).abs().max() < 1e-12
    assert (frame["moved_by"] == "qk_fix").sum() > 5
    assert (frame["moved_by"] == "grad_drop").sum() > 5
    assert frame["cancellation"].dropna().min() >= 1 - 1e-4
