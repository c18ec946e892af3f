"""Pairs from CSV and JSONL files."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from atpdsl.binding.texts import sources
from atpdsl.binding.texts.expand import expand
from atpdsl.binding.texts.files import expand_file
from atpdsl.problems import Source, Span
from atpdsl.semantics.experiment import Answer, PairLet
from atpdsl.semantics.formulas import Formula
from atpdsl.syntax import tree as t
from atpdsl.syntax.parse import parse
from tests.binding.build import answer, from_file, prompts, text

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


def test_a_missing_file_names_the_nearest_one(folder: Path) -> None:
    (problem,) = problems_of(folder, "pair.csv")

    assert problem.code == "ATP246"
    assert problem.help == "did you mean `pairs.csv`? a path starts at the spec's folder"


@pytest.mark.parametrize("name", ["none/pairs.csv", "bad\0name.csv"])
def test_a_path_that_cannot_be_is_a_problem(folder: Path, name: str) -> None:
    (problem,) = problems_of(folder, name)

    assert problem.code == "ATP246"


def test_a_folder_is_no_file(folder: Path) -> None:
    (folder / "sub.csv").mkdir()
    (problem,) = problems_of(folder, "sub.csv")

    assert problem.code == "ATP246"
    assert problem.message == "`sub.csv` cannot be read: it is a folder"
    assert problem.help


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_may_not_lead_out_of_the_project(folder: Path) -> None:
    inside = folder / "specs"
    inside.mkdir()
    (inside / "link.csv").symlink_to(folder / "pairs.csv")
    (problem,) = problems_of(inside, "link.csv")
    assert problem.message == "`link.csv` is a link that leads out of the project"
    (folder / "atpdsl.toml").touch()

    assert len(pairs_of(inside, "link.csv")) == 2


def test_other_encodings_are_a_problem(folder: Path) -> None:
    (folder / "latin.csv").write_bytes("clean,corrupted\nZoë,Ann\n".encode("latin-1"))
    (problem,) = problems_of(folder, "latin.csv")

    assert problem.message == "`latin.csv` is not UTF-8 text: byte 18 cannot be read"


def test_a_large_file_is_not_read(folder: Path, monkeypatch) -> None:
    monkeypatch.setattr(sources, "LARGEST_READ", 10)
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


def test_all_that_is_wrong_with_a_row_is_told(folder: Path) -> None:
    found = problems_of(
        folder,
        "pairs.csv",
        clean="{row.claen}",
        corrupted="{row.x}",
        answers=answer("{row.lable}", "{row.y}"),
    )

    assert [problem.message.split(" in ")[0] for problem in found] == [
        f"there is no column `{name}`" for name in ("claen", "x", "lable", "y")
    ]


@pytest.mark.parametrize(("mark", "shown"), [(";", "`;`"), ("\t", "tabs")])
def test_cells_without_commas_between_them_are_seen(
    folder: Path, mark: str, shown: str
) -> None:
    write(folder, "other.csv", f"clean{mark}corrupted\nMary{mark}John\n")
    problem = problems_of(folder, "other.csv")[0]

    assert problem.help == f"the file has {shown} between its cells; save it with commas"


def test_braces_in_a_cell_are_text(folder: Path) -> None:
    write(folder, "braces.csv", "clean,corrupted\nMary {x} {{y,John {\n")
    (pair,) = pairs_of(folder, "braces.csv")

    assert (pair.clean, pair.corrupted) == ("Mary {x} {{y", "John {")


def test_a_row_with_too_few_cells_names_its_line(folder: Path) -> None:
    write(folder, "short.csv", 'clean,corrupted\n"two\nlines",John\nMary\n')
    (problem,) = problems_of(folder, "short.csv")

    assert problem.code == "ATP248"
    assert problem.message == (
        "line 4 of `short.csv` cannot be read: it has 1 cell, and the header has 2"
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


def test_of_a_large_file_only_what_is_needed_is_read(folder: Path, monkeypatch) -> None:
    write(folder, "many.csv", CSV + "Tom went,Lucy went,store\n" * 10_000)
    monkeypatch.setattr(sources, "LARGEST_READ", 100_000)

    assert len(pairs_of(folder, "many.csv", limit=3)) == 3
    assert [problem.code for problem in problems_of(folder, "many.csv")] == ["ATP247"]


def test_a_file_without_line_ends_does_not_fill_the_memory(folder: Path, monkeypatch) -> None:
    write(folder, "long.jsonl", '{"clean": "' + "a" * 100_000)
    monkeypatch.setattr(sources, "LARGEST_READ", 10_000)

    assert [problem.code for problem in problems_of(folder, "long.jsonl")] == ["ATP247"]


def test_old_line_ends_end_lines(folder: Path) -> None:
    (folder / "old.csv").write_bytes(b"clean,corrupted\rMary went,John went\r")

    assert [pair.clean for pair in pairs_of(folder, "old.csv")] == ["Mary went"]


# ---- values, conditions and answers that are computed ----

YEARS = "clean,corrupted,label\nin 1732,in 1701,32\nin 1798,in 1701,98\nin 1705,in 1701,05\n"


def formula(words: str, at: int = 60) -> Formula:
    statement = f"atp 1\nlet x = {words}\n"
    tree, problems = parse(Source("formula.atp", statement))
    assert problems == ()
    let = tree.statements[1]
    assert isinstance(let, t.Let)
    return Formula(expression=let.value, span=Span(at, at + 1))


def let(name: str, words: str) -> PairLet:
    return PairLet(name=name, formula=formula(words), span=Span(70, 71))


class Letters:
    """A tokenizer of letters."""

    def count(self, text: str) -> int:
        return len(text)


def expanded(folder: Path, tokens: Letters | None = None, **options):
    limit = options.pop("limit", None)
    answers = options.pop("answers", None)
    write(folder, "years.csv", options.pop("content", YEARS))
    part = replace(from_file("years.csv", answers=answers, limit=limit), **options)
    return expand_file(part, "strict", folder, tokens)


def test_values_are_computed_for_every_row_in_order(folder: Path) -> None:
    pairs, problems = expanded(
        folder,
        lets=(let("yy", "int(row.label)"), let("next", "yy + 1")),
        answers=Answer(
            right=(formula("two_digits(next .. 99)"),),
            wrong=(formula("two_digits(yy)"), text("{next:03}")),
            span=Span(900, 901),
        ),
        clean=text("{row.clean} {yy}"),
    )

    assert problems == ()
    assert pairs[1].clean == "in 1798 98"
    assert (pairs[1].answers, pairs[1].foils) == (("99",), ("98", "099"))
    assert len(pairs[2].answers) == 94
    assert pairs[2].values["yy"] == 5
    assert pairs[2].values["row"] == {
        "clean": "in 1705",
        "corrupted": "in 1701",
        "label": "05",
    }
    assert [pair.place for pair in pairs] == [f"line {n} of `years.csv`" for n in (2, 3, 4)]


def test_a_row_without_any_answer_is_a_problem(folder: Path) -> None:
    content = YEARS.replace("98\n", "99\n")
    answers = Answer(
        right=(formula("two_digits(int(row.label) + 1 .. 99)"),), wrong=(), span=Span(900, 901)
    )
    pairs, (problem,) = expanded(folder, content=content, answers=answers)

    assert len(pairs) == 2
    assert problem.message == "this gives no answer, in line 3 of `years.csv`"


def test_rows_that_are_not_kept_do_not_count_for_the_limit(folder: Path) -> None:
    kept = {"lets": (let("yy", "int(row.label)"),), "keep": formula("yy < 90")}

    assert [pair.clean for pair in expanded(folder, **kept)[0]] == ["in 1732", "in 1705"]
    assert [pair.clean for pair in expanded(folder, limit=2, **kept)[0]] == [
        "in 1732",
        "in 1705",
    ]


def test_a_condition_may_ask_the_tokenizer(folder: Path) -> None:
    kept = {"keep": formula("same_token_count(row.clean, row.label, row.label)")}
    same = YEARS + "ab,cd,ef\n"
    pairs, problems = expanded(folder, Letters(), content=same, **kept)

    assert problems == ()
    assert [pair.clean for pair in pairs] == ["ab"]


def test_a_value_that_only_rows_left_out_lack_is_no_problem(folder: Path) -> None:
    content = YEARS + "in x,in y,none\n"
    lets = (let("yy", "int(row.label)"),)
    assert len(expanded(folder, content=content, lets=lets)[1]) == 1
    pairs, problems = expanded(
        folder, content=content, lets=lets, keep=formula('row.label != "none"')
    )

    assert problems == ()
    assert len(pairs) == 3


def test_a_value_that_cannot_be_computed_names_the_line(folder: Path) -> None:
    content = YEARS.replace("98\n", "xx\n").replace("05\n", "yy\n")
    _, (problem,) = expanded(folder, content=content, lets=(let("n", "int(row.label)"),))

    assert problem.message == (
        "the text `xx` is no whole number, in line 3 of `years.csv`, and in 1 more line"
    )


def test_when_no_row_is_kept_the_condition_is_shown(folder: Path) -> None:
    pairs, (problem,) = expanded(folder, keep=formula('row.label == "1"'))

    assert pairs == ()
    assert problem.code == "ATP281"
    assert problem.message.endswith("none of its 3 rows does")
    assert problem.at is not None
    assert problem.at.span == Span(60, 61)


def test_a_condition_is_true_or_false(folder: Path) -> None:
    _, (problem,) = expanded(folder, keep=formula("row.label"))

    assert "is neither true nor false" in problem.message


def test_an_empty_object_has_no_parts(folder: Path) -> None:
    write(folder, "null.jsonl", '{"clean": null, "corrupted": "x"}\n')
    (problem,) = problems_of(folder, "null.jsonl", clean="{row.clean.text}")

    assert problem.code == "ATP249"
