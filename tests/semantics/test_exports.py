from __future__ import annotations

from dataclasses import replace

import pytest

from atpdsl.semantics.paths import LONGEST_PATH, objection
from tests.semantics import words
from tests.semantics.words import experiment_of, found


def test_the_ending_says_the_format():
    calls = experiment_of('export "a.graphml", "b/c.CSV"\nexport "d.json"').exports

    assert [(call.path, call.format) for call in calls] == [
        ("a.graphml", "graphml"),
        ("b/c.CSV", "csv"),
        ("d.json", "json"),
    ]


def test_a_word_before_the_name_says_the_format():
    (call,) = experiment_of('export csv("scores.txt")').exports

    assert (call.path, call.format) == ("scores.txt", "csv")


def test_the_longest_ending_says_the_format(monkeypatch):
    formats = ((".json", "json"), (".cy.json", "cytoscape"))
    monkeypatch.setattr(words, "VOCABULARY", replace(words.VOCABULARY, exports=formats))
    calls = experiment_of('export "a.cy.json", "b.x.json", "cy.json"').exports

    assert [call.format for call in calls] == ["cytoscape", "json", "json"]


def test_other_formats_are_looked_up_only_for_what_ours_do_not_say(monkeypatch):
    asked = []

    def others() -> tuple[tuple[str, str], ...]:
        asked.append(1)
        return ((".rows", "rows"),)

    monkeypatch.setattr(words, "VOCABULARY", replace(words.VOCABULARY, more_exports=others))
    experiment_of('export "a.csv", csv("b.txt")')
    assert asked == []
    calls = experiment_of('export "a.rows", rows("b.txt")').exports

    assert [call.format for call in calls] == ["rows", "rows"]


def test_names_of_values_stand_in_braces_and_doubled_braces_are_braces():
    calls = experiment_of('let size = 3\nexport "a-{size}.csv", "b{{x}}.csv"').exports

    assert [call.path for call in calls] == ["a-3.csv", "b{x}.csv"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('export "a.xyz"', [("ATP118", '"a.xyz"')]),
        ('export "a"', [("ATP118", '"a"')]),
        ('export xyz("a")', [("ATP118", "xyz")]),
        ('export "a.cy.xyz"', [("ATP118", '"a.cy.xyz"')]),
        ('export cvs("a.json")', [("ATP118", "cvs")]),
        ('export "{size}.csv"', [("ATP141", "{size}")]),
        ('export "a{.csv"', [("ATP141", "{")]),
        ('export "a{b c}.csv"', [("ATP141", "{b c}")]),
        ('export "a.csv", "a.csv"', [("ATP119", '"a.csv"')]),
        ('export "../a.csv"', [("ATP117", '"../a.csv"')]),
        ('export "a/../../b.csv"', [("ATP117", '"a/../../b.csv"')]),
        ('export "/a.csv"', [("ATP117", '"/a.csv"')]),
        ('export "~/a.csv"', [("ATP117", '"~/a.csv"')]),
        ('export "C:/a.csv"', [("ATP117", '"C:/a.csv"')]),
        ('export "a\\\\b.csv"', [("ATP117", '"a\\\\b.csv"')]),
        ('export "a\\u{0}.csv"', [("ATP117", '"a\\u{0}.csv"')]),
        ('export "a.csv/"', [("ATP117", '"a.csv/"')]),
        ('export ""', [("ATP117", '""')]),
        ("export a", [("ATP108", "a")]),
        ("export csv(3)", [("ATP108", "3")]),
        ('export csv("a", "b")', [("ATP108", 'csv("a", "b")')]),
        ('export csv(file = "a")', [("ATP108", 'csv(file = "a")')]),
        ('export csv("a" at last)', [("ATP108", 'csv("a" at last)')]),
    ],
)
def test_what_is_wrong_with_an_export_is_told_at_its_place(text, expected):
    assert found(text) == expected


@pytest.mark.parametrize("path", ["a.csv", "data/a b.csv", "a..b.csv", "...csv", "ä/日.csv"])
def test_paths_below_the_folder_are_allowed(path):
    assert objection(path) == ""


def test_very_long_paths_are_not():
    assert objection("x" * (LONGEST_PATH + 1))


@pytest.mark.parametrize("names", ['"a.csv", "a.csv/b.csv"', '"a.csv/b.csv", "a.csv"'])
def test_a_file_cannot_be_a_folder_as_well(names):
    (problem,) = found(f"export {names}")

    assert problem == ("ATP119", names.split(", ")[1])
