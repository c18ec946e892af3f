"""Pairs from CSV and JSONL files."""

from __future__ import annotations

from pathlib import Path

import pytest

from atpdsl.binding.texts import files
from atpdsl.binding.texts.expand import expand
from atpdsl.problems import Span
from tests.binding.build import answer, from_file, prompts

CSV = "clean,corrupted,label\nMary went,John went,store\n\n" + '"Anna, too","Paul, too",park\n'
JSONL = (
    '{"clean": "Mary went", "corrupted": "John went", "meta": {"io": "store", "year": 17.50}}\n'
    "\n"
    '{"clean": "Anna went", "corrupted": "Paul went", "meta": {"io": "park", "year": 18}}\n'
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pairs.csv").write_text(CSV, encoding="utf-8")
    (tmp_path / "pairs.jsonl").write_text(JSONL, encoding="utf-8")
    return tmp_path


def pairs_of(folder: Path, *args, **options):
    pairs, problems = expand(prompts(from_file(*args, **options)), 0, folder)
    assert problems == ()
    return pairs


def problems_of(folder: Path, *args, **options):
    return expand(prompts(from_file(*args, **options)), 0, folder)[1]


def write(folder: Path, name: str, content: str) -> None:
    (folder / name).write_text(content, encoding="utf-8")


def test_a_csv_row_is_a_pair(folder: Path) -> None:
    pairs = pairs_of(folder, "pairs.csv", answers=answer(" {row.label}", " moon"))

    assert [pair.clean for pair in pairs] == ["Mary went", "Anna, too"]
    assert [pair.corrupted for pair in pairs] == ["John went", "Paul, too"]
    assert [pair.answers for pair in pairs] == [(" store",), (" park",)]
    assert [pair.foils for pair in pairs] == [(" moon",), (" moon",)]
    assert [(pair.origin, pair.row) for pair in pairs] == [(Span(20, 25), 0), (Span(20, 25), 1)]


def test_a_json_value_is_reached_by_its_path_and_numbers_stay_as_written(folder: Path) -> None:
    pairs = pairs_of(
        folder,
        "pairs.jsonl",
        clean="In {row.meta.year} {row.clean}",
        answers=answer(" {row.meta.io}", " moon"),
    )

    assert [pair.clean for pair in pairs] == ["In 17.50 Mary went", "In 18 Anna went"]
    assert pairs[1].answers == (" park",)


def test_a_label_in_both_texts_is_a_position(folder: Path) -> None:
    pair = pairs_of(
        folder,
        "pairs.csv",
        clean="so {row.clean as who} there",
        corrupted="{row.corrupted as who} there",
    )[0]

    assert pair.marks == {"who": ((3, 12), (0, 9))}


def test_a_byte_order_mark_and_carriage_returns_are_no_part_of_the_text(folder: Path) -> None:
    (folder / "win.csv").write_bytes(b"\xef\xbb\xbfclean,corrupted\r\nMary went,John went\r\n")

    assert [pair.clean for pair in pairs_of(folder, "win.csv")] == ["Mary went"]


def test_a_column_name_with_dots_is_found(folder: Path) -> None:
    write(folder, "dots.csv", "a.clean,corrupted\nMary,John\n")

    assert pairs_of(folder, "dots.csv", clean="{row.a.clean}")[0].clean == "Mary"


def test_limit_takes_the_first_rows(folder: Path) -> None:
    assert len(pairs_of(folder, "pairs.csv", limit=1)) == 1


def test_a_missing_file_names_the_nearest_one_and_the_folder(folder: Path) -> None:
    (problem,) = problems_of(folder, "pair.csv")

    assert problem.code == "ATP246"
    assert "did you mean `pairs.csv`?" in problem.help
    assert str(folder) in problem.help


@pytest.mark.parametrize("name", ["none/pairs.csv", "bad\0name.csv"])
def test_a_path_that_cannot_be_is_a_problem(folder: Path, name: str) -> None:
    (problem,) = problems_of(folder, name)

    assert problem.code == "ATP246"


def test_a_folder_is_no_file(folder: Path) -> None:
    (folder / "sub.csv").mkdir()
    (problem,) = problems_of(folder, "sub.csv")

    assert problem.code == "ATP246"
    assert str(folder) not in problem.message


def test_other_encodings_are_a_problem(folder: Path) -> None:
    (folder / "latin.csv").write_bytes("clean,corrupted\nZoë,Ann\n".encode("latin-1"))
    (problem,) = problems_of(folder, "latin.csv")

    assert problem.message == "`latin.csv` is not UTF-8 text: byte 18 cannot be read"


def test_a_large_file_is_not_read(folder: Path, monkeypatch) -> None:
    monkeypatch.setattr(files, "LARGEST_FILE", 10)
    (problem,) = problems_of(folder, "pairs.csv")

    assert problem.code == "ATP247"


def test_an_empty_file_and_a_lone_header_have_no_rows(folder: Path) -> None:
    write(folder, "empty.csv", "")
    write(folder, "header.csv", "clean,corrupted\n")
    write(folder, "empty.jsonl", "\n\n")
    found = [
        problems_of(folder, name)[0].code for name in ("empty.csv", "header.csv", "empty.jsonl")
    ]

    assert found == ["ATP250"] * 3


def test_a_missing_column_is_one_problem_with_a_suggestion(folder: Path) -> None:
    (problem,) = problems_of(folder, "pairs.csv", clean="{row.claen}")

    assert problem.code == "ATP249"
    assert problem.message == (
        "there is no column `claen` in line 2 of `pairs.csv`, and in 1 more line"
    )
    assert problem.help == "did you mean `clean`?"
    assert problem.at is not None
    assert problem.at.span == Span(30, 31)


def test_a_row_with_too_few_cells_names_its_line(folder: Path) -> None:
    write(folder, "short.csv", 'clean,corrupted\n"two\nlines",John\nMary\n')
    (problem,) = problems_of(folder, "short.csv")

    assert problem.code == "ATP248"
    assert problem.message == (
        "line 4 of `short.csv` cannot be read: it has 1 cells, and the header has 2"
    )


def test_good_rows_are_kept_beside_a_bad_one(folder: Path) -> None:
    write(folder, "some.jsonl", JSONL + "{broken\n")
    pairs, problems = expand(prompts(from_file("some.jsonl")), 0, folder)

    assert len(pairs) == 2
    assert [problem.code for problem in problems] == ["ATP248"]


@pytest.mark.parametrize("line", ["[1, 2]", "{", '"text"', "[" * 100_000])
def test_a_line_that_is_no_object_is_a_problem(folder: Path, line: str) -> None:
    write(folder, "bad.jsonl", line + "\n")

    assert [problem.code for problem in problems_of(folder, "bad.jsonl")] == ["ATP248"]


@pytest.mark.parametrize("value", ["null", "true", "[1]", '{"a": 1}'])
def test_what_is_no_text_cannot_stand_in_a_prompt(folder: Path, value: str) -> None:
    write(folder, "odd.jsonl", f'{{"clean": {value}, "corrupted": "x"}}\n')

    assert [problem.code for problem in problems_of(folder, "odd.jsonl")] == ["ATP248"]


@pytest.mark.parametrize(
    "content", ['clean,corrupted\n"Mary,John\n', "clean,clean\nMary,John\n"]
)
def test_broken_csv_is_a_problem(folder: Path, content: str) -> None:
    write(folder, "broken.csv", content)

    assert [problem.code for problem in problems_of(folder, "broken.csv")] == ["ATP248"]


def test_a_slot_in_a_file_text_is_a_problem(folder: Path) -> None:
    (problem,) = problems_of(folder, "pairs.csv", clean="{clean}")

    assert problem.help == "for a column of the file write `{row.clean}`"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"clean": "a \\ud83d b", "corrupted": "c"}', "`\\ud83d` is half of a character"),
        ('{"clean": "a", "clean": "b", "corrupted": "c"}', "it has `clean` twice"),
        ('{"clean": NaN, "corrupted": "c"}', "`NaN` is no JSON"),
    ],
)
def test_json_that_says_no_one_thing_is_refused(folder: Path, line: str, reason: str) -> None:
    write(folder, "odd.jsonl", line)
    (problem,) = problems_of(folder, "odd.jsonl")

    assert problem.code == "ATP248"
    assert problem.message == f"line 1 of `odd.jsonl` cannot be read: {reason}"
    assert problem.help


def test_both_halves_of_a_character_are_a_character(folder: Path) -> None:
    write(folder, "pair.jsonl", '{"clean": "\\ud83d\\ude00", "corrupted": "c"}')

    assert pairs_of(folder, "pair.jsonl")[0].clean == "\U0001f600"


def test_the_help_with_a_header_is_about_the_header(folder: Path) -> None:
    write(folder, "twice.csv", "clean,clean\na,b\n")
    write(folder, "spaced.csv", "clean, corrupted\na,b\n")

    assert problems_of(folder, "twice.csv")[0].help == "give every column a name of its own"
    assert "take the space away" in problems_of(folder, "spaced.csv")[0].help
