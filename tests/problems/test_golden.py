"""What each code's failing snippet is answered with, word for word.

The texts stand in `golden/`; `ATPDSL_GOLDEN=1 pytest tests/problems/test_golden.py` writes
them anew, and the difference is to be read like code.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from atpdsl.problems import Severity
from atpdsl.problems.codes import CODES, GROUPS, Code
from atpdsl.problems.render import plain
from tests.problems.snippets import shown_problems

GOLDEN = Path(__file__).parent / "golden"
# Their snippets have the problem only while a model runs, or with a model that is not here.
ONLY_WHILE_RUNNING = frozenset({"ATP404", "ATP422"})
SHOWN = [code for code in CODES.values() if code.bad and code.code not in ONLY_WHILE_RUNNING]


@pytest.mark.parametrize("code", SHOWN, ids=lambda code: code.code)
def test_a_failing_snippet_is_answered_as_ever(code: Code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    problems = shown_problems(code, tmp_path)
    text = plain(problems, None).replace(str(tmp_path), "FOLDER") + "\n"
    path = GOLDEN / f"{code.code}.txt"
    if os.environ.get("ATPDSL_GOLDEN"):
        path.write_text(text, encoding="utf-8")

    assert text == path.read_text(encoding="utf-8")
    assert code.code in {problem.code for problem in problems}


@pytest.mark.parametrize("code", SHOWN, ids=lambda code: code.code)
def test_every_problem_has_a_way_out(code: Code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    for problem in shown_problems(code, tmp_path):
        assert problem.help, problem.message
        assert problem.at is not None or problem.code == "ATP011"
        assert not problem.message.endswith((".", "!"))
        assert not problem.message[:1].isupper() or problem.severity is Severity.WARNING


def test_no_golden_text_is_left_over():
    assert {path.stem for path in GOLDEN.glob("*.txt")} == {code.code for code in SHOWN}


def test_every_code_is_in_one_group():
    grouped = [code.code for _, codes in GROUPS for code in codes]

    assert sorted(grouped) == sorted(CODES)
    assert all(codes for _, codes in GROUPS)
