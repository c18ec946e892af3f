"""`--passes` and `--show`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from atpdsl.cli import main
from atpdsl.cli.failures import DONE, SPEC, USAGE
from atpdsl.passes import PIPELINE


def forwards(words: str, capsys) -> int:
    assert main(f"plan good.atp --json {words}".split()) == DONE
    document = json.loads(capsys.readouterr().out)
    return document["points"][0]["total"]["forward_sequences"]


def test_a_plan_without_passes_runs_more(capsys):
    everything, none, some = (
        forwards(words, capsys)
        for words in ("", "--passes none", "--passes merge_forwards,merge_backwards")
    )

    assert forwards("--passes all", capsys) == everything
    assert everything == some < none


def test_a_pass_is_shown_before_and_after(capsys):
    assert main(["plan", "good.atp", "--show", "merge_forwards"]) == DONE
    text = capsys.readouterr().out
    before, after = text.split("\n\n")

    assert before.startswith("before `merge_forwards`: ")
    assert after.startswith("after `merge_forwards`: ")
    assert before.count("forward clean") > after.count("forward clean") == 1
    assert max(map(len, text.splitlines())) <= 80


def test_a_pass_that_does_nothing_is_said_to(capsys):
    assert main(["plan", "good.atp", "--show", "run_again"]) == DONE

    assert capsys.readouterr().out.startswith("`run_again` changes nothing here: ")


@pytest.mark.parametrize("name", PIPELINE.names)
def test_every_pass_can_be_shown(name, capsys):
    assert main(["plan", "good.atp", "--show", name]) == DONE
    assert f"`{name}`" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        "plan good.atp --passes mege_forwards",
        "plan good.atp --show merge_forward",
        "run good.atp --passes merge_forwards,merge_backward",
    ],
)
def test_an_unknown_pass_is_a_problem_with_a_suggestion(words, capsys):
    assert main(words.split()) == SPEC
    told = capsys.readouterr().err

    assert "ATP432" in told
    assert "did you mean `merge_" in told


@pytest.mark.parametrize("name", ["all", "none", "merge_forwards,run_again"])
def test_only_one_pass_is_shown_at_a_time(name, capsys):
    assert main(["plan", "good.atp", "--show", name]) == USAGE
    assert "`--show` takes the name of one pass" in capsys.readouterr().err


def test_a_run_goes_through_the_passes_that_are_named():
    run = ["run", "good.atp", "--executor", "null", "--out"]
    assert main([*run, "a", "--passes", "none"]) == main([*run, "b"]) == DONE

    before, after = (
        json.loads(Path(folder, "result.json").read_text(encoding="utf-8"))["passes"]
        for folder in ("a", "b")
    )
    assert before["forward_sequences"] > after["forward_sequences"]
    assert before["forward_layers"] > after["forward_layers"] > 0
    assert before["backward_layers"] >= after["backward_layers"] > 0
