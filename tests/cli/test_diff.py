"""`atpdsl diff`."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from atpdsl.cli import main
from tests.cli.test_output import golden
from tests.results.raw import diagnosed_result
from tests.results.samples import experiment, outcome, result

DONE, DIFFERS, USAGE, FAILED = 0, 1, 2, 3
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]")


@pytest.fixture(autouse=True)
def _saved() -> None:
    result().save("a")
    result(outcome(seed=1)).save("b")


def told(*words: str, capsys) -> tuple[int, str]:
    code = main(["diff", *words])
    return code, capsys.readouterr().out


def test_a_result_is_identical_to_itself(capsys):
    code, out = told("a", "a", capsys=capsys)

    assert code == DONE
    assert out.splitlines()[-1] == "identical"
    assert "the specs ask for the same\n" in out
    assert "model, prompts, software and device are the same\n" in out


def test_what_differs_is_told_in_eighty_columns(capsys):
    code, out = told("a", "b", "--top", "10", capsys=capsys)

    assert code == DIFFERS
    assert out == golden("diff.txt", out)
    assert max(map(len, out.splitlines())) <= 80


def test_limits_of_their_own_take_the_place_of_the_tolerance(capsys):
    assert told("a", "b", "--min-overlap", "0.1", capsys=capsys)[0] == DONE
    code, out = told("a", "b", "--min-overlap", "0.99", capsys=capsys)
    assert code == DIFFERS
    assert "different  the top 20 overlap by " in out
    assert told("a", "b", "--min-correlation", "0", capsys=capsys)[0] in (DONE, DIFFERS)
    code, out = told("a", "b", "--min-overlap", "0.1", "--tolerance", "1e-3", capsys=capsys)
    assert code == DIFFERS
    assert "largest relative change" in out
    assert told("a", "b", "--tolerance", "1e9", capsys=capsys)[0] == DONE


@pytest.mark.parametrize(
    "words",
    [
        ("--tolerance", "-1"),
        ("--tolerance", "nan"),
        ("--min-overlap", "2"),
        ("--top", "0"),
        ("--method", "=b"),
    ],
)
def test_limits_that_make_no_sense_are_mistakes_of_usage(words, capsys):
    assert main(["diff", "a", "b", *words]) == USAGE


def test_json_has_everything(capsys):
    code, out = told("a", "b", "--top", "3", "--json", capsys=capsys)
    document = json.loads(out)
    method = document["methods"][0]

    assert code == DIFFERS
    assert document["schema"] == "atpdsl/diff/1"
    assert not document["identical"]
    assert not document["within"]
    assert document["outside"]
    assert document["tolerance"] == {"change": 1e-6, "overlap": None, "correlation": None}
    assert method["label"] == "atp"
    assert method["top"] == 3
    assert method["shared"] + len(method["entered"]) == 3
    assert {"node", "first_rank", "second_score"} <= set(method["changes"][0])


def test_a_result_that_is_not_there_is_told(capsys):
    assert main(["diff", "a", "nowhere"]) == FAILED
    assert "ATP443" in capsys.readouterr().err


def test_methods_are_chosen_on_both_sides(capsys):
    result(outcome(exact=True, verified=())).save("both")
    diagnosed_result().save("star")

    assert told("both", "both", "--method", "ap", capsys=capsys)[0] == DONE
    assert "atp / ap: " in told("both", "both", "--method", "atp=ap", capsys=capsys)[1]
    assert main(["diff", "both", "star"]) == FAILED
    error = capsys.readouterr().err
    assert "ATP460" in error
    assert "--method 'atp=" in error


def test_hostile_names_and_values_are_only_text(capsys):
    evil = "\x1b[2J[red]\u202e"
    named = replace(experiment(), name=evil)
    made = result(outcome(seed=2), experiment=named)
    metric = replace(made.record.metric, name=evil, effect_unit=evil)
    replace(made, record=replace(made.record, metric=metric)).save("evil")
    _, out = told("a", "evil", capsys=capsys)

    assert not CONTROL.search(out)
    assert "[red]" in out
