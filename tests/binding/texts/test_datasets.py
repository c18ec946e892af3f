"""Pairs from data sets, made by `datasets` itself."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from random import Random

import pyarrow as pa
import pytest

from atpdsl.binding.texts import sources
from atpdsl.binding.texts.arrow import BATCH, DamagedError, read_batches
from atpdsl.binding.texts.expand import expand
from atpdsl.checking import Access, check_source
from atpdsl.problems import Source, Span
from atpdsl.semantics.experiment import FilePrompts
from tests.binding.build import answer, prompts, text

NAMES = ("Mary", "John", "Anna", "Paul", "Tom", "Lucy")


def rows(count: int) -> list[dict[str, object]]:
    """Rows with the columns of the MIB's IOI."""
    return [
        {
            "prompt": f"When {one} and {other} went, {other} gave to",
            "s2_io_flip_counterfactual": {
                "prompt": f"When {one} and {other} went, {one} gave to",
                "choices": [one, other],
            },
            "metadata": {
                "indirect_object": one,
                "subject": other,
                "year": 1700 + n,
                "ok": True,
            },
            "share": n / 4,
            "note": None if n else "first",
        }
        for n in range(count)
        for one, other in [(NAMES[n % 6], NAMES[(n + 1) % 6])]
    ]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data sets in all the forms that they are kept in."""
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    folder = tmp_path_factory.mktemp("data")
    train, held = datasets.Dataset.from_list(rows(6)), datasets.Dataset.from_list(rows(2))
    datasets.DatasetDict(train=train, validation=held).save_to_disk(folder / "both")
    train.save_to_disk(folder / "one", num_shards=2)
    train.select([4, 2, 0]).save_to_disk(folder / "selected")
    for name, part in (("train", train), ("validation", held)):
        (folder / "hub" / "data").mkdir(parents=True, exist_ok=True)
        part.to_parquet(folder / "hub" / "data" / f"{name}-00000-of-00001.parquet")
    for name in ("train", "test"):
        (folder / "lines").mkdir(exist_ok=True)
        train.to_json(folder / "lines" / f"{name}.jsonl")
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """The data sets, to be changed."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path


def part(path: str, **options) -> FilePrompts:
    given = {
        "clean": text("{row.prompt}", 30),
        "corrupted": text("{row.s2_io_flip_counterfactual.prompt}", 40),
        "answer": answer(" {row.metadata.indirect_object}", " {row.metadata.subject}"),
        "limit": None,
        "split": None,
    } | options
    return FilePrompts(path=path, format="hf", span=Span(20, 25), **given)


def pairs_of(folder: Path, path: str, **options):
    pairs, problems = expand(prompts(part(path, **options)), 0, folder)
    assert problems == ()
    return pairs


def problem_of(folder: Path, path: str, **options):
    _, (problem,) = expand(prompts(part(path, **options)), 0, folder)
    assert problem.at is not None
    return problem


@pytest.mark.parametrize(
    ("path", "split"), [("both", "train"), ("one", None), ("hub", "train"), ("lines", "test")]
)
def test_every_form_of_a_data_set_gives_the_same_pairs(folder, path, split):
    pairs = pairs_of(folder, path, split=split)

    assert [pair.clean for pair in pairs] == [row["prompt"] for row in rows(6)]
    assert pairs[1].corrupted == "When John and Anna went, John gave to"
    assert (pairs[1].answers, pairs[1].foils) == ((" John",), (" Anna",))


def test_a_selection_is_saved_in_its_own_order(folder):
    prompts_of = [row["prompt"] for row in rows(6)]

    assert [pair.clean for pair in pairs_of(folder, "selected")] == [
        prompts_of[n] for n in (4, 2, 0)
    ]


def test_rows_know_their_columns_and_their_place(folder):
    pair = pairs_of(folder, "both", split="train")[3]
    row = pair.values["row"]

    assert pair.place == "row 3 of `both`, split `train`"
    assert row["metadata"] == {
        "indirect_object": "Paul",
        "subject": "Tom",
        "year": "1703",
        "ok": True,
    }
    assert row["share"] == "0.75"
    assert row["note"] is None
    assert row["s2_io_flip_counterfactual"]["choices"] == ("Paul", "Tom")


def test_splits_are_chosen(folder):
    assert len(pairs_of(folder, "both", split="validation")) == 2
    assert len(pairs_of(folder, "hub", split="validation")) == 2


def test_among_several_splits_one_has_to_be_chosen(folder):
    problem = problem_of(folder, "both")

    assert problem.code == "ATP280"
    assert problem.message == (
        "`both` has the splits `train`, `validation`, and none is chosen"
    )
    assert problem.help == 'write `split = "train"`'


