"""What is told of a spec: every mistake once, and nothing that only follows from another."""

from __future__ import annotations

from pathlib import Path

import pytest

from atpdsl import driver
from atpdsl.checking import check_source
from atpdsl.problems import Source, SpecError

SPEC = """\
atp 1
model "tiny"
prompts ioi {
  template "When {IO} and {S} went to the store, {S as S2} gave a drink to"
  slot IO, S in ["Mary", "John", "Tom"]
  corrupt S2 -> IO
  answer " {IO}" vs " {S}"
  count = 4
}
metric logit_diff at last
nodes { mlp at S2, last }
method fast = atp
"""
WORDS = '["Mary", "John", "Tom"]'


def codes(text: str, folder: Path) -> list[str]:
    path = folder / "spec.atp"
    path.write_text(text)
    return [problem.code for problem in driver.check(path).problems]


def test_the_spec_is_good(tmp_path):
    assert codes(SPEC, tmp_path) == []


@pytest.mark.parametrize(
    ("lines", "words", "code"),
    [
        ('include "lib:nams"', "names", "ATP132"),
        ('include "nothere.atp"', "people", "ATP131"),
        ('include "nothere.atp" as shared', "shared.people", "ATP131"),
        ('include "lib:names" as other', "other.women", "ATP137"),
        ('let people = ["Mary"] + 3', "people", "ATP140"),
        ('let people = ["Mary" "John"]', "people", "ATP007"),
    ],
)
def test_where_names_are_lost_slots_are_not_missed(tmp_path, lines, words, code):
    text = SPEC.replace(WORDS, words).replace('model "tiny"', f'model "tiny"\n{lines}')

    assert codes(text, tmp_path) == [code]


def test_where_names_are_lost_misspelled_words_are_still_told(tmp_path):
    text = SPEC.replace('model "tiny"', 'model "tiny" { dtype = flaot32 }\ninclude "lib:nams"')
    text += "verify { top = most; randm = 3; method = fast }\n"

    assert codes(text, tmp_path) == ["ATP322", "ATP132", "ATP105"]


ROWS = """\
atp 1
model "tiny"
prompts from csv("pairs.csv") {
  clean     = "The capital of France is"
  corrupted = "The capital of {row.other as WHERE} is"
  answer " Paris" vs " Rome"
}
metric logit_diff at last
nodes { mlp at last, WHERE }
method atp
"""


def test_a_place_that_only_one_of_the_prompts_has_is_told_as_such(tmp_path):
    (tmp_path / "pairs.csv").write_text("other\nItaly\n")
    path = tmp_path / "spec.atp"
    path.write_text(ROWS)
    (problem,) = driver.check(path).problems

    assert problem.code == "ATP262"
    assert problem.message == "`WHERE` is no position: only the corrupted prompts have it"

    path.write_text(ROWS.replace("of France", "of {row.other as WHERE}"))
    assert "ATP262" not in [problem.code for problem in driver.check(path).problems]


def test_a_setting_by_another_name_has_a_suggestion(tmp_path):
    (tmp_path / "pairs.csv").write_text("other\nItaly\n")
    path = tmp_path / "spec.atp"
    path.write_text(ROWS.replace("  answer", "  count = 4\n  answer").replace(", WHERE", ""))
    (problem,) = driver.check(path).problems

    assert problem.help == "did you mean `limit`?"


def test_one_place_is_not_several(tmp_path):
    path = tmp_path / "spec.atp"
    path.write_text(SPEC.replace("S2 -> IO", 'S2 -> "Ann", "Bob"'))
    (problem,) = driver.check(path).problems

    assert problem.message == "1 place and 2 values do not go together"


def test_a_folder_is_no_spec(tmp_path):
    with pytest.raises(SpecError) as refused:
        driver.check(tmp_path)

    assert refused.value.problems[0].message == f"cannot read `{tmp_path}`: it is a folder"


def test_where_an_include_is_lost_its_prompts_are_not_missed(tmp_path):
    lines = 'include "nothere.atp"\nmetric logit_diff\nnodes { mlp at S2 }\nmethod atp\n'

    assert codes(f'atp 1\nmodel "tiny"\n{lines}', tmp_path) == ["ATP131"]


def test_as_long_as_it_is_not_said_which_prompts_are_measured_none_are_tried(tmp_path):
    # Its first set needs years of two tokens, which the tokenizer of this model has not.
    lines = 'include "lib:greater_than"\nmetric prob_diff\nnodes { mlp at last }\nmethod atp\n'

    assert codes(f'atp 1\nmodel "tiny-llama"\n{lines}', tmp_path) == ["ATP149"]
    chosen = lines + "run { prompts = by_digit }\n"
    assert "ATP149" not in codes(f'atp 1\nmodel "tiny-llama"\n{chosen}', tmp_path)


def test_a_path_is_not_suggested_in_its_own_place(tmp_path):
    (tmp_path / "loop.atp").symlink_to(tmp_path / "loop.atp")
    with pytest.raises(SpecError) as refused:
        driver.check(tmp_path / "loop.atp")

    assert "did you mean" not in str(refused.value.problems[0].help)


def test_a_value_that_is_lost_in_a_sum_is_not_told_again(tmp_path):
    text = SPEC + "let a = 1 + ; let b = 2\nverify { top = a + b }\n"

    assert codes(text, tmp_path) == ["ATP014"]


@pytest.mark.parametrize(
    ("answer", "pointed"),
    [
        ('[" {IO}", " Wilhelmina"] vs " {S}"', '" Wilhelmina"'),
        ('" {IO}" vs [" {S}", " Wilhelmina"]', '" Wilhelmina"'),
        ('" {IO}" vs title(["wilhelmina"])', 'title(["wilhelmina"])'),
    ],
)
def test_an_answer_of_several_tokens_is_pointed_at_where_it_is_written(answer, pointed):
    text = f"""\
atp 1
model "tiny"
prompts {{
  template "When {{IO}} and {{S}} went to the store, {{S as S2}} gave a drink to"
  slot IO, S in ["Mary", "John", "Tom"]
  corrupt S2 -> IO
  answer {answer}
  count = 4
}}
metric logit_diff
nodes {{ heads.z at S2 }}
method atp
"""
    problems = check_source(Source("spec.atp", text), Path()).errors
    places = {text[p.at.span.start : p.at.span.end] for p in problems if p.at is not None}

    assert {p.code for p in problems} == {"ATP256"}
    assert places == {pointed}
