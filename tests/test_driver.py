"""The pipeline from a spec file to a result folder, on the embedded models."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import networkx
import numpy as np
import pytest

import atpdsl
from atpdsl import driver
from atpdsl.problems import RunError, SpecError
from atpdsl.runtime import load, memory

SPECS = sorted((Path(__file__).parents[1] / "specs").glob("*.atp"))

IOI = """\
atp 1
model "tiny"
prompts ioi {
  template "When {IO} and {S} went to the {place}, {S as S2} gave a {object} to"
  slot IO, S  in ["Mary", "John", "Tom", "Anna"]
  slot place  in ["store", "park"]
  slot object in ["drink", "book"]
  corrupt S2 -> IO
  answer " {IO}" vs " {S}"
  count = 6
}
metric logit_diff at last
nodes { heads.z, mlp at S2, last }
method atp
method exact = ap
verify { top = 4; random = 2 }
export "ioi.graphml", "ioi.csv"
"""


def written(folder: Path, text: str = IOI, name: str = "ioi.atp") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def codes(text: str, folder: Path) -> list[str]:
    return [p.code for p in driver.check(written(folder, text)).problems]


def test_a_run_leaves_a_result_that_can_be_loaded(tmp_path):
    result = atpdsl.run(written(tmp_path), out=tmp_path / "out")
    again = atpdsl.load(tmp_path / "out")

    assert {p.name for p in (tmp_path / "out").iterdir()} == {
        *("result.json", "scores.parquet", "graph.json", "ioi.graphml", "ioi.csv")
    }
    assert again.scores.equals(result.scores)
    assert len(result.scores) == 2 * (4 * 4 * 2 + 4 * 2)
    assert networkx.utils.graphs_equal(again.graph, result.graph)
    assert list(result.top(3)["rank"]) == [1, 2, 3]


def test_the_result_says_what_was_done(tmp_path):
    atpdsl.run(written(tmp_path), out=tmp_path / "out")
    record = json.loads((tmp_path / "out" / "result.json").read_text())

    assert record["schema"] == "atpdsl/result/4"
    assert record["spec"]["text"] == IOI
    assert [m["direction"] for m in record["methods"]] == ["noising", "noising"]
    assert len(record["provenance"]["model"]["weights_sha256"]) == 64
    assert len(record["pairs"]) == 6
    assert all(pair["gap"] > 1 for pair in record["pairs"])
    assert record["passes"]["backward_calls"] == 1


def test_estimate_and_truth_agree_on_what_matters(tmp_path):
    result = atpdsl.run(written(tmp_path), out=tmp_path / "out")
    (verification,) = result.record.verification

    assert verification.spearman_mean_abs is not None
    assert verification.spearman_mean_abs > 0.8


def test_two_runs_of_a_spec_give_the_same_bytes_but_for_time_and_place(tmp_path):
    spec = written(tmp_path)
    for name in ("one", "two"):
        atpdsl.run(spec, out=tmp_path / name)
    one, two = (
        {p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in ("one", "two")
    )
    records = [json.loads(files.pop("result.json")) for files in (one, two)]
    for record in records:
        record.pop("host")

    assert one == two
    assert records[0] == records[1]


def test_another_spec_does_not_replace_a_result_silently(tmp_path):
    out = tmp_path / "out"
    atpdsl.run(written(tmp_path), out=out)
    other = written(tmp_path, IOI.replace("count = 6", "count = 5"), "other.atp")

    with pytest.raises(RunError) as caught:
        atpdsl.run(other, out=out)
    assert "--overwrite" in caught.value.problems[0].help
    assert len(atpdsl.load(out).record.pairs) == 6
    atpdsl.run(other, out=out, overwrite=True)
    assert len(atpdsl.load(out).record.pairs) == 5


def test_the_null_executor_counts_what_a_run_would_cost(tmp_path):
    spec = written(tmp_path)
    ran = atpdsl.run(spec, out=tmp_path / "ran")
    counted = driver.run(spec, out=tmp_path / "counted", executor="null")

    assert counted.record.passes == ran.record.passes


def test_denoising_swaps_the_sides(tmp_path):
    text = IOI.replace("method atp\n", "").replace("verify { top = 4; random = 2 }\n", "")
    back = text.replace("exact = ap", "exact = ap { direction = denoising }")
    noising = atpdsl.run(written(tmp_path, text), out=tmp_path / "noising")
    denoising = atpdsl.run(written(tmp_path, back), out=tmp_path / "denoising")

    first = noising.record.metric
    assert (first.clean, first.corrupted) == pytest.approx(
        (denoising.record.metric.clean, denoising.record.metric.corrupted)
    )
    # The last residual decides: what breaks it one way repairs it the other way.
    assert np.nanmin(noising.scores["effect"]) < -1
    assert np.nanmax(denoising.scores["effect"]) > 1


@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.stem)
def test_a_shipped_spec_has_no_problems(spec):
    problems = driver.check(spec, driver.Access(offline=True)).problems

    # The real model is there only once it has been added.
    assert {p.code for p in problems} <= ({"ATP301"} if "smollm2" in spec.stem else set())


@pytest.mark.slow
@pytest.mark.parametrize(
    "spec", [s for s in SPECS if "smollm2" not in s.stem], ids=lambda path: path.stem
)
def test_a_shipped_spec_runs_and_shows_an_effect(spec, tmp_path):
    found = atpdsl.sweep(spec, out=tmp_path / "out")

    assert found.failed == ()
    for result in found:
        metric = result.record.metric
        assert metric.clean - metric.corrupted > 0.3
        assert result.top(1)["score"].iloc[0] > 0.1
        assert result.record.warnings == ()


def test_a_missing_file_is_named_with_the_one_that_was_meant(tmp_path):
    written(tmp_path)

    with pytest.raises(SpecError) as caught:
        driver.check(tmp_path / "ioy.atp")
    (problem,) = caught.value.problems
    assert problem.code == "ATP420"
    assert "ioi.atp" in problem.help


def test_a_file_that_is_no_text_is_named(tmp_path):
    path = tmp_path / "bad.atp"
    path.write_bytes(b"atp 1\xff\xfe\x00")

    with pytest.raises(SpecError) as caught:
        driver.check(path)
    assert caught.value.problems[0].code == "ATP420"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('model "tiny"', 'model "tiney"'),
        ('"Mary", "John"', '"Mary", "Xyzzyx"'),
        ("heads.z, mlp at", "heads.z[L0..L9] at"),
        ('slot place  in ["store", "park"]', "slot place  in []"),
        ("When {IO}", "very " * 70 + "{IO}"),
        ("logit_diff", "logit_dif"),
        ("at S2, last", "at S3, last"),
        ("corrupt S2 -> IO", "corrupt S2 -> S"),
        ("answer", "anser"),
    ],
    ids=[
        *("unknown model", "answer of several tokens", "layer out of range", "empty slot list"),
        *("prompt too long", "unknown metric", "unknown position", "identical prompts"),
        "unknown statement",
    ],
)
def test_a_mistake_is_a_problem_with_a_place_and_help(before, after, tmp_path):
    checked = driver.check(
        written(tmp_path, IOI.replace(before, after, 1)), driver.Access(offline=True)
    )

    assert checked.errors
    for problem in checked.errors:
        assert problem.at is not None
        assert problem.help
    with pytest.raises(SpecError):
        driver.plan_study(checked)


def test_estimates_of_a_distance_from_the_clean_run_are_refused(tmp_path):
    text = IOI.replace("logit_diff", "kl")

    assert codes(text, tmp_path) == ["ATP421"]
    assert codes(text.replace("method atp\n", "").replace("verify", "#"), tmp_path) == []


def test_kl_can_be_estimated_from_the_corrupted_run(tmp_path):
    text = IOI.replace("logit_diff", "kl").replace(
        "method atp\n", "method atp { direction = denoising }\n"
    )

    result = atpdsl.run(written(tmp_path, text), out=tmp_path / "out")
    assert np.nanmax(result.scores["estimate"]) > 0.01


def test_pairs_that_show_nothing_are_reported(tmp_path):
    # The metric is read before the first token in which the prompts differ.
    text = IOI.replace("at last\n", "at place\n", 1)
    result = atpdsl.run(written(tmp_path, text), out=tmp_path / "out")
    (warning,) = [w for w in result.record.warnings if w.code == "ATP422"]

    assert all(pair.gap == 0 for pair in result.record.pairs)
    assert warning.line == 3
    assert "6 of 6 pairs have no metric gap" in warning.message


def test_pairs_with_a_gap_are_not_reported(tmp_path):
    result = atpdsl.run(written(tmp_path), out=tmp_path / "out")

    assert result.record.warnings == ()


def test_too_little_memory_for_the_weights_is_a_problem_at_the_model(tmp_path, monkeypatch):
    monkeypatch.setattr(load, "available_bytes", lambda: 1000)

    with pytest.raises(RunError) as caught:
        atpdsl.run(written(tmp_path), out=tmp_path / "out")
    (problem,) = caught.value.problems
    assert problem.code == "ATP320"
    assert problem.at is not None
    assert not (tmp_path / "out").exists()


def test_too_little_memory_for_the_activations_is_a_problem_at_the_nodes(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "available_bytes", lambda: 1000)

    with pytest.raises(RunError) as caught:
        atpdsl.run(written(tmp_path), out=tmp_path / "out")
    assert caught.value.problems[0].code == "ATP423"


def test_running_out_of_memory_is_a_problem(tmp_path, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr("atpdsl.runtime.bridge.run", fail)
    with pytest.raises(RunError) as caught:
        atpdsl.run(written(tmp_path), out=tmp_path / "out")
    assert caught.value.problems[0].code == "ATP424"


def test_a_copy_of_the_model_in_a_folder_gives_the_same_numbers(tmp_path):
    embedded = Path(atpdsl.__file__).parent / "embedded" / "tiny"
    shutil.copytree(embedded, tmp_path / "copy")
    text = IOI.replace('model "tiny"', 'model "./copy"')
    one = atpdsl.run(written(tmp_path), out=tmp_path / "one")
    two = atpdsl.run(written(tmp_path, text, "copied.atp"), out=tmp_path / "two")

    assert one.scores.equals(two.scores)


def test_a_broken_tokenizer_is_a_problem_at_the_model(tmp_path):
    shutil.copytree(Path(driver.__file__).parent / "embedded" / "tiny", tmp_path / "model")
    (tmp_path / "model" / "tokenizer.json").write_text("{")
    text = IOI.replace('"tiny"', '"./model"')
    (problem,) = driver.check(written(tmp_path, text)).problems

    assert problem.code == "ATP240"
    assert problem.at is not None
    assert text[problem.at.span.start : problem.at.span.end] == '"./model"'
    assert problem.help


def test_an_export_over_the_result_is_found_before_a_run(tmp_path):
    assert codes(IOI.replace("ioi.csv", "graph.json"), tmp_path) == ["ATP452"]