@pytest.mark.parametrize("path", ["both", "hub"])
def test_a_split_that_is_not_there_is_told_with_those_that_are(folder, path):
    assert problem_of(folder, path, split="valid").help == "did you mean `validation`?"
    assert problem_of(folder, path, split="xyz").help == "there are `train`, `validation`"


def test_a_wrong_split_is_told_where_it_stands(folder):
    problem = problem_of(folder, "both", split="valid", split_at=Span(40, 47))

    assert problem.at.span == Span(40, 47)


def test_a_data_set_without_splits_takes_none(folder):
    problem = problem_of(folder, "one", split="train")

    assert (problem.code, problem.help) == ("ATP280", "leave `split` out")


def test_reading_ends_with_the_last_row_that_is_kept(folder):
    for file in (folder / "one").glob("data-00001-*"):
        file.write_bytes(b"damaged")

    assert len(pairs_of(folder, "one", limit=2)) == 2


def test_a_name_that_is_nowhere_gets_the_way_to_save_it(folder):
    problem = problem_of(folder, "mib-bench/ioi")

    assert problem.code == "ATP246"
    assert problem.message == "there is no data set `mib-bench/ioi`"
    assert (
        '`datasets.load_dataset("mib-bench/ioi").save_to_disk("mib-bench/ioi")`' in problem.help
    )


def test_a_misspelled_folder_gets_the_nearest(folder):
    assert "did you mean `both`?" in problem_of(folder, "bothh").help


def test_a_file_is_no_data_set(folder):
    problem = problem_of(folder, "lines/train.jsonl")

    assert problem.help == 'write `from jsonl("lines/train.jsonl")`'


def test_a_downloaded_data_set_is_found_in_the_cache(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    cached = tmp_path / "cache" / "datasets--mib-bench--ioi"
    shutil.copytree(folder / "hub", cached / "snapshots" / "abc123")
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text("abc123")

    assert len(pairs_of(folder, "mib-bench/ioi", split="train")) == 6


def test_a_column_that_is_missing_names_the_row(folder):
    problem = problem_of(folder, "one", clean=text("{row.promt}", 30))

    assert problem.code == "ATP249"
    assert problem.message == "there is no column `promt` in row 0 of `one`, and in 5 more rows"
    assert problem.help == "did you mean `prompt`?"


def test_an_empty_value_is_no_text(folder):
    problem = problem_of(folder, "one", clean=text("{row.note}", 30))

    assert problem.code == "ATP248"
    assert problem.message.startswith("`note` is an empty value in row 1 of `one`, and in 4")


def test_a_damaged_file_is_told_by_its_name(folder):
    (file,) = (folder / "both" / "train").glob("*.arrow")
    file.write_bytes(file.read_bytes()[:200])
    problem = problem_of(folder, "both", split="train")

    assert problem.code == "ATP246"
    assert f"`both/train/{file.name}` cannot be read" in problem.message


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_may_not_lead_out_of_the_project(folder):
    inside = folder / "specs"
    (inside / "own").mkdir(parents=True)
    (inside / "both").symlink_to(folder / "both")
    (inside / "own" / "train.jsonl").symlink_to(folder / "lines" / "train.jsonl")

    assert problem_of(inside, "both", split="train").message.endswith("out of the project")
    assert problem_of(inside, "own").message.endswith("out of the project")


def test_a_file_that_is_gone_is_told_by_its_name(folder):
    (folder / "one" / "data-00000-of-00002.arrow").unlink()
    problem = problem_of(folder, "one")

    assert problem.message == (
        "`one/data-00000-of-00002.arrow` cannot be read: there is no such file"
    )


def test_changed_bytes_never_give_anything_but_rows_or_a_problem(folder):
    random = Random(0)
    files = [*(folder / "one").glob("*.arrow"), *(folder / "hub" / "data").glob("*.parquet")]
    outcomes = set()
    for number in range(200):
        file = files[number % len(files)]
        content = bytearray(file.read_bytes())
        for _ in range(random.randint(1, 5)):
            content[random.randrange(len(content))] = random.randrange(256)
        changed = folder / f"changed{file.suffix}"
        changed.write_bytes(content)
        try:
            outcomes.add(bool(list(read_batches(changed))))
        except DamagedError:
            outcomes.add(None)

    assert outcomes >= {True, None}


@pytest.mark.parametrize("name", ["../one", "/etc/passwd", "", 3, None, "a\0b"])
def test_a_description_leads_nowhere_else(folder, name):
    description = {"_data_files": [{"filename": name}]}
    (folder / "one" / "state.json").write_text(json.dumps(description))
    assert problem_of(folder, "one").code == "ATP246"
    (folder / "both" / "dataset_dict.json").write_text(json.dumps({"splits": [name]}))

    assert problem_of(folder, "both").code == "ATP246"


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"_data_files": []}', "[" * 100_000])
def test_a_broken_description_is_a_problem(folder, content):
    (folder / "one" / "state.json").write_text(content)

    assert problem_of(folder, "one").code == "ATP246"


