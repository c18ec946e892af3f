"""`atpdsl selftest`: what people and programs see of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import atpdsl
from atpdsl.cli import main
from atpdsl.selftesting import selftest as module
from atpdsl.selftesting.checks import Check, Part, SelfTest

SPEC = """\
atp 1
param precision = float32
model "tiny" { dtype = precision }
prompts {
  pair "Ann went to Rome with Tom" -> "Ann went to Paris with Tom" { answer " and" vs " to" }
}
metric logit_diff at last
nodes { heads.q, mlp at every }
method atp
"""
GOOD = Check(
    name="AtP, finite differences", kind="heads.q", numbers=16, error=1e-7, allowed=1e-3
)
BAD = replace(GOOD, kind="mlp", error=0.25, worst="mlp.L3@14")
UNCLEAR = replace(GOOD, kind="embed", numbers=0, error=0.0, unclear=3)


def found(*checks: Check) -> SelfTest:
    part = Part(
        title="tiny", dtype="bfloat16", device="cuda:0", checks=checks, skipped=("no [b]luck",)
    )
    return SelfTest(parts=(part,), seed=4, seconds=2.5)


def canned(monkeypatch, *checks: Check) -> None:
    monkeypatch.setattr(module, "selftest", lambda *_: found(*checks))


def test_a_spec_is_tested_with_its_model_dtype_and_nodes(tmp_path, capsys):
    Path("s.atp").write_text(SPEC, encoding="utf-8")
    code = main(["selftest", "s.atp", "--nodes", "2", "-p", "precision=float64", "--quiet"])
    text = capsys.readouterr().out

    assert code == 0
    assert text.startswith("tiny, float64 on cpu, native executor\n")
    assert "QK fix, softmax anew            heads.q" in text
    assert "heads.z" not in text
    assert max(map(len, text.splitlines())) <= 80
    assert not Path("runs").exists()


def test_without_a_spec_the_analytic_cases_and_the_embedded_model_are_tested(capsys):
    code = main(["selftest", "--nodes", "1", "--pairs", "1", "--quiet", "--device", "cpu"])
    text = capsys.readouterr().out

    assert code == 0
    assert "analytic cases, float64 on cpu" in text
    assert "analytic cases, float32 on cpu" in text
    assert "tiny, float32 on cpu, native executor" in text
    assert "cost of verified recall" in text
    assert "FAIL" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_failure_is_shown_and_is_the_exit_code(monkeypatch, capsys):
    canned(monkeypatch, GOOD, BAD, UNCLEAR)
    code = main(["selftest"])
    text = capsys.readouterr().out

    assert code == 1
    assert "mlp            16        2.5e-01  1.0e-03  FAIL" in text
    assert "failed    1 of 3 checks" in text
    assert "AtP, finite differences of mlp: worst at mlp.L3@14" in text
    assert "3 numbers left out" in text
    assert "no [b]luck" in text


def test_json_has_everything(monkeypatch, capsys):
    canned(monkeypatch, GOOD, BAD)
    code = main(["selftest", "--json"])
    document = json.loads(capsys.readouterr().out)
    part = document["parts"][0]

    assert code == 1
    assert document["schema"] == "atpdsl/selftest/1"
    assert (document["ok"], document["seed"]) == (False, 4)
    assert (part["title"], part["dtype"], part["device"]) == ("tiny", "bfloat16", "cuda:0")
    assert part["skipped"] == ["no [b]luck"]
    assert part["checks"][1] == {
        "name": "AtP, finite differences",
        "kind": "mlp",
        "numbers": 16,
        "unclear": 0,
        "error": 0.25,
        "allowed": 1e-3,
        "worst": "mlp.L3@14",
        "verdict": "FAIL",
    }


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("selftest bad.atp", 1, "ATP"),
        ("selftest missing.atp", 1, "ATP420"),
        ("selftest good.atp -p seed=1", 1, "ATP"),
        ("selftest --device nowhere", 3, "ATP321"),
        ("selftest good.atp --device nowhere", 3, "ATP321"),
        ("selftest --nodes 0", 2, "at least 1"),
    ],
)
def test_mistakes_are_told_as_elsewhere(words, code, said, capsys):
    assert main(words.split()) == code
    assert said in capsys.readouterr().err


def test_a_sweep_needs_one_point(capsys):
    Path("s.atp").write_text(SPEC, encoding="utf-8")

    assert main(["selftest", "s.atp", "-p", "precision=float32,float64"]) == 1
    assert "ATP426" in capsys.readouterr().err


def test_from_python():
    Path("s.atp").write_text(SPEC, encoding="utf-8")
    result = atpdsl.selftest("s.atp", nodes=1, pairs=1)

    assert result.ok
    assert {check.kind for check in result.checks} >= {"heads.q", "mlp"}
