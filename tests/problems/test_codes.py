from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

import pytest

from atpdsl.problems import Severity, codes
from atpdsl.problems.codes import CODES
from atpdsl.problems.codes.diagnosis import CODES_DIAGNOSIS
from atpdsl.problems.codes.metric import CODES_METRIC
from atpdsl.problems.codes.names import CODES_NAMES
from atpdsl.problems.codes.prompts import CODES_PROMPTS
from atpdsl.problems.codes.spec import CODES_SPEC
from atpdsl.problems.codes.syntax import CODES_SYNTAX
from tests.semantics.words import complete, resolved

PACKAGE = Path(__file__).parents[2] / "atpdsl"
OURS = (
    *(*CODES_SYNTAX, *CODES_SPEC, *CODES_NAMES),
    *(*CODES_METRIC, *CODES_DIAGNOSIS, *CODES_PROMPTS),
)
# Their `bad` is a whole spec without `atp 1`, or a spec by itself.
WHOLE = {"ATP100", "ATP009"}
# Problems of statements that this version refuses anyway.
LATER = {"ATP169"}


def whole(code: str, snippet: str) -> str:
    return snippet if code in WHOLE and not snippet.startswith("atp") else complete(snippet)


@pytest.mark.parametrize("code", [c for c in OURS if c.bad], ids=lambda c: c.code)
def test_the_bad_snippet_has_the_problem(code):
    _, problems = resolved(whole(code.code, code.bad))

    assert code.code in {problem.code for problem in problems}


@pytest.mark.parametrize("code", [c for c in OURS if c.bad], ids=lambda c: c.code)
def test_the_bad_snippet_has_no_other_kind_of_problem(code):
    _, problems = resolved(whole(code.code, code.bad))
    others = {problem.code for problem in problems} - {code.code}

    # A spec without its edition or with one line only also lacks statements.
    assert others <= ({"ATP103", "ATP110"} if code.code in LATER else {"ATP103"})


@pytest.mark.parametrize("code", [c for c in OURS if c.good], ids=lambda c: c.code)
def test_the_good_snippet_has_no_problem(code):
    snippet = (
        code.good.removeprefix("atp 1\n") if code.code in {"ATP100", "ATP102"} else code.good
    )
    snippet = "" if snippet == "atp 1" else snippet
    experiment, problems = resolved(complete(snippet))

    assert problems == ()
    assert experiment is not None


def test_codes_that_no_snippet_shows_are_tested_elsewhere():
    shown = {code.code for code in OURS if code.bad}
    elsewhere = {"ATP011", "ATP015", "ATP135", "ATP139", "ATP144"}

    assert {code.code for code in OURS} - shown == elsewhere


def test_every_code_has_one_entry_with_a_title_and_an_explanation():
    for code, entry in CODES.items():
        assert entry.code == code
        assert re.fullmatch(r"ATP\d{3}", code)
        assert entry.title
        assert not entry.title.endswith(".")
        assert entry.explanation.rstrip().endswith(".")


def test_codes_of_the_front_end_are_in_their_ranges():
    assert all(1 <= int(code.code[3:]) <= 99 for code in CODES_SYNTAX)
    assert all(100 <= int(code.code[3:]) <= 199 for code in CODES_SPEC)
    assert all(130 <= int(code.code[3:]) <= 159 for code in CODES_NAMES)
    assert all(170 <= int(code.code[3:]) <= 179 for code in CODES_METRIC)
    assert all(180 <= int(code.code[3:]) <= 189 for code in CODES_DIAGNOSIS)
    assert all(200 <= int(code.code[3:]) <= 239 for code in CODES_PROMPTS)


def test_every_code_in_the_program_is_explained():
    used = {
        code
        for path in PACKAGE.rglob("*.py")
        if path.parent.name != "codes"
        for code in re.findall(r'"(ATP\d{3})"', path.read_text(encoding="utf-8"))
    }

    assert used <= set(CODES)


def test_every_code_of_the_front_end_is_used():
    used = {
        code
        for folder in ("syntax", "elaboration", "semantics")
        for path in (PACKAGE / folder).glob("*.py")
        for code in re.findall(r'"(ATP\d{3})"', path.read_text(encoding="utf-8"))
    }

    assert {code.code for code in OURS} <= used


def test_an_unused_slot_is_only_a_warning():
    code = CODES["ATP214"]
    experiment, problems = resolved(complete(code.bad))

    assert [problem.severity for problem in problems] == [Severity.WARNING]
    assert experiment is not None


def test_every_code_is_in_a_range_of_the_table_and_in_its_file():
    rows = re.findall(
        r"^\| ([\d, -]+) \|.*\| `(\w+)\.py` \|$", codes.__doc__ or "", re.MULTILINE
    )
    files = {
        number: file
        for ranges, file in rows
        for first, last in (part.split("-") for part in ranges.split(", "))
        for number in range(int(first), int(last) + 1)
    }

    for code in CODES:
        module = importlib.import_module(f"atpdsl.problems.codes.{files[int(code[3:])]}")
        assert f'"{code}"' in inspect.getsource(module)
