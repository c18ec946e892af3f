"""`atpdsl test`: specs and results against what they expect."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from atpdsl.cli import main
from atpdsl.cli.junit import junit
from atpdsl.cli.testing import Case, Outcome, Suite, judged
from atpdsl.problems import Problem
from atpdsl.results.record import ExpectationRecord
from tests.cli.specs import GOOD
from tests.results.samples import result

DONE, SPEC, USAGE, FAILED = 0, 1, 2, 3
HOLDS = "expect {\n  gap > 1\n  recall(top = 3) > 10%\n}\n"
FAILS = HOLDS + "expect { gap > 1000\n effect(L3H3 at 0) < 0 or clean_metric < 0 }\n"
EVIL = "\x1b[2J[red]</failure>&\"'\u202e\x00\ufffe"
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]")


def parsed(text: str) -> Xml.Element:
    return Xml.fromstring(text)  # noqa: S314 (it is our own)


def write(name: str, lines: str) -> str:
    Path(name).write_text(GOOD + lines, encoding="utf-8")
    return name


def expectation(text: str, *, holds: bool = True, undecided: str = "") -> ExpectationRecord:
    return ExpectationRecord(
        text=text, holds=holds, found=(f"{text} is 3",), undecided=undecided
    )


def saved(name: str, *lines: ExpectationRecord) -> str:
    made = result()
    replace(made, record=replace(made.record, expectations=lines)).save(name)
    return name


def test_results_are_judged_without_running_anything(capsys):
    good = saved("good", expectation("gap > 1"), expectation("recall > 0.5"))
    bad = saved("bad", expectation("gap > 1"), expectation("gap > 9", holds=False))

    assert main(["test", good]) == DONE
    assert capsys.readouterr().out == (
        "good\n  ok    gap > 1\n  ok    recall > 0.5\n2 of 2 hold, in 1 run, 1.5 s\n"
    )
    assert main(["test", good, bad]) == SPEC
    out = capsys.readouterr().out
    assert "bad\n  ok    gap > 1\n  FAIL  gap > 9\n        gap > 9 is 3\n" in out
    assert out.endswith("3 of 4 hold, in 2 runs, 3.0 s\n")


def test_what_cannot_be_decided_does_not_count_as_held(capsys):
    saved("odd", expectation("gap > 1", holds=False, undecided="it divides by 0"))

    assert main(["test", "odd"]) == SPEC
    out = capsys.readouterr().out
    assert "  ?     gap > 1\n        cannot be decided: gap > 1 is 3; it divides by 0\n" in out


def test_nothing_to_test_is_no_success(capsys):
    saved("silent")

    assert main(["test", "silent"]) == SPEC
    out = capsys.readouterr().out
    assert "no `expect` in it" in out
    assert out.endswith("nothing was tested: 1 run without an expectation\n")
    assert main(["test", "silent", saved("good", expectation("gap > 1"))]) == DONE


def test_quiet_shows_what_fails_only(capsys):
    good = saved("good", expectation("gap > 1"))
    bad = saved("bad", expectation("gap > 1"), expectation("gap > 9", holds=False))
    main(["test", good, bad, "--quiet"])
    out = capsys.readouterr().out

    assert out.startswith("bad\n  FAIL  gap > 9\n")


def test_a_spec_is_run_and_leaves_nothing_behind(capsys):
    before = set(Path().rglob("*"))
    code = main(["test", write("wanted.atp", HOLDS), "--quiet"])

    assert code == DONE
    assert "2 of 2 hold" in capsys.readouterr().out
    assert set(Path().rglob("*")) - before == {Path("wanted.atp")}


def test_specs_of_a_folder_are_run_one_after_the_other_and_kept_where_asked(capsys):
    Path("specs").mkdir()
    write("specs/a.atp", HOLDS)
    write("specs/b.atp", FAILS)
    code = main(["test", "specs", "--out", "kept", "--quiet", "--json"])
    document = json.loads(capsys.readouterr().out)

    assert code == SPEC
    assert document["schema"] == "atpdsl/test/1"
    assert not document["ok"]
    assert [suite["name"] for suite in document["suites"]] == ["a", "b"]
    assert [case["outcome"] for case in document["suites"][1]["cases"]] == [
        *("holds", "holds", "fails", "undecided")
    ]
    assert {path.parent.name for path in Path("kept").glob("*/result.json")} == {"a", "b"}
    assert main(["test", "kept/b"]) == SPEC


def test_every_point_of_a_sweep_is_tested(capsys):
    lines = f"sweep seed in 0..1\nrun {{ seed = seed }}\n{HOLDS}"
    assert main(["test", write("swept.atp", lines), "--quiet", "--json"]) == DONE
    document = json.loads(capsys.readouterr().out)
    assert [suite["point"] for suite in document["suites"]] == [{"seed": "0"}, {"seed": "1"}]

    main(["run", "swept.atp", "--quiet"])
    capsys.readouterr()
    assert main(["test", "runs/swept"]) == DONE
    assert "runs/swept (seed = 1)\n" in capsys.readouterr().out


def test_values_are_given_to_the_specs(capsys):
    lines = f"param least = 1\n{HOLDS}".replace("gap > 1", "gap > least")

    assert main(["test", write("wanted.atp", lines), "--quiet", "-p", "least=1000"]) == SPEC
    assert "FAIL  gap > least" in capsys.readouterr().out


def test_a_spec_with_mistakes_is_told_and_the_others_are_tested(capsys):
    saved("good", expectation("gap > 1"))

    assert main(["test", "bad.atp", "nowhere.atp", "good", "--junit", "out.xml"]) == SPEC
    out, err = capsys.readouterr()
    assert "bad.atp\n  ERROR no result: ATP008" in out
    assert "did you mean `metric`?" in err
    assert "ATP420" in err
    assert "1 of 1 hold, in 3 runs, 1.5 s, 2 without a result" in out
    suites = parsed(Path("out.xml").read_text(encoding="utf-8"))
    assert [suite.get("errors") for suite in suites] == ["1", "1", "0"]


def test_a_run_that_fails_ends_with_three(capsys):
    assert main(["test", "nowhere", "good.atp", "--executor", "null", "--quiet"]) == FAILED
    assert "ATP443" in capsys.readouterr().err


def test_a_run_that_computes_nothing_fulfils_nothing(capsys):
    write("wanted.atp", HOLDS)

    assert main(["test", "wanted.atp", "--executor", "null", "--quiet"]) == SPEC
    assert "nothing was computed (executor null)" in capsys.readouterr().out


def test_an_unknown_executor_is_a_mistake_of_usage(capsys):
    assert main(["test", "good.atp", "--executor", "nativ"]) == USAGE
    assert "did you mean `native`?" in capsys.readouterr().err


# ---- JUnit ----


def suite(*cases: Case, **rest: object) -> Suite:
    return Suite(name="s", subject="s.atp", cases=cases, **rest)  # type: ignore[arg-type]


def test_junit_has_counts_cases_and_reasons():
    text = junit(
        [
            suite(
                Case(text="gap > 1", outcome=Outcome.HOLDS, detail="gap is 3"),
                Case(text="gap > 9", outcome=Outcome.FAILS, detail="gap is 3"),
                Case(text="score(x) > 1", outcome=Outcome.UNDECIDED, detail="not known"),
                seconds=2.5,
                started="2026-01-01T00:00:00+00:00",
                point=(("seed", "1"),),
            ),
            suite(problems=(Problem(code="ATP404", message="no number"),)),
            suite(),
        ]
    )
    root = parsed(text)
    first, second, third = root

    assert root.tag == "testsuites"
    assert {n: root.get(n) for n in ("tests", "failures", "errors", "skipped", "time")} == {
        "tests": "5",
        "failures": "2",
        "errors": "1",
        "skipped": "1",
        "time": "2.500",
    }
    assert first.get("name") == "s.atp (seed = 1)"
    assert first.get("timestamp") == "2026-01-01T00:00:00"
    assert [case.get("name") for case in first] == ["gap > 1", "gap > 9", "score(x) > 1"]
    assert [len(case) for case in first] == [0, 1, 1]
    failure = first[1][0]
    assert (failure.tag, failure.get("type"), failure.get("message")) == (
        *("failure", "fails", "gap is 3"),
    )
    assert failure.text == "gap > 9 does not hold: gap is 3"
    assert first[2][0].get("type") == "undecided"
    assert second[0][0].tag == "error"
    assert second[0][0].get("message") == "ATP404: no number"
    assert third[0][0].tag == "skipped"


def test_the_counts_are_those_of_what_is_there():
    text = junit([suite(Case(text="a", outcome=Outcome.FAILS, detail="")), suite()])
    for element in parsed(text):
        assert element.get("tests") == str(len(element.findall("testcase")))
        assert element.get("failures") == str(len(element.findall("testcase/failure")))
        assert element.get("skipped") == str(len(element.findall("testcase/skipped")))


def test_pytest_itself_writes_the_same_elements_and_attributes(pytester_like):
    theirs, ours = pytester_like
    for path in ("testsuite", "testsuite/testcase", "testsuite/testcase/failure"):
        here = ours.find(path)
        there = theirs.find(path)
        assert here is not None
        assert there is not None
        assert set(here.attrib) <= {*there.attrib, "type"}


@pytest.fixture
def pytester_like(tmp_path, monkeypatch):
    """A report of pytest with a failure, and one of ours."""
    import subprocess
    import sys

    (tmp_path / "test_it.py").write_text("def test_it():\n    assert False\n", encoding="utf-8")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--junitxml=theirs.xml",
        ],
        cwd=tmp_path,
        check=False,
        capture_output=True,
    )
    failed = suite(Case(text="a", outcome=Outcome.FAILS, detail="x"), started="2026-01-01")
    return parsed((tmp_path / "theirs.xml").read_text(encoding="utf-8")), parsed(
        junit([failed])
    )


def test_hostile_texts_do_no_harm(capsys):
    made = result()
    lines = (expectation(EVIL, holds=False, undecided=EVIL),)
    name = replace(made.record.spec, name=EVIL, point={EVIL: EVIL})
    record = replace(made.record, expectations=lines, spec=name)
    text = junit([judged(record, EVIL), suite(problems=(Problem(code="ATP1", message=EVIL),))])
    root = parsed(text)
    written = [value for e in root.iter() for value in (*e.attrib.values(), e.text or "")]

    assert not any(CONTROL.search(value) for value in written)
    assert len(root.findall("testsuite/testcase/failure")) == 1
    replace(made, record=record).save("evil")
    assert main(["test", "evil"]) == SPEC
    out = capsys.readouterr().out
    assert not CONTROL.search(out)
    assert "[red]</failure>" in out
