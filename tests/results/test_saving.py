from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import networkx
import pyarrow.parquet as pq
import pytest

from atpdsl.problems import RunError
from atpdsl.results.directory import check_free
from atpdsl.results.result import Result
from tests.results.samples import MODEL, experiment, result


def code(error: pytest.ExceptionInfo[RunError]) -> str:
    (problem,) = error.value.problems
    assert problem.help
    return problem.code


def test_a_saved_result_loads_as_it_was(tmp_path: Path):
    saved = result().save(tmp_path / "runs" / "ioi")
    loaded = Result.load(tmp_path / "runs" / "ioi")

    assert loaded.record == saved.record
    assert loaded.table.equals(saved.table)
    assert loaded.directory == saved.directory == tmp_path / "runs" / "ioi"


def test_the_folder_has_three_files_and_nothing_is_left_beside_it(tmp_path: Path):
    result().save(tmp_path / "ioi")

    assert sorted(p.name for p in (tmp_path / "ioi").iterdir()) == [
        "graph.json",
        "result.json",
        "scores.parquet",
    ]
    assert [p.name for p in tmp_path.iterdir()] == ["ioi"]


def test_result_json_says_its_schema_and_the_scores_it_belongs_to(tmp_path: Path):
    result().save(tmp_path / "ioi")
    document = json.loads((tmp_path / "ioi" / "result.json").read_text(encoding="utf-8"))

    assert document["schema"] == "atpdsl/result/4"
    assert document["scores"]["rows"] == 56
    assert document["spec"]["text"] == experiment().source.text
    assert document["spec"]["resolved"]["metric"]["name"] == "logit_diff"
    assert document["provenance"]["model"]["weights_sha256"] == MODEL.weights_sha256
    assert document["provenance"]["versions"]["torch"]
    assert document["methods"][0]["formula"]
    assert document["pairs"][0]["gap"] == 6.0
    assert document["pairs"][0]["answers"] == [[2, " Mary"]]
    assert document["passes"]["forward_sequences"] == 6


