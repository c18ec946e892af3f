"""A spec of several points: a result for each, and one table over all of them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import atpdsl
from atpdsl import checking, driver
from atpdsl.cli import main, terminal
from atpdsl.cli.sweep import sweep_report
from atpdsl.problems import RunError, SpecError
from atpdsl.results.sweep import Sweep, SweepPoint, SweepRecord, SweepRow, as_csv
from atpdsl.runtime import load
from atpdsl.sweeping import folder_names

SWEEP = """\
atp 1
param top = 3 { help = "nodes to verify"; min = 1; max = 50 }
sweep name in ["tiny", "tiny-llama"]
sweep seed in 0..1
model "{name}"
prompts ioi {
  template "When {IO} and {S} went to the {place}, {S as S2} gave a drink to"
  slot IO, S in ["Mary", "John", "Tom", "Anna"]
  slot place in ["store", "park"]
  corrupt S2 -> IO
  answer " {IO}" vs " {S}"
  count = 4
}
metric logit_diff at last
nodes { heads.z at S2, last }
method atp
verify { top = top; random = 2 }
run { seed = seed }
export "scores.csv", "all.parquet", "ioi.graphml"
"""
TWO_SETS = """\
atp 1
model "tiny"
prompts base {
  template "When {IO} and {S} went to the park, {S as S2} gave a drink to"
  slot IO, S in ["Mary", "John", "Tom", "Anna", "Luke"]
  corrupt S2 -> IO
  answer " {IO}" vs " {S}"
  count = 3
}
prompts abc from base { corrupt IO, S, S2 -> other }
metric logit_diff at last
nodes { heads.z at last }
method atp
"""


def written(folder: Path, text: str = SWEEP) -> Path:
    path = folder / "grid.atp"
    path.write_text(text)
    return path


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def grid(tmp_path_factory) -> Sweep:
    folder = tmp_path_factory.mktemp("grid")
    return atpdsl.sweep(written(folder), out=folder / "out")


def test_there_is_a_result_for_every_point_of_the_grid(grid):
    points = [point.values for point in grid.record.points]

    assert points == [
        {"name": "tiny", "seed": "0"},
        {"name": "tiny", "seed": "1"},
        {"name": "tiny-llama", "seed": "0"},
        {"name": "tiny-llama", "seed": "1"},
    ]
    assert [result.record.provenance.model.name for result in grid] == [
        *("tiny", "tiny"),
        *("tiny-llama", "tiny-llama"),
    ]
    assert grid.result(name="tiny", seed=1).record.provenance.seed == 1


def test_a_point_has_the_numbers_that_it_has_alone(grid, tmp_path):
    alone = atpdsl.run(written(tmp_path), out=tmp_path / "one", name="tiny", seed=1)

    assert alone.scores.equals(grid.result(name="tiny", seed=1).scores)


def test_seeds_draw_other_prompts_and_models_give_other_numbers(grid):
    texts = {
        tuple(pair.clean.text for pair in result.record.pairs)
        for result in (grid.result(name="tiny", seed=0), grid.result(name="tiny", seed=1))
    }
    cleans = {row["clean"] for row in read(grid.directory / "sweep.csv")}

    assert len(texts) == 2
    assert len(cleans) == 4


def test_the_table_has_a_row_for_every_point(grid):
    table = grid.table

    assert list(table["name"]) == ["tiny", "tiny", "tiny-llama", "tiny-llama"]
    assert set(table["status"]) == {"done"}
    assert (table["pairs"] == 4).all()
    assert (table["verified"] == 5).all()
    for row in table.to_dict("records"):
        result = atpdsl.load(grid.directory / row["folder"])
        assert row["clean"] == result.record.metric.clean
        assert row["score"] == result.top(1)["score"].iloc[0]


def test_tables_of_the_same_name_are_written_over_all_points(grid):
    over_all = pq.read_table(grid.directory / "all.parquet").to_pandas()
    rows = read(grid.directory / "scores.csv")

    assert not (grid.directory / "ioi.graphml").exists()
    assert len(over_all) == len(rows) == sum(len(result.scores) for result in grid)
    for (name, seed), part in over_all.groupby(["name", "seed"], observed=True):
        alone = grid.result(name=name, seed=seed).scores
        assert list(part["score"]) == list(alone["score"])
    assert list(over_all)[:3] == ["name", "seed", "method"]


def test_a_model_is_loaded_once_for_the_points_that_share_it(tmp_path, monkeypatch):
    loaded = []
    original = load.load_model

    def counting(files, *rest, **more):
        loaded.append(files.name)
        return original(files, *rest, **more)

    monkeypatch.setattr(load, "load_model", counting)
    atpdsl.sweep(written(tmp_path), out=tmp_path / "out")

    assert loaded == ["tiny", "tiny-llama"]


def test_a_point_that_fails_leaves_the_others_their_results(tmp_path, monkeypatch):
    from atpdsl.problems import Problem

    original = load.load_model

    def failing(files, *rest, **more):
        if files.name == "tiny":
            raise RunError([Problem(code="ATP320", message="too little memory")])
        return original(files, *rest, **more)

    monkeypatch.setattr(load, "load_model", failing)
    found = atpdsl.sweep(written(tmp_path), out=tmp_path / "out")

    assert [point.values["name"] for point in found.failed] == ["tiny", "tiny"]
    assert list(found.table["status"]) == ["failed: ATP320"] * 2 + ["done"] * 2
    assert len(list(found)) == 2
    with pytest.raises(KeyError):
        found.result(name="tiny", seed=0)


def test_a_sweep_is_loaded_as_it_was_saved(grid):
    again = Sweep.load(grid.directory)

    assert again.record == grid.record


def test_another_spec_does_not_take_the_place_of_a_sweep(tmp_path):
    out = tmp_path / "out"
    fewer = SWEEP.replace("0..1", "[5]").replace(
        '["tiny", "tiny-llama"]', '["tiny", "induction"]'
    )
    atpdsl.sweep(written(tmp_path), out=out, name="tiny")
    with pytest.raises(RunError) as refused:
        atpdsl.sweep(written(tmp_path, fewer), out=out)
    found = atpdsl.sweep(written(tmp_path, fewer), out=out, overwrite=True)

    assert refused.value.problems[0].code == "ATP440"
    assert sorted(p.name for p in out.iterdir() if p.is_dir()) == sorted(
        point.folder for point in found.record.points
    )


def test_a_sweep_does_not_go_into_a_folder_with_something_else(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.tex").write_text("years of work")
    with pytest.raises(RunError) as refused:
        atpdsl.sweep(written(tmp_path), out=out, overwrite=True)

    assert refused.value.problems[0].code == "ATP440"
    assert (out / "thesis.tex").read_text() == "years of work"


def test_several_sets_of_prompts_are_points(tmp_path):
    found = atpdsl.sweep(written(tmp_path, TWO_SETS), out=tmp_path / "out")

    assert [point.values for point in found.record.points] == [
        {"prompts": "base"},
        {"prompts": "abc"},
    ]
    clean, corrupted = (next(iter(r.record.pairs)).corrupted.text for r in found)
    assert clean != corrupted


def test_run_wants_one_point(tmp_path):
    with pytest.raises(SpecError) as refused:
        atpdsl.run(written(tmp_path), out=tmp_path / "out")

    assert refused.value.problems[0].code == "ATP426"
    assert not (tmp_path / "out").exists()


def test_values_that_are_given_are_part_of_what_a_result_is_of(tmp_path):
    spec = written(tmp_path)
    out = tmp_path / "out"
    atpdsl.run(spec, out=out, name="tiny", seed=0)
    with pytest.raises(RunError) as refused:
        atpdsl.run(spec, out=out, name="tiny", seed=1)

    assert refused.value.problems[0].code == "ATP440"
    assert "parameters" in refused.value.problems[0].message
    assert json.loads((out / "result.json").read_text())["spec"]["given"] == {
        "name": "tiny",
        "seed": "0",
    }


def test_a_problem_of_some_points_says_of_which(tmp_path):
    text = SWEEP.replace('"tiny-llama"]', '"induction"]').replace(
        "heads.z at", "heads.z[L3] at"
    )
    study = driver.check(written(tmp_path, text))
    (problem,) = study.errors

    assert problem.message.endswith("(at name = induction, seed = 0 and 1 more point)")


def test_a_problem_of_all_points_is_told_once(tmp_path):
    study = driver.check(
        written(tmp_path, SWEEP.replace("heads.z at S2", "heads.z[L99] at S2"))
    )

    assert [problem.code for problem in study.errors] == ["ATP270"]
    assert "(at" not in study.errors[0].message


def test_folders_are_named_by_values_and_never_twice():
    names = folder_names([(("m", "a/b"),), (("m", "a b"),), (("m", "../.."),), (("m", ""),)])

    assert names == ("m=a_b", "m=a_b~2", "m=", "m=~2")


def test_the_command_prints_one_table(tmp_path, capsys):
    spec = written(tmp_path)
    code = main(["run", str(spec), "--out", str(tmp_path / "out"), "--quiet"])
    ran = capsys.readouterr().out
    main(["show", str(tmp_path / "out")])
    shown = capsys.readouterr().out

    assert code == 0
    assert ran == shown
    lines = ran.splitlines()
    assert lines[0] == "grid: 4 points"
    assert lines[2].split() == [
        *("name", "seed", "clean", "corrupted", "best", "node", "score", "recall", "corr")
    ]
    assert [line.split()[:2] for line in lines[3:7]] == [
        ["tiny", "0"],
        ["tiny", "1"],
        ["tiny-llama", "0"],
        ["tiny-llama", "1"],
    ]
    assert max(map(len, lines)) <= 80


def test_one_point_can_be_chosen_on_the_command_line(tmp_path, capsys):
    spec = written(tmp_path)
    code = main(
        [
            *("run", str(spec), "-p", "name=tiny", "-p", "seed=1", "-p", "top=5"),
            *("--out", str(tmp_path / "out"), "--json", "--quiet"),
        ]
    )
    document = json.loads(capsys.readouterr().out)

    assert code == 0
    assert document["model"] == "tiny"
    assert document["verification"][0]["measured"] == 7


def test_values_of_a_sweep_stay_beside_columns_of_the_same_name(tmp_path, capsys):
    text = TWO_SETS.replace("count = 3", "count = pairs").replace(
        'model "tiny"\n', 'sweep pairs in 2..3\nsweep clean in [1, 5]\nmodel "tiny"\n'
    )
    text = text.replace("prompts abc from base { corrupt IO, S, S2 -> other }\n", "")
    text += 'run { seed = clean }\nexport "all.csv"\n'
    out = tmp_path / "out"
    found = atpdsl.sweep(written(tmp_path, text), out=out)
    rows = read(out / "sweep.csv")
    main(["show", str(out)])
    shown = capsys.readouterr().out.splitlines()

    assert [(row["pairs_"], row["clean_"]) for row in rows] == [
        *(("2", "1"), ("2", "5"), ("3", "1"), ("3", "5")),
    ]
    assert [row["pairs"] for row in rows] == ["2", "2", "3", "3"]
    assert list(found.table["clean"]) == [r.record.metric.clean for r in found]
    assert [line.split()[:2] for line in shown[2:4]] == [["pairs", "clean_"], ["2", "1"]]
    assert {row["clean"] for row in read(out / "all.csv")} == {"1", "5"}


def test_the_same_spec_with_other_values_does_not_take_the_place_of_a_sweep(tmp_path):
    spec, out = written(tmp_path, SWEEP.replace(', "tiny-llama"', "")), tmp_path / "out"
    atpdsl.sweep(spec, out=out)
    before = sorted(out.rglob("*"))
    with pytest.raises(RunError) as refused:
        atpdsl.sweep(spec, out=out, seed="5,6")

    assert refused.value.problems[0].code == "ATP440"
    assert "other parameters" in refused.value.problems[0].message
    assert sorted(out.rglob("*")) == before
    atpdsl.sweep(spec, out=out, seed="5,6", overwrite=True)
    assert {row["seed"] for row in read(out / "sweep.csv")} == {"5", "6"}


def test_a_folder_name_is_short_enough_for_file_systems_and_differs_in_more_than_case():
    names = folder_names([(("m", "語" * 500),), (("m", "A"),), (("m", "a"),)])

    assert all(len(name.encode()) <= 255 for name in names)
    assert len({name.casefold() for name in names}) == 3


def test_a_text_in_the_table_neither_commands_a_terminal_nor_a_spreadsheet():
    point = SweepPoint(
        values={"x": "\t=1+1\x1b[2J"}, folder="f", rows=(SweepRow(method="=m", status="done"),)
    )
    record = SweepRecord(
        spec="s", text="", included={}, given={}, variables=("x",), points=(point,), of=1
    )
    (row,) = csv.DictReader(as_csv(record).splitlines())

    assert row["x"] == "␉=1+1␛[2J"
    assert row["method"] == "'=m"


INCLUDING = """\
atp 1
include "common.atp"
include "lib:names"
model "tiny"
prompts from common.ioi { }
metric logit_diff
nodes { heads.z at last, middle }
method atp
"""
COMMON = """\
atp 1


