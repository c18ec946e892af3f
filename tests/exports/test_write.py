from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from atpdsl.exports import check_paths, export, save
from atpdsl.problems import RunError
from atpdsl.results.result import Result
from tests.results.samples import experiment, result


def code(error: pytest.ExceptionInfo[RunError]) -> str:
    (problem,) = error.value.problems
    assert problem.help
    return problem.code


def test_a_result_is_saved_with_the_exports_of_its_spec(tmp_path: Path):
    calls = experiment(exports=["ioi.csv", "graphs/ioi.gexf", "graphs/ioi.json"]).exports
    saved = save(result(experiment=experiment(exports=["ioi.csv"])), tmp_path / "ioi", calls)
    files = {str(p.relative_to(tmp_path / "ioi")) for p in (tmp_path / "ioi").rglob("*.*")}

    assert files == {
        *("result.json", "scores.parquet", "graph.json"),
        *("ioi.csv", "graphs/ioi.gexf", "graphs/ioi.json"),
    }
    assert saved.directory == tmp_path / "ioi"


def test_exports_of_an_older_run_go_with_it(tmp_path: Path):
    asked = experiment(exports=["old.csv", "deep/old.gexf"])
    save(result(experiment=asked), tmp_path / "ioi", asked.exports)
    save(result(), tmp_path / "ioi")

    assert sorted(p.name for p in (tmp_path / "ioi").rglob("*.*")) == [
        "graph.json",
        "result.json",
        "scores.parquet",
    ]


@pytest.mark.parametrize(
    "path",
    [
        *("../ioi.csv", "a/../../ioi.csv", "/ioi.csv", "~/ioi.csv", "~root/ioi.csv"),
        *("C:ioi.csv", "C:\\ioi.csv", "\\\\host\\ioi.csv", "a\\b.csv", "a\0.csv", ".", ""),
    ],
)
def test_an_export_stays_in_the_folder_of_the_result(tmp_path: Path, path):
    calls = experiment(exports=["ok.csv"]).exports
    hostile = type(calls[0])(path=path, format="csv", span=calls[0].span)
    with pytest.raises(RunError) as error:
        save(result(), tmp_path / "ioi", [*calls, hostile])

    assert code(error) == "ATP453"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["result.json", "scores.parquet", "graph.json", "./graph.json"]
)
def test_an_export_cannot_take_the_place_of_the_result(name):
    with pytest.raises(RunError) as error:
        check_paths(experiment(exports=[name]).exports)

    assert code(error) == "ATP452"


def test_a_file_is_only_replaced_when_that_is_asked_for(tmp_path: Path):
    path = tmp_path / "ioi.csv"
    path.write_text("mine")
    with pytest.raises(RunError) as error:
        export(result(), path)

    assert code(error) == "ATP451"
    assert path.read_text() == "mine"
    export(result(), path, overwrite=True)
    assert path.read_text().startswith('"method"')


def test_a_link_to_a_file_counts_as_a_file(tmp_path: Path):
    (tmp_path / "a.csv").symlink_to(tmp_path / "nowhere")
    with pytest.raises(RunError) as error:
        export(result(), tmp_path / "a.csv")

    assert code(error) == "ATP451"


def test_a_later_export_cannot_take_the_place_of_the_result(tmp_path: Path):
    result().save(tmp_path / "ioi")
    loaded = Result.load(tmp_path / "ioi")
    with pytest.raises(RunError) as error:
        export(loaded, tmp_path / "x" / ".." / "ioi" / "graph.json", overwrite=True)

    assert code(error) == "ATP452"
    export(loaded, tmp_path / "graph.json")


def test_the_suffix_chooses_the_format_in_any_case(tmp_path: Path):
    export(result(), tmp_path / "A.CSV")

    assert (tmp_path / "A.CSV").read_text().startswith('"method"')


@pytest.mark.parametrize("name", ["ioi.xlsx", "ioi", "csv"])
def test_an_unknown_suffix_is_a_problem(tmp_path: Path, name):
    with pytest.raises(RunError) as error:
        export(result(), tmp_path / name)

    assert code(error) == "ATP450"
    assert "`.graphml`" in error.value.problems[0].help


def test_a_folder_that_is_not_there_is_a_problem(tmp_path: Path):
    with pytest.raises(RunError, match="No such file") as error:
        export(result(), tmp_path / "no" / "ioi.csv")

    assert code(error) == "ATP442"


def test_a_failed_export_leaves_nothing_half_written(tmp_path: Path, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("pyarrow.parquet.write_table", fail)
    with pytest.raises(RunError, match="No space left"):
        export(result(), tmp_path / "ioi.parquet")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.json"])
def test_what_cannot_be_written_is_told_of_the_file_that_was_asked_for(tmp_path: Path, name):
    path = tmp_path / "missing" / name
    with pytest.raises(RunError) as error:
        export(result(), path)

    (problem,) = error.value.problems
    assert problem.message == f"cannot write `{path}`: {os.strerror(errno.ENOENT)}"
