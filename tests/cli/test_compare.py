"""What `atpdsl compare` shows, at 80 columns."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from atpdsl.cli import main
from atpdsl.cli.commands.compare import closing, report
from atpdsl.cli.failures import DONE, SPEC, USAGE
from atpdsl.cli.terminal import facts, show
from atpdsl.results.compare_methods import compare_methods
from atpdsl.results.comparison import Comparison, ComparisonRecord, Truth
from tests.cli.test_output import golden
from tests.results.compared import estimation, everywhere, method, outcome
from tests.results.samples import result

NODES = 150


def comparison() -> Comparison:
    """Three methods on 150 nodes, 10 of them without an effect."""
    truth = [max(0.0, 140.0 - n) for n in range(NODES)]
    close = [140.0 - n + 3 * (n % 5) for n in range(NODES)]
    far = [float((37 * n) % 151) for n in range(NODES)]
    methods = (
        method(far, "random", "random"),
        method(close),
        replace(method(truth, "levels", "hierarchical"), note="branching = 3, for 2 levels"),
        method(truth, "ap", "ap"),
    )
    exact, compared = compare_methods(
        outcome(*methods),
        {"atp": estimation(), "random": estimation(2.0), "levels": estimation(2.0, 1000)},
        everywhere(NODES),
        Truth.MEAN_ABS,
    )
    record = ComparisonRecord(
        spec="ioi",
        point={"seed": "0"},
        model="tiny",
        metric="logit_diff",
        pairs=4,
        nodes=200,
        truth="mean_abs",
        backward_weight=1.5,
        exact=exact,
        methods=compared,
    )
    return Comparison(record, replace(result(), directory=Path("runs/ioi-compared")))


def test_the_report(capsys):
    found = comparison()
    show(*report(found), facts(closing(found, left_out="`star`: the metric has no gradient")))
    text = capsys.readouterr().out

    assert text == golden("compare.txt", text)
    assert max(map(len, text.splitlines())) <= 80


def test_a_comparison_from_the_command_line(capsys):
    words = "compare good.atp --method random --method atp --backward-weight 1"
    assert main(words.split()) == DONE
    out, err = capsys.readouterr()

    lines = [line.split() for line in out.splitlines()]
    table = [line for line in lines if line and line[0] in {"atp", "random"}]
    assert [line[:2] for line in table] == [["atp", "3.0"], ["random", "2.0"]]
    assert "the exact truth takes" in err
    assert "patching:" in err
    assert (Path("runs") / "good-compared" / "comparison.csv").is_file()

    assert main(["compare", "good.atp", "--method", "random", "--json", "--quiet"]) == DONE
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert err == ""
    assert document["schema"] == "atpdsl/comparison-summary/1"
    assert [row["method"] for row in document["rows"]] == ["random"]
    assert main(["show", "runs/good-compared", "--top", "2"]) == DONE


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("good.atp --method atpp", SPEC, "did you mean `atp`?"),
        ("good.atp --most-forwards 5", SPEC, "error[ATP428]"),
        ("bad.atp", SPEC, "did you mean `metric`?"),
        ("good.atp --truth median", USAGE, "choose from"),
        ("good.atp --backward-weight -1", USAGE, "from 0 on"),
        ("good.atp --backward-weight much", USAGE, "from 0 on"),
    ],
)
def test_mistakes(words, code, said, capsys):
    assert main(["compare", *words.split()]) == code
    assert said in capsys.readouterr().err
