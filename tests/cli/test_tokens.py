"""What `atpdsl tokens` shows."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from atpdsl.cli import main
from atpdsl.problems.clean import columns
from tests.cli.specs import BAD, GOOD
from tests.cli.test_output import Tty, golden

SPECS = Path(__file__).parents[2] / "specs"
PAIRS = """\
atp 1
model "tiny"
prompts {
  pair "Mary met Tom" -> "John met Tom" { answer " and" vs " but" }
  pair "Tom Maximilian" -> "Tom" { answer " and" vs " but" }
  pair "\u6771\u4eac in \U0001f600" -> "\u5927\u962a in \U0001f600" { answer " and" vs " the" }
  pos met = match(r"met")
}
metric logit_diff at last
nodes { mlp at met, last }
method atp
"""


def told(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = main(["tokens", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def shown_pairs(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"^pair (\d+) of ", text, re.MULTILINE)]


def test_the_first_pairs_of_a_spec_are_shown_and_the_others_counted(capsys):
    code, out, err = told(str(SPECS / "ioi.atp"), capsys=capsys)
    out = out.replace(str(SPECS), "specs")

    assert (code, err) == (0, "")
    assert out == golden("tokens.txt", out)
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize("spec", sorted(SPECS.glob("*.atp")), ids=lambda spec: spec.stem)
def test_no_line_is_wider_than_the_terminal(spec, capsys):
    if spec.stem == "ioi_smollm2":
        pytest.skip("its model is not part of the package")
    code, out, _ = told(str(spec), capsys=capsys)

    assert code == 0
    assert set(shown_pairs(out)) <= {1, 2, 3}
    assert max(map(columns, out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ((), [1, 2, 3]),
        (("--pair", "4"), [4]),
        (("--pairs", "2-3"), [2, 3]),
        (("--pairs", "3-99"), [3, 4]),
        (("--pairs", "2-"), [2, 3, 4]),
        (("--all",), [1, 2, 3, 4]),
    ],
)
def test_pairs_are_chosen(choice, expected, capsys):
    code, out, _ = told("good.atp", *choice, capsys=capsys)

    assert code == 0
    assert shown_pairs(out) == expected


def test_a_pair_that_is_not_there_is_a_wrong_use(capsys):
    code, out, err = told("good.atp", "--pair", "5", capsys=capsys)

    assert (code, out) == (2, "")
    assert err == "atpdsl tokens: there is no such pair; the spec has 4 pairs\n"


@pytest.mark.parametrize("choice", ["0", "x", "3-2", "-", "-2"])
def test_a_choice_that_is_none_is_a_wrong_use(choice, capsys):
    assert told("good.atp", "--pair", choice, capsys=capsys)[0] == 2


def test_pairs_with_problems_are_shown_with_the_problems(capsys):
    Path("pairs.atp").write_text(PAIRS, encoding="utf-8")
    code, out, err = told("pairs.atp", capsys=capsys)

    assert code == 1
    assert shown_pairs(out) == [1, 2, 3]
    assert "error[ATP255]" in err
    assert "warning[ATP261]" in err
    assert re.search(r"tokens    clean \d+, corrupted 2, not the same number", out)
    assert "missing   met (clean prompt: the pattern matches nothing)" in out
    assert out.splitlines()[-1].startswith("  missing")


def test_wide_and_broken_characters_stand_in_columns(capsys):
    Path("pairs.atp").write_text(PAIRS, encoding="utf-8")
    _, out, _ = told("pairs.atp", "--pair", "3", capsys=capsys)
    clean, corrupted = (
        next(line for line in out.splitlines() if line.startswith(side))
        for side in ("clean", "corrupted")
    )

    assert columns(clean) == columns(corrupted) <= 80


def test_a_spec_that_cannot_be_read_has_only_problems(capsys):
    Path("bad.atp").write_text(BAD, encoding="utf-8")
    code, out, err = told("bad.atp", capsys=capsys)

    assert (code, out) == (1, "")
    assert "did you mean `metric`?" in err


def test_rows_of_a_file_are_called_by_their_line(capsys):
    spec = re.sub(
        r"prompts ioi \{.*?\n\}",
        'prompts from csv("p.csv") {\n  clean = row.a\n  corrupted = row.b\n'
        '  answer " and" vs " the"\n}',
        GOOD,
        flags=re.DOTALL,
    )
    Path("file.atp").write_text(spec, encoding="utf-8")
    Path("p.csv").write_text("a,b\nMary went,John went\n", encoding="utf-8")
    code, out, _ = told("file.atp", capsys=capsys)

    assert code == 0
    assert "pair 1 of 1, line 2 of `p.csv`\n" in out


def test_the_json_has_tokens_positions_and_answers(capsys):
    code, out, _ = told("good.atp", "--pair", "2", "--json", capsys=capsys)
    document = json.loads(out)
    (point,) = document["points"]
    (pair,) = point["shown"]

    assert code == 0
    assert (document["schema"], document["good"]) == ("atpdsl/tokens/1", True)
    assert (point["pairs"], point["bos"], pair["pair"], pair["usable"]) == (4, 0, 2, True)
    assert "".join(t["text"] for t in pair["clean"]["tokens"][1:]) == pair["clean"]["text"]
    assert pair["columns"] == [[n, n] for n in range(15)]
    assert pair["positions"]["S2"] == [10, 10]
    token = pair["clean"]["tokens"][pair["positions"]["S2"][0]]
    assert token["names"] == ["S2"]
    assert pair["wrong"] == [{"token": token["token"], "text": token["text"]}]


def test_the_json_of_a_spec_with_problems_has_both(capsys):
    Path("pairs.atp").write_text(PAIRS, encoding="utf-8")
    code, out, err = told("pairs.atp", "--json", capsys=capsys)
    document = json.loads(out)

    assert (code, err) == (1, "")
    assert [pair["usable"] for pair in document["points"][0]["shown"]] == [True, False, True]
    assert {problem["code"] for problem in document["problems"]} >= {"ATP255", "ATP261"}


def test_what_differs_is_coloured_on_a_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys, "stdout", Tty())
    main(["tokens", "good.atp", "--pair", "1"])
    coloured = re.findall(r"\x1b\[1;33m([^\x1b]+)", sys.stdout.getvalue())

    assert len(coloured) == 2
    assert coloured[0] != coloured[1]


def test_of_a_sweep_every_point_shows_a_pair(capsys):
    swept = GOOD.replace("metric logit_diff", "sweep seed in 0..1\nmetric logit_diff")
    Path("sweep.atp").write_text(swept + "run { seed = seed }\n", encoding="utf-8")
    code, out, _ = told("sweep.atp", capsys=capsys)

    assert code == 0
    assert shown_pairs(out) == [1, 1]
    assert "sweep on tiny (seed = 1): 4 pairs, BOS is `<|endoftext|>` (0)" in out
    assert shown_pairs(told("sweep.atp", "-p", "seed=1", capsys=capsys)[1]) == [1, 2, 3]
