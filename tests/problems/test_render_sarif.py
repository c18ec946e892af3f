"""SARIF logs keep to what the standard asks for (OASIS SARIF 2.1.0, checked by hand here)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from atpdsl.problems import Label, Problem, Severity, Source, Span
from atpdsl.problems.codes import CODES
from atpdsl.problems.fixes import replaced
from atpdsl.problems.render import located
from atpdsl.problems.render_sarif import sarif

TEXT = 'atp 1\nverify {\n  tpo = 20\n}\nexport "日本.csv", "日本.csv"\n'
SOURCE = Source("specs/my spec.atp", TEXT)
LEVELS = {"none", "note", "warning", "error"}


def at(text: str, said: str = "", *, last: bool = False) -> Label:
    start = TEXT.rindex(text) if last else TEXT.index(text)
    return Label(Span(start, start + len(text)), said)


UNKNOWN = Problem(
    code="ATP105",
    message="`verify` has no setting `tpo`",
    at=at("tpo"),
    help="did you mean `top`?",
)
TWICE = Problem(
    code="ATP119",
    message="written twice",
    at=at('"日本.csv"', last=True),
    also=(at('"日本.csv"', "the first is here"),),
    severity=Severity.WARNING,
)
NOWHERE = Problem(code="ATP420", message="the file is gone")


def log(*problems: Problem, source: Source = SOURCE) -> dict[str, Any]:
    return sarif(located(problems, source), version="1.2.3")


def results(*problems: Problem) -> list[Any]:
    (run,) = log(*problems)["runs"]
    found: list[Any] = run["results"]
    return found


def text_of(region: dict[str, int], text: str = TEXT) -> str:
    """What a region covers, found by its lines and columns alone."""
    lines = text.split("\n")

    def offset(line: int, column: int) -> int:
        assert 1 <= line <= len(lines)
        assert 1 <= column <= len(lines[line - 1]) + 1
        return sum(len(each) + 1 for each in lines[: line - 1]) + column - 1

    start = offset(region["startLine"], region["startColumn"])
    return text[start : offset(region["endLine"], region["endColumn"])]


def test_a_log_has_a_version_and_one_run_of_the_tool():
    written = log(UNKNOWN)
    (run,) = written["runs"]

    assert written["version"] == "2.1.0"
    assert written["$schema"].endswith("sarif-2.1.0.json")
    assert run["tool"]["driver"]["name"] == "atpdsl"
    assert re.fullmatch(r"\d+\.\d+\.\d+", run["tool"]["driver"]["semanticVersion"])
    assert run["columnKind"] == "unicodeCodePoints"


def test_every_result_names_a_rule_by_id_and_index():
    (run,) = log(TWICE, UNKNOWN, NOWHERE)["runs"]
    rules = run["tool"]["driver"]["rules"]

    assert [rule["id"] for rule in rules] == ["ATP105", "ATP119", "ATP420"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in LEVELS
        assert result["message"]["text"]


@pytest.mark.parametrize("code", CODES)
def test_every_code_makes_a_rule_with_help(code):
    (rule,) = log(Problem(code=code, message="m"))["runs"][0]["tool"]["driver"]["rules"]

    assert rule["id"] == code
    assert rule["shortDescription"]["text"] == CODES[code].title
    assert rule["help"]["text"].endswith(".")
    assert CODES[code].bad.rstrip() in rule["help"]["markdown"]


def test_regions_count_characters_from_one_and_end_after_the_last():
    (unknown, twice) = results(UNKNOWN, TWICE)
    first = twice["relatedLocations"][0]["physicalLocation"]["region"]

    assert text_of(unknown["locations"][0]["physicalLocation"]["region"]) == "tpo"
    assert text_of(twice["locations"][0]["physicalLocation"]["region"]) == '"日本.csv"'
    assert (first["startColumn"], first["endColumn"]) == (8, 16)
    assert twice["relatedLocations"][0]["message"]["text"] == "the first is here"
    assert twice["level"] == "warning"


def test_files_are_named_by_relative_uris():
    (result,) = results(UNKNOWN)
    place = result["locations"][0]["physicalLocation"]["artifactLocation"]

    assert place == {"uri": "specs/my%20spec.atp", "uriBaseId": "%SRCROOT%"}


def test_a_file_in_the_current_folder_is_relative_and_another_is_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    problem = Problem(code="ATP105", message="m", at=Label(Span(0, 3)))

    def uri(path: Path) -> dict[str, str]:
        (run,) = log(problem, source=Source(str(path), TEXT))["runs"]
        place: dict[str, str] = run["results"][0]["locations"][0]["physicalLocation"][
            "artifactLocation"
        ]
        return place

    outside = tmp_path.parent / "b.atp"
    assert uri(tmp_path / "sub" / "a.atp") == {"uri": "sub/a.atp", "uriBaseId": "%SRCROOT%"}
    assert uri(outside) == {"uri": outside.as_uri()}
    assert uri(Path("lib:ioi")) == {"uri": "lib:ioi"}


def test_a_fix_replaces_a_region_of_its_file():
    (result,) = results(UNKNOWN)
    (fix,) = result["fixes"]
    (change,) = fix["artifactChanges"]
    (replacement,) = change["replacements"]

    assert fix["description"]["text"]
    assert change["artifactLocation"]["uri"] == "specs/my%20spec.atp"
    assert text_of(replacement["deletedRegion"]) == "tpo"
    assert replacement["insertedContent"] == {"text": "top"}


def test_a_fix_that_only_inserts_deletes_nothing():
    problem = Problem(
        code="ATP002", message="m", at=at("{"), fix=replaced(Span(len(TEXT), len(TEXT)), "}")
    )
    (result,) = results(problem)
    replacement = result["fixes"][0]["artifactChanges"][0]["replacements"][0]

    assert text_of(replacement["deletedRegion"]) == ""


def test_a_problem_without_a_place_has_no_locations():
    (result,) = results(NOWHERE)

    assert result["locations"] == []
    assert "fixes" not in result
    assert "relatedLocations" not in result


def test_no_problems_are_a_run_without_results():
    (run,) = log()["runs"]

    assert run["results"] == []
    assert run["tool"]["driver"]["rules"] == []
