"""`docs`, `explain`, `list` and `new`, as people see them at 80 columns."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from atpdsl.cli import main
from atpdsl.cli.failures import DONE, FAILED, SPEC, USAGE
from atpdsl.problems.codes import CODES
from atpdsl.reference.task_files import tasks
from atpdsl.reference.topics import all_topics, chapters
from tests.cli.test_output import golden

WIDEST = 80
# The tokenizer of `tiny` has few words, and its context is short.
FOR_LARGER_MODELS = {"a_an", "docstring"}
TOO_SMALL = {"ATP242", "ATP253"}
PARAMETRIC = """\
atp 1

## How many names does it take?
## (Not many.)

param best = 20 { help = "nodes to verify"; min = 1; max = 500 }
sweep seed in 0..2

model "tiny"
## Two names.
prompts two {
  template "When {IO} and {S} went to the store, {S as S2} gave a drink to"
  slot IO, S in ["Mary", "John", "Tom"]
  corrupt S2 -> IO
  answer " {IO}" vs " {S}"
  count = 4
}
metric logit_diff
nodes { heads.z at last }
method atp
verify { top = best }
run { seed = seed }
"""


def printed(capsys, *words: str) -> str:
    assert main(list(words)) == DONE
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["docs", "verify"], "docs_verify.txt"),
        (["docs", "verify.top"], "docs_verify_top.txt"),
        (["docs", "positions"], "docs_positions.txt"),
        (["docs", "heads.z"], "docs_heads_z.txt"),
        (["docs", "diagnose"], "docs_diagnose.txt"),
        (["docs", "expect", "functions"], "docs_expect_functions.txt"),
        (["explain", "ATP105"], "explain_105.txt"),
    ],
)
def test_what_is_looked_up_is_told_as_ever(words, name, capsys):
    text = printed(capsys, *words)

    assert text == golden(name, text)


@pytest.mark.parametrize("topic", ["", *all_topics(), *(c.name for c in chapters())])
def test_everything_fits_in_80_columns(topic, capsys):
    text = printed(capsys, "docs", *topic.split())

    assert text.strip()
    assert max(map(len, text.splitlines())) <= WIDEST


def test_the_index_names_every_topic_of_every_chapter(capsys):
    text = " ".join(printed(capsys, "docs").split())

    for chapter in chapters():
        assert f"{chapter.name}:" in text
        assert all(topic.name in text for topic in chapter.topics)


def test_an_unknown_topic_is_guessed(capsys):
    assert main(["docs", "verfy"]) == USAGE
    assert capsys.readouterr().err == (
        "atpdsl docs: there is nothing called `verfy`; did you mean `verify`?\n"
    )


def test_a_code_is_sent_to_explain(capsys):
    assert main(["docs", "ATP105"]) == USAGE
    assert "`atpdsl explain ATP105`" in capsys.readouterr().err


def test_the_words_come_as_json(capsys):
    document = json.loads(printed(capsys, "docs", "--json"))

    assert document["schema"] == "atpdsl/words/1"
    assert "verify" in {statement["name"] for statement in document["statements"]}


def test_a_spec_tells_of_itself(capsys):
    Path("names.atp").write_text(PARAMETRIC, encoding="utf-8")
    text = printed(capsys, "docs", "names.atp")

    assert text == golden("docs_spec.txt", text)


def test_a_spec_without_anything_to_tell_says_so(capsys):
    text = printed(capsys, "docs", "good.atp")

    assert text.startswith("good.atp:\n  It has no description")


def test_a_spec_with_mistakes_tells_those(capsys):
    assert main(["docs", "bad.atp"]) == SPEC
    assert "error[ATP008]" in capsys.readouterr().err


def test_a_spec_that_is_not_there_is_a_problem(capsys):
    assert main(["docs", "gone.atp"]) == SPEC
    assert "error[ATP420]" in capsys.readouterr().err


def test_explain_without_a_code_lists_all(capsys):
    text = printed(capsys, "explain")

    assert all(f"  {code.code}  {code.title}"[:WIDEST] in text for code in CODES.values())
    assert max(map(len, text.splitlines())) <= WIDEST


@pytest.mark.parametrize("code", CODES)
def test_every_explanation_fits_in_80_columns(code, capsys):
    text = printed(capsys, "explain", code)
    prose = [line for line in text.splitlines() if not line.startswith("    ")]

    assert max(map(len, prose)) <= WIDEST


@pytest.mark.parametrize("word", ["105", "atp105", "[ATP105]", "ATP0105"])
def test_a_code_may_be_written_carelessly(word, capsys):
    assert printed(capsys, "explain", word).startswith("ATP105: ")


@pytest.mark.parametrize(
    ("word", "advice"),
    [
        ("ATP1055", "did you mean `ATP105`?"),
        ("edition", "perhaps ATP100 (no edition)"),
        ("qqq", "they look like ATP001"),
    ],
)
def test_an_unknown_code_is_guessed(word, advice, capsys):
    assert main(["explain", word]) == USAGE
    assert advice in capsys.readouterr().err


@pytest.mark.parametrize("what", ["tasks", "functions", "metrics", "nodes"])
def test_lists_fit_in_80_columns(what, capsys):
    text = printed(capsys, "list", what)

    assert text.startswith(f"{what}:\n")
    assert max(map(len, text.splitlines())) <= WIDEST


def test_the_tasks_are_those_of_the_library(capsys):
    text = printed(capsys, "list", "tasks")

    assert all(f"lib:{task.name} " in text for task in tasks())


def test_a_new_spec_is_good_and_well_laid_out(capsys):
    assert printed(capsys, "new").startswith("spec.atp is written\n")
    text = Path("spec.atp").read_text(encoding="utf-8")

    assert text == golden("new.atp", text)
    assert main(["check", "spec.atp"]) == DONE
    assert main(["fmt", "--check", "spec.atp"]) == DONE
    assert "no problems" in capsys.readouterr().out


@pytest.mark.slow
def test_a_new_spec_runs(capsys):
    assert main(["new", "mine"]) == DONE
    assert main(["run", "mine.atp", "--quiet"]) == DONE
    assert Path("runs/mine/mine.graphml").is_file()


@pytest.mark.parametrize("task", [task.name for task in tasks()])
def test_a_new_spec_with_a_task_is_good_and_well_laid_out(task, capsys):
    assert main(["new", "mine.atp", "--task", task]) == DONE
    assert main(["fmt", "--check", "mine.atp"]) == DONE
    capsys.readouterr()
    main(["check", "mine.atp", "--json"])
    (found,) = json.loads(capsys.readouterr().out)["specs"]
    codes = {problem["code"] for problem in found["problems"]}

    assert codes <= (TOO_SMALL if task in FOR_LARGER_MODELS else set())


def test_a_new_spec_never_replaces_a_file(capsys):
    before = Path("good.atp").read_text(encoding="utf-8")

    assert main(["new", "good.atp"]) == FAILED
    assert Path("good.atp").read_text(encoding="utf-8") == before
    assert "is there already" in capsys.readouterr().err


def test_an_unknown_task_is_guessed(capsys):
    assert main(["new", "--task", "ioo"]) == USAGE
    assert "did you mean `ioi`?" in capsys.readouterr().err
    assert not Path("spec.atp").exists()


def test_a_new_spec_cannot_be_written_nowhere(capsys):
    assert main(["new", "nowhere/spec.atp"]) == FAILED
    assert "error[ATP442]" in capsys.readouterr().err


def test_the_model_of_a_new_spec_can_be_chosen(capsys):
    assert main(["new", "--model", "induction"]) == DONE
    assert 'model "induction"' in Path("spec.atp").read_text(encoding="utf-8")