def test_a_description_with_indices_is_refused(folder):
    path = folder / "one" / "state.json"
    state = json.loads(path.read_text()) | {"_indices_data_files": [{"filename": "i.arrow"}]}
    path.write_text(json.dumps(state))

    assert "flatten_indices()" in problem_of(folder, "one").help


def test_an_empty_folder_is_no_data_set(folder):
    (folder / "empty").mkdir()

    assert problem_of(folder, "empty").message == "the folder `empty` holds no data set"


def test_a_folder_that_may_not_be_listed_is_a_problem(folder, monkeypatch):
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)

    assert problem_of(folder, "hub").message == (
        "the folder `hub` cannot be read: Permission denied"
    )


def test_a_split_in_several_folders_is_not_guessed(folder):
    shutil.copytree(folder / "hub" / "data", folder / "hub" / "other")
    problem = problem_of(folder, "hub", split="train")

    assert problem.code == "ATP280"
    assert "in several folders: `data`, `other`" in problem.message
    assert len(pairs_of(folder, "hub/other", split="train")) == 6


def test_a_split_in_several_formats_is_not_guessed(folder):
    (folder / "lines" / "train.csv").write_text("a\n1\n")

    assert "`.csv` and `.jsonl`" in problem_of(folder, "lines", split="train").message


def test_more_than_the_most_is_not_read(folder, monkeypatch):
    monkeypatch.setattr(sources, "LARGEST_READ", 700)

    assert problem_of(folder, "both", split="train").code == "ATP247"


def test_columns_of_bytes_are_passed_over_and_both_arrow_forms_are_read(tmp_path):
    count = 2 * BATCH + 3
    table = pa.table({"x": list(map(str, range(count))), "image": [b"abc"] * count})
    with pa.ipc.new_file(tmp_path / "whole.arrow", table.schema) as writer:
        writer.write_table(table)
    with pa.ipc.new_stream(tmp_path / "stream.arrow", table.schema) as writer:
        writer.write_table(table)
    wanted = [{"x": str(n)} for n in range(count)]

    for name in ("whole.arrow", "stream.arrow"):
        batches = list(read_batches(tmp_path / name))
        assert [row for _, rows_of in batches for row in rows_of] == wanted
        assert len(batches) == 3


SPEC = """\
atp 1
model "tiny"

prompts ioi from hf("both") {
  split     = "train"
  clean     = row.prompt
  corrupted = row.s2_io_flip_counterfactual.prompt
  answer " {row.metadata.indirect_object}" vs " {row.metadata.subject}"
  keep      = year >= 1700 and same_token_count(row.metadata.subject, row.metadata.subject)
  limit     = 2
  let year  = int(row.metadata.year)
  pos verb  = match(r"(went),")
}
prompts held_out from ioi { split = "validation"; keep = year > 1700 }

metric logit_diff at last
nodes { heads.z at verb, last }
method atp
"""


def test_a_spec_maps_a_data_set_and_another_split_of_it(folder):
    study = check_source(Source("spec.atp", SPEC), folder, Access(offline=True))

    assert study.problems == ()
    train, held = (point.bound for point in study.points)
    assert train is not None
    assert held is not None
    assert [pair.text.place for pair in train.pairs.pairs] == [
        "row 0 of `both`, split `train`",
        "row 1 of `both`, split `train`",
    ]
    (pair,) = held.pairs.pairs
    assert pair.text.place == "row 1 of `both`, split `validation`"
    assert pair.text.values["year"] == 1701
    assert pair.positions["verb"] == (5, 5)


def test_no_data_frame_and_no_library_of_data_sets_is_loaded(folder):
    code = (
        "import sys; from pathlib import Path\n"
        "from tests.binding.texts.test_datasets import part, prompts, expand\n"
        "pairs, _ = expand(prompts(part('both', split='train')), 0, Path(sys.argv[1]))\n"
        "assert len(pairs) == 6\n"
        "heavy = ('torch', 'datasets', 'pandas', 'transformers')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "[]\n"