def test_the_same_run_gives_the_same_bytes_but_for_the_host(tmp_path: Path):
    first = result(seconds=1.0, started="2026-01-01T00:00:00+00:00").save(tmp_path / "a")
    second = result(seconds=2.0, started="2026-01-02T00:00:00+00:00").save(tmp_path / "b")
    texts = [(r.directory / "result.json").read_text("utf-8") for r in (first, second)]
    documents = [json.loads(text) for text in texts]

    assert texts[0] != texts[1]
    assert [d.pop("host")["seconds"] for d in documents] == [1.0, 2.0]
    assert documents[0] == documents[1]
    for name in ("scores.parquet", "graph.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_the_scores_are_a_parquet_file_for_everyone(tmp_path: Path):
    result().save(tmp_path / "ioi")
    frame = pq.read_table(tmp_path / "ioi" / "scores.parquet").to_pandas()

    assert list(frame.columns)[:8] == [
        *("method", "kind", "layer", "index", "position", "token", "estimate", "signed")
    ]


def test_the_graph_is_node_link_json_that_networkx_reads(tmp_path: Path):
    saved = result().save(tmp_path / "ioi")
    data = json.loads((tmp_path / "ioi" / "graph.json").read_text(encoding="utf-8"))
    graph = networkx.node_link_graph(data, edges="links")

    assert graph.graph["schema"] == "atpdsl/graph/3"
    assert networkx.utils.graphs_equal(graph, saved.graph)


def test_the_same_spec_and_model_may_be_run_again(tmp_path: Path):
    result(seconds=1.0).save(tmp_path / "ioi")
    result(seconds=2.0).save(tmp_path / "ioi")

    assert Result.load(tmp_path / "ioi").record.host.seconds == 2.0


def test_the_result_of_another_spec_is_not_replaced(tmp_path: Path):
    result().save(tmp_path / "ioi")
    other = result(experiment=experiment(text="atp 1\n# another\n"))
    with pytest.raises(RunError, match="another version of the spec") as error:
        other.save(tmp_path / "ioi")

    assert code(error) == "ATP440"
    assert Result.load(tmp_path / "ioi").record.spec.text == experiment().source.text


def test_the_result_of_another_model_is_not_replaced(tmp_path: Path):
    result().save(tmp_path / "ioi")
    with pytest.raises(RunError, match="another model") as error:
        result(model=replace(MODEL, weights_sha256="ee" * 32)).save(tmp_path / "ioi")

    assert code(error) == "ATP440"


def test_overwriting_has_to_be_asked_for(tmp_path: Path):
    result().save(tmp_path / "ioi")
    result(experiment=experiment(text="atp 1\n# other\n")).save(
        tmp_path / "ioi", overwrite=True
    )

    assert "# other" in Result.load(tmp_path / "ioi").record.spec.text


def test_files_that_no_run_wrote_are_kept(tmp_path: Path):
    result().save(tmp_path / "ioi")
    (tmp_path / "ioi" / "notes").mkdir()
    (tmp_path / "ioi" / "notes" / "mine.md").write_text("keep me")
    result(seconds=9.0).save(tmp_path / "ioi")

    assert (tmp_path / "ioi" / "notes" / "mine.md").read_text() == "keep me"
    assert Result.load(tmp_path / "ioi").record.host.seconds == 9.0
    assert [p.name for p in tmp_path.iterdir()] == ["ioi"]


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("name", ["thesis.tex", "result.json"])
def test_a_folder_with_something_else_is_never_touched(tmp_path: Path, name, overwrite):
    (tmp_path / name).write_text("{}")
    with pytest.raises(RunError) as error:
        result().save(tmp_path, overwrite=overwrite)

    assert code(error) == "ATP441"
    assert (tmp_path / name).read_text() == "{}"


def test_an_empty_folder_will_do(tmp_path: Path):
    (tmp_path / "ioi").mkdir()
    result().save(tmp_path / "ioi")

    assert Result.load(tmp_path / "ioi").record.spec.name == "ioi"


def test_a_link_to_a_folder_stays_a_link(tmp_path: Path):
    (tmp_path / "far").mkdir()
    (tmp_path / "near").symlink_to(tmp_path / "far")
    result().save(tmp_path / "near")

    assert (tmp_path / "near").is_symlink()
    assert (tmp_path / "far" / "result.json").is_file()


def test_a_file_in_the_way_is_a_problem(tmp_path: Path):
    (tmp_path / "ioi").write_text("a file")
    with pytest.raises(RunError) as error:
        result().save(tmp_path / "ioi")

    assert code(error) == "ATP442"


def test_a_place_that_cannot_be_written_is_found_before_the_run(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError) as error:
        check_free(tmp_path / "file" / "ioi", ("spec", "model"))

    assert code(error) == "ATP442"


def test_a_full_disk_is_a_problem_and_leaves_the_old_result(tmp_path: Path, monkeypatch):
    result(seconds=1.0).save(tmp_path / "ioi")

    def full(handle: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match="No space left") as error:
        result(seconds=2.0).save(tmp_path / "ioi")

    assert code(error) == "ATP442"
    assert error.value.problems[0].help.startswith("free some space")
    assert Result.load(tmp_path / "ioi").record.host.seconds == 1.0
    assert [p.name for p in tmp_path.iterdir()] == ["ioi"]


def test_an_interrupt_while_writing_leaves_the_old_result(tmp_path: Path, monkeypatch):
    result(seconds=1.0).save(tmp_path / "ioi")

    def interrupt(handle: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        result(seconds=2.0).save(tmp_path / "ioi")

    assert Result.load(tmp_path / "ioi").record.host.seconds == 1.0
    assert [p.name for p in tmp_path.iterdir()] == ["ioi"]
