"""A comparison as files: what is written, read again, and never replaced."""

from __future__ import annotations

import csv
import json
import shutil

import pytest

from atpdsl.problems import RunError
from atpdsl.results.compare_methods import compare_methods
from atpdsl.results.comparison import Comparison, ComparisonRecord, Truth
from atpdsl.results.result import Result
from tests.results.compared import estimation, everywhere, method, outcome
from tests.results.samples import result


def comparison():
    methods = (
        method([1, 2, 3, 4], "random", "random"),
        method([5, 4, 3, 2]),
        method([50, 40, 30, 20], "ap", "ap"),
    )
    exact, compared = compare_methods(
        outcome(*methods),
        {"atp": estimation(), "random": estimation(2.0)},
        everywhere(4),
        Truth.ABS_MEAN,
    )
    record = ComparisonRecord(
        spec="ioi",
        point={"seed": "0"},
        model="tiny",
        metric="logit_diff",
        pairs=4,
        nodes=4,
        truth="abs_mean",
        backward_weight=2.0,
        exact=exact,
        methods=compared,
    )
    return Comparison(record, result())


def test_methods_stand_with_the_best_first():
    table = comparison().table

    assert list(table["method"]) == ["atp", "random"]
    assert list(table["recall_4"]) == [1.0, 1.0]
    assert list(table["estimation"]) == [4.0, 2.0]
    assert list(table["spearman"]) == [1.0, -1.0]
    assert table["irwrgm"][0] < table["irwrgm"][1]


def test_a_saved_comparison_can_be_read_again(tmp_path):
    saved = comparison().save(tmp_path / "out")
    again = Comparison.load(tmp_path / "out")

    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *("result.json", "scores.parquet", "graph.json"),
        *("comparison.json", "comparison.csv"),
    }
    assert again.record == saved.record
    assert again.directory == saved.directory == tmp_path / "out"
    assert again.curves.equals(saved.curves)
    document = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert document["schema"] == "atpdsl/comparison/1"
    assert Result.load(tmp_path / "out").record.exports == ("comparison.json", "comparison.csv")


def test_the_curves_are_a_table(tmp_path):
    saved = comparison().save(tmp_path / "out")
    with (tmp_path / "out" / "comparison.csv").open() as file:
        rows = list(csv.DictReader(file))

    assert list(rows[0]) == ["method", "k", "cost", "cost_90", "cost_per_k"]
    assert [row["method"] for row in rows] == ["atp"] * 4 + ["random"] * 4
    assert [float(row["cost"]) for row in rows[:4]] == [5, 6, 7, 8]
    assert float(rows[1]["cost_per_k"]) == 3
    assert list(saved.curves["k"]) == [1, 2, 3, 4] * 2


def test_the_result_of_a_run_is_not_replaced(tmp_path):
    result().save(tmp_path / "out")

    with pytest.raises(RunError) as caught:
        comparison().save(tmp_path / "out")
    assert caught.value.problems[0].code == "ATP440"
    comparison().save(tmp_path / "out", overwrite=True)
    # One of the same spec may take its place.
    comparison().save(tmp_path / "out")


def test_a_run_in_its_place_takes_its_files_away(tmp_path):
    comparison().save(tmp_path / "out")
    (tmp_path / "out" / "notes.txt").write_text("mine")
    result().save(tmp_path / "out")

    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *("result.json", "scores.parquet", "graph.json", "notes.txt")
    }


def test_a_folder_without_a_comparison_is_said_to_have_none(tmp_path):
    result().save(tmp_path / "out")

    with pytest.raises(RunError) as caught:
        Comparison.load(tmp_path / "out")
    assert caught.value.problems[0].code == "ATP443"


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:100],
        lambda text: text.replace("comparison/1", "comparison/7"),
        lambda text: text.replace('"irwrgm": ', '"irwrgm": "x", "other": '),
        lambda text: "[]",
    ],
)
def test_a_damaged_comparison_is_refused(tmp_path, damage):
    comparison().save(tmp_path / "good")
    shutil.copytree(tmp_path / "good", tmp_path / "bad")
    path = tmp_path / "bad" / "comparison.json"
    path.write_text(damage(path.read_text()))

    with pytest.raises(RunError) as caught:
        Comparison.load(tmp_path / "bad")
    assert caught.value.problems[0].code == "ATP444"


def test_a_comparison_names_its_methods():
    assert repr(comparison()) == "<Comparison of `ioi`: atp, random>"
