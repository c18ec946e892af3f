"""Computed and normalized metrics, as the commands show them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from atpdsl.cli import main
from atpdsl.cli.report import report
from atpdsl.cli.terminal import show
from tests.cli.specs import GOOD
from tests.metrics.formulas import metric_call
from tests.results.samples import experiment, outcome, result


def checked(metric: str, capsys) -> str:
    """The line of `check` about the metric, on one line."""
    text = GOOD.replace("metric logit_diff at last", f"metric {metric}")
    Path("computed.atp").write_text(text, encoding="utf-8")
    assert main(["check", "computed.atp"]) == 0
    out = capsys.readouterr().out
    return " ".join(out.split("metric", 1)[1].split("\n  nodes")[0].split())


@pytest.mark.parametrize(
    ("metric", "line"),
    [
        ("logit_diff at last", "logit_diff at last"),
        ("logit(right) / 2", "logit(right) / 2 at last"),
        ("half = logit(right) / 2 at S2", "half = logit(right) / 2 at S2"),
        ("logit_diff { normalize = on }", "logit_diff at last, normalized"),
    ],
)
def test_check_says_what_is_measured(metric, line, capsys):
    assert checked(metric, capsys) == line


def reported(metric: str, capsys) -> str:
    asked = replace(experiment(), metric=metric_call(metric))
    show(*report(result(outcome(), experiment=asked), rows=3))
    return " ".join(capsys.readouterr().out.split())


def test_a_report_calls_a_metric_by_its_name_or_by_its_formula(capsys):
    assert "tiny: half at last, 3 pairs" in reported("half = logit_diff / 2", capsys)
    assert "tiny: logit_diff / 2 at last, 3 pairs" in reported("logit_diff / 2", capsys)


def test_a_report_says_what_effects_are_measured_in(capsys):
    plain = reported("prob(right) / prob(wrong)", capsys)
    share = reported("loss(right) { normalize = on }", capsys)

    assert "Changes of prob(right) / prob(wrong) (ratio) when the node" in plain
    assert "Changes of loss(right), in parts of its mean gap, 5.000 (nats), when" in share


def test_list_shows_what_metrics_are_computed_from(capsys):
    assert main(["list", "metrics"]) == 0
    out = capsys.readouterr().out

    for name in ("logit_diff", "entropy", "logit(...)", "prob(...)", "rank(...)"):
        assert f"\n{name} " in out
