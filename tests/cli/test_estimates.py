"""Estimates on the command line, before a run and beside what it took."""

from __future__ import annotations

import json
import re

import pytest

from atpdsl.cli import main
from atpdsl.cli.estimates import operations, short
from tests.cli.specs import GOOD


@pytest.fixture(autouse=True)
def _unmeasured(monkeypatch, tmp_path):
    monkeypatch.setenv("ATPDSL_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (999, "999"), (1500, "1.5 k"), (2.34e9, "2.34 G"), (1e15, "1 P"), (5e18, "5 E")],
)
def test_operations_are_written_with_three_digits(number, text):
    assert operations(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0012, "1.2 ms"), (0.23, "230 ms"), (3.21, "3.2 s"), (125, "2 min 5 s")],
)
def test_times_are_short(seconds, text):
    assert short(seconds) == text


def test_a_plan_says_that_its_times_are_guessed_until_they_are_measured(capsys):
    assert main(["plan", "good.atp"]) == 0
    guessed = capsys.readouterr().out
    assert main(["plan", "good.atp", "--calibrate"]) == 0
    measured = capsys.readouterr().out
    assert main(["plan", "good.atp"]) == 0
    again = capsys.readouterr().out

    assert "guessed" in guessed
    assert "guessed" not in measured
    assert again == measured


def test_a_plan_as_json_has_all_numbers(capsys):
    main(["plan", "good.atp", "--json"])
    (point,) = json.loads(capsys.readouterr().out)["points"]
    found = point["estimate"]

    assert [stage["stage"] for stage in found["stages"]] == [
        "activations",
        "gradients",
        "verification",
    ]
    assert {"counts", "flops", "memory", "seconds", "at_most", "what"} <= set(
        found["stages"][0]
    )
    assert found["memory"] > found["weights"] > 0
    assert found["flops"] == sum(stage["flops"] for stage in found["stages"])
    assert found["seconds"] == pytest.approx(sum(s["seconds"] for s in found["stages"]))
    assert found["calibrated"] is False
    assert found["exhaustive"]["forward_sequences"] > 0
    assert found["exhaustive"]["flops"] > found["flops"] / 10


def test_a_sweep_has_a_row_for_each_point(capsys, tmp_path):
    spec = GOOD + "sweep seed in 0..1\nrun { seed = seed }\n"
    (tmp_path / "swept.atp").write_text(spec, encoding="utf-8")

    assert main(["plan", "swept.atp"]) == 0
    out = capsys.readouterr().out

    assert len(re.findall(r"^[01] +<= .* MB", out, re.MULTILINE)) == 2


def test_analyze_sets_what_was_estimated_beside_what_it_took(capsys):
    assert main(["run", "good.atp", "--analyze", "--quiet"]) == 0
    out = capsys.readouterr().out

    assert re.search(r"^stage +what +estimated +actual +ratio$", out, re.MULTILINE)
    for stage in ("activations", "gradients", "verification"):
        assert re.search(rf"^{stage} +\w+wards +(<= )?\d+ +\d+ +1.00$", out, re.MULTILINE)
    assert len(re.findall(r"^ +time +", out, re.MULTILINE)) == 3
    # A run that is analyzed is measured first.
    assert "guessed" not in out


def test_without_it_nothing_of_that_is_shown(capsys):
    main(["run", "good.atp", "--quiet"])

    assert "estimated" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("setting", "code"), [("memory = 100kB", "ATP430"), ("budget = 0.000001s", "ATP431")]
)
def test_a_budget_that_is_not_kept_fails_before_the_run(setting, code, capsys, tmp_path):
    (tmp_path / "tight.atp").write_text(f"{GOOD}run {{ {setting} }}\n", encoding="utf-8")

    assert main(["run", "tight.atp", "--quiet"]) == 3
    assert f"error[{code}]" in capsys.readouterr().err
    assert not (tmp_path / "runs" / "tight").exists()