prompts ioi {
  template "When {IO} and {S} went to the park, {S as S2} gave a drink to"
  slot IO, S in ["Mary", "John", "Tom", "Anna"]
  corrupt S2 -> IO
  answer " {IO}" vs " {S}"
  pos middle = match(r"(park)")
  pos nowhere = match(r"(nowhere)")
  count = 3
}
"""


def test_a_result_is_the_same_wherever_its_spec_is_run_from(tmp_path, monkeypatch):
    text = INCLUDING.replace('"common.atp"', '"common.atp" as common')
    spec = written(
        tmp_path, text.replace('include "lib:names"', 'include "lib:names" as names')
    )
    (tmp_path / "common.atp").write_text(COMMON)
    first = atpdsl.run(spec, out=tmp_path / "out")
    monkeypatch.chdir(tmp_path)
    second = atpdsl.run("grid.atp", out="out")

    assert set(first.record.spec.included) == {"common.atp", "lib:names"}
    assert second.record.spec == first.record.spec
    (unused,) = [w for w in second.record.warnings if "`nowhere`" in w.message]
    assert (unused.file, unused.line) == ("common.atp", 10)


def test_points_with_the_same_prompts_share_their_pairs(tmp_path, monkeypatch):
    read = []
    original = checking.read_pairs

    def counting(experiment, *rest):
        read.append(experiment.run.seed)
        return original(experiment, *rest)

    monkeypatch.setattr(checking, "read_pairs", counting)
    sides = "sweep side in [noising, denoising]\nsweep seed in 0..1"
    text = SWEEP.replace('sweep name in ["tiny", "tiny-llama"]\nsweep seed in 0..1', sides)
    text = text.replace('"{name}"', '"tiny"').replace("atp\nv", "atp { direction = side }\nv")
    study = driver.check(written(tmp_path, text))
    first, second, third, fourth = (point.bound.pairs.pairs for point in study.points)

    assert read == [0, 1]
    assert (first, second) == (third, fourth)
    assert first != second


def test_a_metric_that_reads_other_tokens_has_pairs_of_its_own(tmp_path):
    text = SWEEP.replace("0..1\n", '0..0\nsweep word in [" Mary", " John"]\n')
    text = text.replace("logit_diff", 'logit("{word}")').replace(', "tiny-llama"', "")
    study = driver.check(written(tmp_path, text))
    one, other = (point.bound.pairs.pairs[0] for point in study.points)

    assert one.clean == other.clean
    assert one.sets != other.sets


def counting(monkeypatch) -> list[str]:
    """The seeds of the points that are run from now on."""
    ran: list[str] = []
    original = driver.run_planned

    def run(planned, **more):
        ran.append(dict(planned.checked.point)["seed"])
        return original(planned, **more)

    monkeypatch.setattr(driver, "run_planned", run)
    return ran


def interrupting(monkeypatch, seed: str) -> None:
    """Ctrl-C while the point with this seed is run."""
    original = driver.run_planned

    def run(planned, **more):
        if dict(planned.checked.point)["seed"] == seed:
            raise KeyboardInterrupt
        return original(planned, **more)

    monkeypatch.setattr(driver, "run_planned", run)


SEEDS = SWEEP.replace('sweep name in ["tiny", "tiny-llama"]\n', "").replace(
    '"{name}"', '"tiny"'
)


def test_an_interrupted_sweep_goes_on_where_it_was(tmp_path, capsys):
    spec, out = written(tmp_path, SEEDS.replace("0..1", "0..2")), tmp_path / "out"
    with pytest.MonkeyPatch.context() as patch:
        interrupting(patch, "1")
        code = main(["run", str(spec), "--out", str(out), "--quiet"])
    told = capsys.readouterr().err

    assert code == 130
    assert "1 of 3 points are over" in told
    assert len(Sweep.load(out).record.points) == 1
    assert main(["show", str(out)]) == 0
    assert "2 of 3 points" in capsys.readouterr().out

    with pytest.MonkeyPatch.context() as patch:
        ran = counting(patch)
        found = atpdsl.sweep(spec, out=out)

    assert ran == ["1", "2"]
    again = atpdsl.sweep(spec, out=tmp_path / "again")
    assert [one.scores.equals(two.scores) for one, two in zip(found, again, strict=True)] == [
        *(True, True, True)
    ]
    assert [point.values for point in found.record.points] == [
        point.values for point in again.record.points
    ]


def test_points_are_run_again_where_what_they_are_made_of_has_changed(tmp_path, monkeypatch):
    words = tmp_path / "names.txt"
    words.write_text("Mary\nJohn\nTom\nAnna\n")
    listed = SEEDS.replace('["Mary", "John", "Tom", "Anna"]', 'lines("names.txt")')
    spec, out = written(tmp_path, listed), tmp_path / "out"
    atpdsl.sweep(spec, out=out)
    ran = counting(monkeypatch)

    atpdsl.sweep(spec, out=out)
    assert ran == []

    (out / "seed=1" / "result.json").unlink()
    atpdsl.sweep(spec, out=out)
    assert ran == ["1"]

    words.write_text("Mary\nJohn\nTom\nLuke\n")
    atpdsl.sweep(spec, out=out)
    assert ran == ["1", "0", "1"]

    planned = driver.plan(spec)
    driver.sweep(planned, out=out, executor="null")
    assert ran == ["1", "0", "1", "0", "1"]


def test_overwriting_runs_every_point_again_and_leaves_no_other(tmp_path, monkeypatch):
    spec, out = written(tmp_path, SEEDS), tmp_path / "out"
    atpdsl.sweep(spec, out=out)
    ran = counting(monkeypatch)

    atpdsl.sweep(spec, out=out, overwrite=True, seed=[1, 5])

    assert ran == ["1", "5"]
    assert sorted(path.name for path in out.iterdir() if path.is_dir()) == ["seed=1", "seed=5"]


def test_a_damaged_sweep_can_be_overwritten(tmp_path):
    spec, out = written(tmp_path, SEEDS), tmp_path / "out"
    out.mkdir()
    (out / "sweep.json").write_text("{")
    with pytest.raises(RunError):
        atpdsl.sweep(spec, out=out)

    assert len(list(atpdsl.sweep(spec, out=out, overwrite=True))) == 2


def test_expectations_that_are_not_fulfilled_are_told_with_their_points(tmp_path, capsys):
    text = SEEDS.replace("0..1", "0..2") + "expect { gap > 99; gap < 99; gap > 98 }\n"
    code = main(
        ["run", str(written(tmp_path, text)), "--out", str(tmp_path / "out"), "--quiet"]
    )
    out = capsys.readouterr().out

    assert code == 1
    assert "expect    3 of 9 hold" in out
    assert "gap > 99 is not fulfilled at seed = 0 and 2 more points" in out
    assert "gap < 99 is" not in out


def test_a_result_of_a_sweep_says_of_which_point_it_is(grid, capsys):
    main(["show", str(grid.directory / "name=tiny,seed=1")])

    assert capsys.readouterr().out.startswith("grid (name = tiny, seed = 1) on tiny: ")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_wide_table_loses_columns_and_breaks_no_word(width, monkeypatch, capsys):
    row = SweepRow(
        method="atp",
        status="done",
        clean=6.9,
        corrupted=-7.2,
        best="heads.z.L0.H0@last",
        score=1.4,
        recall=6,
        recall_of=6,
        correlation=1.0,
        expected=4,
        held=4,
    )
    values = {"side": "denoising", "seed": "0", "prompts": "outside"}
    point = SweepPoint(values=values, folder="x", rows=(row,))
    record = SweepRecord(
        spec="wide",
        text="",
        included={},
        given={},
        variables=("side", "seed", "prompts"),
        points=(point,),
        of=1,
    )
    monkeypatch.setattr(terminal, "WIDTH", width)
    terminal.show(*sweep_report(Sweep(record, Path("runs/wide"))))
    lines = capsys.readouterr().out.splitlines()

    assert lines[2].split()[:3] == ["side", "seed", "prompts"]
    assert lines[3].split()[:3] == ["denoising", "0", "outside"]
    assert "heads.z.L0.H0@last" in lines[3]
    assert ("corrupted" in lines[2]) == (width == 120)
    assert ("corrupted" in "".join(lines[4:])) == (width < 120)


def test_a_sweep_says_what_it_is_and_why_values_choose_no_point(grid):
    again = atpdsl.load_sweep(grid.directory)

    assert repr(again) == f"<Sweep of `grid`, 4 points, {grid.directory}>"
    assert again.table.equals(grid.table)
    for values, reason in (
        ({"seed": 7}, "no point has seed=7: seed is 0, 1"),
        ({"sed": 0}, "this sweep is over name, seed, not sed"),
        ({"seed": 0}, "2 points have seed=0: choose among name, too"),
    ):
        with pytest.raises(KeyError) as refused:
            again.result(**values)
        assert refused.value.args == (reason,)


def test_who_wants_one_result_of_a_folder_with_several_is_told_their_names(grid):
    with pytest.raises(RunError) as refused:
        atpdsl.load(grid.directory)
    (problem,) = refused.value.problems

    assert problem.message.endswith("it is a sweep of several results")
    assert problem.help is not None
    assert "`name=tiny,seed=0`, `name=tiny,seed=1`" in problem.help

    with pytest.raises(RunError) as refused:
        atpdsl.load(grid.directory.parent)
    assert refused.value.problems[0].help == "name one of those in it: `out`"


def test_a_point_that_fails_is_named_even_where_nothing_else_is_told(tmp_path, capsys):
    text = SEEDS.replace("seed = seed", 'seed = seed; device = "cuda:7"')
    code = main(
        ["run", str(written(tmp_path, text)), "--out", str(tmp_path / "out"), "--quiet"]
    )
    told = capsys.readouterr().err

    assert code == 3
    assert "point 1 of 2, seed = 0: failed" in told
    assert "point 2 of 2, seed = 1: failed" in told
