"""`expect` and `circuit`, from the spec to the exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from atpdsl.cli import main
from atpdsl.results.result import Result
from tests.cli.specs import GOOD

DONE, SPEC = 0, 1
CIRCUIT = "circuit { keep = 5% }\n"
HOLDS = "expect {\n  gap > 1\n  has(L0H0 at last)\n  recall(top = 3) > 10%\n}\n"
FAILS = HOLDS.replace("gap > 1", "gap > 1000") + (
    "expect { effect(L3H3 at 0) < 0 or clean_metric < 0 }\n"
)


@pytest.fixture
def run(capsys):
    def runs(lines: str, *words: str) -> tuple[int, str]:
        spec = GOOD.replace("random = 5 }", "random = 5% }")
        Path("wanted.atp").write_text(spec + CIRCUIT + lines, encoding="utf-8")
        code = main(["run", "wanted.atp", *words])
        return code, capsys.readouterr().out

    return runs


def test_a_run_that_fulfils_what_is_expected_is_done(run):
    code, out = run(HOLDS)

    assert code == DONE
    assert "expect    3 of 3 hold\n" in out
    assert "does not hold" not in out


def test_a_run_that_does_not_ends_with_one_and_keeps_its_result(run, capsys):
    code, out = run(FAILS)
    again = main(["show", "runs/wanted"])

    assert code == SPEC
    assert again == DONE
    told = " ".join(out.split())
    assert "expect 2 of 4 hold" in told
    assert "gap > 1000 does not hold: gap is " in told
    assert "effect(L3H3 at 0) < 0 or clean_metric < 0 cannot be decided: " in told
    assert "expect    2 of 4 hold\n" in capsys.readouterr().out


def test_json_has_the_expectations_and_the_same_exit_code(run):
    code, out = run(FAILS, "--json")
    document = json.loads(out)

    assert code == SPEC
    assert [one["holds"] for one in document["expectations"]] == [False, True, True, False]
    assert document["circuit"]["keep"] == "share"


def test_a_run_that_computes_nothing_is_not_judged(run):
    assert run(FAILS, "--executor", "null")[0] == DONE


def test_the_circuit_and_shares_of_nodes_are_in_the_result(run):
    _, out = run(HOLDS)
    result = Result.load("runs/wanted")
    nodes = sum(nodes.nodes for nodes in result.record.nodes)

    assert nodes == 240
    assert "circuit   12 nodes: the best 5% of the nodes by atp\n" in out
    assert len(result.graph) == 12 + 2
    assert result.record.verification[0].random == 12


def test_a_sweep_ends_with_one_if_a_point_does_not_fulfil_what_is_expected(run):
    assert run(f"sweep seed in 0..1\nrun {{ seed = seed }}\n{HOLDS}")[0] == DONE
    assert run(f"sweep seed in 0..1\nrun {{ seed = seed }}\n{FAILS}", "--overwrite")[0] == SPEC


def test_check_and_plan_tell_shares_as_numbers(run, capsys):
    Path("wanted.atp").write_text(
        GOOD.replace("random = 5 }", "random = 5% }") + CIRCUIT + HOLDS, encoding="utf-8"
    )

    assert main(["check", "wanted.atp"]) == DONE
    told = capsys.readouterr().out
    assert "verify    top 5, random 12 (5%)\n" in told
    assert "circuit   the best 5% of the nodes\n" in told
    assert "expect    3 conditions\n" in told
    assert main(["plan", "wanted.atp"]) == DONE
    assert "verify    top 5, random 12 (5%)\n" in capsys.readouterr().out
