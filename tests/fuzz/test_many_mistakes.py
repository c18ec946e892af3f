"""A spec with ten different mistakes is told of all ten, each at its place.

One spec has mistakes of its text, its names and its meaning; the other one can be understood,
and its prompts, answers and nodes do not fit the model. `ATPDSL_GOLDEN=1 pytest
tests/fuzz/test_many_mistakes.py` writes the answers anew, and the difference is to be read like
code.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from atpdsl.checking import check_source
from atpdsl.problems import Problem, Severity, Source
from atpdsl.problems.render import plain
from tests.fuzz.front_end import OFFLINE

GOLDEN = Path(__file__).parent / "golden"
SPECS = sorted(GOLDEN.glob("*.atp"))


def problems_of(path: Path, folder: Path) -> tuple[Source, tuple[Problem, ...]]:
    source = Source("spec.atp", path.read_text(encoding="utf-8"))
    study = check_source(source, folder, OFFLINE)
    return study.source, study.problems


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_all_mistakes_are_told_as_ever(path, tmp_path):
    source, problems = problems_of(path, tmp_path)
    text = plain(problems, source) + "\n"
    golden = path.with_suffix(".txt")
    if os.environ.get("ATPDSL_GOLDEN"):
        golden.write_text(text, encoding="utf-8")

    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_there_are_ten_and_each_has_a_place_of_its_own_and_a_way_out(path, tmp_path):
    _, problems = problems_of(path, tmp_path)
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]

    assert len(errors) >= 10
    assert len({problem.code for problem in errors}) >= 6
    assert len({problem.at.span for problem in errors if problem.at}) == len(errors)
    assert all(problem.help for problem in errors)


def test_the_specs_reach_every_stage(tmp_path):
    codes = {problem.code for path in SPECS for problem in problems_of(path, tmp_path)[1]}
    stages = {(int(code[3:]) // 10) for code in codes}

    # Text; statements; names and sweeps; tokens; nodes.
    assert {0, 10, 13, 25, 27} <= stages
