"""What people see, at 80 columns.

Golden texts stand in `golden/`; `ATPDSL_GOLDEN=1 pytest tests/cli` writes them anew, and the
difference is to be read like code.
"""

from __future__ import annotations

import io
import json
import os
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from atpdsl.cli import main
from atpdsl.cli.marks import marks
from atpdsl.cli.report import closing, report
from atpdsl.cli.terminal import choose_progress, show, tell_warnings
from atpdsl.cli.trust import trust
from atpdsl.results.progress import NoProgress, PlainProgress, RichProgress
from atpdsl.results.record import Record, WarningRecord
from atpdsl.results.result import Result
from atpdsl.results.trust import Recall
from tests.cli.specs import GOOD
from tests.results.raw import diagnosed_result
from tests.results.samples import EMBED, HEADS, MLPS, outcome, result

GOLDEN = Path(__file__).parent / "golden"


class Tty(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def golden(name: str, text: str | None = None) -> str:
    """The golden text; it becomes `text` where that is asked for."""
    if text is not None and os.environ.get("ATPDSL_GOLDEN"):
        (GOLDEN / name).write_text(text, encoding="utf-8")
    return (GOLDEN / name).read_text(encoding="utf-8")


def printed(shown: Result, capsys, **choices: object) -> str:
    placed = replace(shown, directory=Path("runs/ioi"))
    show(*report(placed, **choices), closing(placed))  # type: ignore[arg-type]
    return capsys.readouterr().out


def test_the_report_of_a_verified_estimate(capsys):
    text = printed(result(), capsys, rows=8)

    assert text == golden("estimate.txt", text)


def test_the_report_of_an_estimate_beside_the_truth(capsys):
    text = printed(result(outcome(exact=True, verified=())), capsys, rows=4)

    assert text == golden("exact.txt", text)


def test_the_report_of_an_estimate_that_nobody_checked(capsys):
    text = printed(result(outcome([MLPS, EMBED], verified=())), capsys)

    assert text == golden("unverified.txt", text)


def test_small_numbers_keep_their_digits(capsys):
    computed = outcome([HEADS], verified=())
    statistics = computed.methods[0].statistics[0]
    small = replace(statistics, mean=statistics.mean / 1e4, mean_abs=statistics.mean_abs / 1e4)
    method = replace(computed.methods[0], statistics=(small,))
    text = printed(result(replace(computed, methods=(method,))), capsys, rows=1)

    assert "0.0002325" in text


def test_the_report_of_a_run_with_every_diagnostic(capsys):
    text = printed(diagnosed_result(), capsys, rows=12)

    assert text == golden("diagnosed.txt", text)


GOLDENS = ["estimate.txt", "exact.txt", "unverified.txt", "diagnosed.txt", "plan_star.txt"]


@pytest.mark.parametrize("name", GOLDENS)
def test_no_line_is_wider_than_the_terminal(name):
    assert max(map(len, golden(name).splitlines())) <= 80


def test_hostile_tokens_cannot_control_the_terminal(capsys):
    words = ("\x1b[2J", "\x00", "\x9b31m", "\u202e", "[red]", "[/]", "\ud800", "\n", "a" * 99)
    text = printed(result(spell=words.__getitem__), capsys, rows=30)

    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert "[red]" in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_terminal_without_the_tick_gets_a_star(capsys, monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="backslashreplace")
    monkeypatch.setattr(sys, "stdout", stream)
    show(*report(result(), rows=3))
    stream.flush()
    text = stream.buffer.getvalue().decode("ascii")

    assert "-0.733  *" in text


def test_colour_is_for_terminals_that_want_it(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys, "stdout", Tty())
    show(*report(result(), rows=3))

    assert "\x1b[" in sys.stdout.getvalue()


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_no_codes_where_none_are_wanted(monkeypatch, variable, value):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv(variable, value)
    monkeypatch.setattr(sys, "stdout", Tty())
    show(*report(result(), rows=3))

    assert "\x1b" not in sys.stdout.getvalue()


def test_progress_is_bars_on_a_terminal_and_lines_elsewhere(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(choose_progress(quiet=True), NoProgress)
    assert isinstance(choose_progress(quiet=False), PlainProgress)
    monkeypatch.setattr(sys, "stderr", Tty())
    assert isinstance(choose_progress(quiet=False), RichProgress)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(choose_progress(quiet=False), PlainProgress)


def test_show_prints_a_saved_result(capsys):
    result().save("runs/ioi")

    assert main(["show", "runs/ioi", "--top", "8"]) == 0
    out, err = capsys.readouterr()
    assert out == golden("estimate.txt")
    assert err.startswith("warning[ATP422]: line 2: 1 of 3 pairs have no metric gap\n  help: ")


def test_show_takes_one_method(capsys):
    result(outcome(exact=True, verified=())).save("ioi")
    main(["show", "ioi", "--method", "ap", "--top", "2"])
    out = capsys.readouterr().out

    assert "top 2 of 56 nodes by ap (exact effects, noising)" in out
    assert "by atp" not in out
    assert main(["show", "ioi", "--method", "app"]) == 3


def test_show_as_json_has_the_nodes_with_their_numbers(capsys):
    result().save("ioi")
    main(["show", "ioi", "--top", "2", "--json"])
    document = json.loads(capsys.readouterr().out)

    assert document["schema"] == "atpdsl/summary/1"
    assert [row["node"] for row in document["top"]["atp"]] == [
        "heads.z.L0.H2@0",
        "heads.z.L0.H3@4",
    ]
    assert document["top"]["atp"][1]["effect"] == pytest.approx(-2.2 / 3)
    assert document["verification"][0]["recall_mean_abs"] == {"hits": 1, "of": 4}
    assert document["directory"] == "ioi"


def test_numbers_that_are_none_are_null(capsys):
    computed = outcome(verified=())
    broken = replace(computed, clean_metric=np.array([np.nan, 1.0, 1.0]))
    result(broken).save("ioi")
    main(["show", "ioi", "--json"])

    assert json.loads(capsys.readouterr().out)["metric"]["clean"] is None


def test_check_says_what_the_spec_asks_for(capsys):
    main(["check", "good.atp"])
    text = capsys.readouterr().out

    assert text == golden("check.txt", text)


@pytest.fixture
def unmeasured(monkeypatch, tmp_path):
    """A machine with one thread, on which nothing has been measured."""
    monkeypatch.setenv("ATPDSL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.mark.usefixtures("unmeasured")
def test_plan_says_what_a_run_costs(capsys):
    main(["plan", "good.atp"])
    text = capsys.readouterr().out

    assert text == golden("plan.txt", text)


@pytest.mark.usefixtures("unmeasured")
def test_plan_says_what_was_settled_and_what_grad_drop_costs(capsys):
    lines = (
        "method atp*\nverify { top = 5; random = 5; stop_when = misses(top = 3) < 5% }\n"
        "diagnose { cancellation; subset_sampling { samples = 500 } }"
    )
    spec = re.sub("method atp\n.*\n", f"{lines}\n", GOOD)
    Path("star.atp").write_text(spec, encoding="utf-8")
    main(["plan", "star.atp"])
    text = capsys.readouterr().out

    assert text == golden("plan_star.txt", text)


def test_a_plan_without_grad_drop_does_not_count_layers(capsys):
    main(["plan", "good.atp"])

    assert "layer-backwards" not in capsys.readouterr().out


def test_plan_as_json_has_the_counts(capsys):
    main(["plan", "good.atp", "--json"])
    document = json.loads(capsys.readouterr().out)

    assert document["schema"] == "atpdsl/plan/2"
    (point,) = document["points"]
    assert [row["stage"] for row in point["stages"]] == [
        "activations",
        "gradients",
        "verification",
    ]
    assert document["total"]["backward_sequences"] == point["pairs"] == 4


def test_a_run_that_only_counts_says_so(capsys):
    main(["run", "good.atp", "--executor", "null", "--quiet"])
    out, err = capsys.readouterr()

    assert out.startswith("good on tiny: no scores, the executor `null` gave none\n")
    assert "runs/good" in out
    assert err == ""
    assert Path("runs/good/good.graphml").exists() is False
    assert Path("runs/good/ioi.graphml").is_file()


def test_explain_tells_the_problem_with_examples(capsys):
    main(["explain", "atp421"])
    out = capsys.readouterr().out

    assert out.startswith("ATP421: the estimate would be 0 everywhere\n\n`kl` is the distance")
    assert "    metric logit_diff at last\n" in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize("what", ["methods", "nodes", "metrics", "models", "exports"])
def test_lists_fit_the_terminal_and_name_everything(capsys, what):
    main(["list", what])
    out = capsys.readouterr().out

    assert out.startswith(f"{what}:\n")
    assert len(out.splitlines()) > 3
    assert max(map(len, out.splitlines())) <= 80


def test_one_pair_is_not_pairs(capsys):
    spec = Path("good.atp").read_text(encoding="utf-8")
    Path("one.atp").write_text(re.sub(r"count = \d+", "count = 1", spec), encoding="utf-8")
    main(["check", "one.atp"])
    main(["plan", "one.atp"])

    assert re.findall(r"1 pairs? of", capsys.readouterr().out) == ["1 pair of", "1 pair of"]


def test_what_is_shown_in_two_directions_is_explained_for_each_method(capsys):
    both = result(outcome(exact=True, verified=()))
    first, second = both.record.methods
    turned = replace(second, direction="denoising", base="corrupted", donor="clean")
    text = printed(
        replace(both, record=replace(both.record, methods=(first, turned))), capsys
    ).replace("\n", " ")

    assert f"In {first.label}: changes of logit_diff (logits) when the node, in the" in text
    assert f"In {second.label}: changes of logit_diff (logits) when the node, in the" in text
    assert text.count("has other tokens") <= 1


def test_a_verified_top_of_none_has_no_recall(capsys):
    shown = result()
    (found,) = shown.record.verification
    recall = Recall(hits=0, of=0)
    found = replace(found, recall_mean_abs=recall)
    record = replace(shown.record, verification=(found,))

    assert "of the 0" not in printed(replace(shown, record=record), capsys)


def test_a_tiny_metric_keeps_its_digits(capsys):
    shown = result()
    metric = replace(shown.record.metric, clean=0.0, corrupted=0.0001825)
    record = replace(shown.record, metric=metric)

    assert "corrupted 0.0001825" in printed(replace(shown, record=record), capsys)


def test_kept_warnings_fit_the_terminal(capsys):
    words = "one number stands for different words " * 4
    tell_warnings([WarningRecord(code="ATP266", message=words, help=words, file=None, line=3)])

    assert max(map(len, capsys.readouterr().err.splitlines())) <= 80


# ---- how far to trust it ----


def facts_of(record: Record, labels: tuple[str, ...] = ("star",)) -> dict[str, str]:
    return dict(trust(record, labels))


def test_marks_are_explained_only_where_they_stand(capsys):
    found = diagnosed_result()
    (row,) = found.top_rows(1)
    text = printed(found, capsys, rows=1).replace("\n", " ")

    assert "marks" in text
    assert marks(row) == "GD"
    assert " GD: moved by GradDrop." in text
    assert "C: parts" not in text
    assert "moved by" not in printed(result(), capsys)


def test_a_row_has_a_letter_for_each_flag_and_a_word_for_what_moved_it():
    row = diagnosed_result().top_rows(1)[0]
    said = {"flags": "cancellation,saturation,uncertainty", "moved_by": "qk_fix"}

    assert marks(replace(row, more=said)) == "CSU QK"
    assert marks(replace(row, more={"flags": "saturation", "moved_by": None})) == "S"
    assert marks(replace(row, more={})) == ""


def test_a_bound_says_what_it_rests_on_and_what_to_do_next():
    record = diagnosed_result().record
    (bound,) = record.bounds

    assert facts_of(record)["bound"] == (
        f"with 95% confidence no unmeasured node has a |mean effect| above"
        f" {bound.asked.upper:.3g} (balanced partitions, 1,000 sets; effects add up with"
        f" R\u00b2 0.71; {bound.asked.not_excluded} nodes may have 0.4 or more; next to verify:"
        f" {bound.asked.node})"
    )


def test_a_bound_that_says_nothing_says_so():
    record = diagnosed_result().record
    (bound,) = record.bounds
    nothing = tuple(replace(at, upper=None, node="mlp.L0@S2") for at in bound.at)
    open_ = replace(record, bounds=(replace(bound, at=nothing),))
    done = replace(record, bounds=(replace(bound, nodes=0),))

    assert facts_of(open_)["bound"] == "mlp.L0@S2 was in too few sets to say anything"
    assert facts_of(done)["bound"] == "no node is left to bound"
    assert "bound" not in facts_of(record, labels=("other",))


def test_a_sequential_verification_says_how_it_ended():
    record = diagnosed_result().record
    (found,) = record.verification
    unmet = replace(record, verification=(replace(found, stopped=False),))

    assert (
        "7 of 55 nodes, 2 of them drawn at random, 1 because of their bounds;"
        in (facts_of(record)["verified"])
    )
    assert "`stop_when` holds" in facts_of(record)["verified"]
    assert "`stop_when` does not hold" in facts_of(unmet)["verified"]


def test_what_a_result_says_of_itself_cannot_control_the_terminal():
    record = diagnosed_result().record
    (bound,) = record.bounds
    (method,) = record.methods
    at = tuple(replace(one, node="\x1b[2J") for one in bound.at)
    flags = tuple(replace(flag, name="\x9b", text="\x00") for flag in record.flags)
    hostile = replace(
        record,
        bounds=(replace(bound, at=at, scheme="\x1b"),),
        flags=flags,
        methods=(replace(method, note="\x07"),),
    )

    assert not re.search("[\x00-\x1f\x7f-\x9f]", "".join(facts_of(hostile).values()))


def test_layer_backwards_are_told_where_grad_drop_costs_some(capsys):
    shown = result()
    passes = replace(shown.record.passes, layer_backwards=9)
    more = replace(shown, record=replace(shown.record, passes=passes))

    assert "3 backward (9 layer-backwards), 1.5 s" in printed(more, capsys)
    assert "layer-backwards" not in printed(shown, capsys)


def test_json_has_the_bounds_the_flags_and_the_columns_of_the_run(capsys):
    diagnosed_result().save("star")
    main(["show", "star", "--top", "1", "--json"])
    document = json.loads(capsys.readouterr().out)
    (row,) = document["top"]["star"]

    assert document["bounds"][0]["at"][0]["confidence"] == 0.9
    assert document["flags"][0]["name"] == "cancellation"
    assert row["moved_by"] == "grad_drop"
    assert row["atp"] + row["by_qk_fix"] + row["by_grad_drop"] == pytest.approx(row["estimate"])
