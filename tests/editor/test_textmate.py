from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from atpdsl.editor import highlighting
from atpdsl.editor.textmate import grammar, main
from atpdsl.methods import METHODS
from atpdsl.metrics import METRICS
from atpdsl.nodes import NODE_KINDS
from atpdsl.reference.words import words
from atpdsl.semantics.schema import SHAPES
from atpdsl.syntax.words import BODY_STATEMENTS, STATEMENTS

EXTENSION = Path(__file__).parents[2] / "editors" / "vscode"
FILE = EXTENSION / "syntaxes" / "atp.tmLanguage.json"
WRITE = "python -m atpdsl.editor.textmate editors/vscode/syntaxes/atp.tmLanguage.json"


def values(node: object, names: tuple[str, ...]) -> Iterator[str]:
    """The texts under some keys, anywhere in a JSON value."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in names and isinstance(value, str):
                yield value
            yield from values(value, names)
    elif isinstance(node, list):
        for value in node:
            yield from values(value, names)


def read(name: str) -> dict:
    return json.loads((EXTENSION / name).read_text(encoding="utf-8"))


def test_the_file_has_the_words_of_the_language():
    assert read("syntaxes/atp.tmLanguage.json") == grammar(), f"write it anew: `{WRITE}`"


def test_it_can_be_written_anew(tmp_path):
    path = tmp_path / "grammar.json"

    assert main([str(path)]) == 0
    assert path.read_text(encoding="utf-8") == FILE.read_text(encoding="utf-8")


def test_the_word_lists_are_those_of_the_tables():
    assert set(highlighting.STATEMENT_WORDS) == {shape.word for shape in SHAPES}
    assert set(highlighting.STATEMENT_WORDS) == set(STATEMENTS)
    assert set(highlighting.LINE_WORDS) == set(BODY_STATEMENTS)
    assert set(highlighting.KINDS) == set(NODE_KINDS.names)
    assert set(highlighting.METHOD_NAMES) == set(METHODS.names)
    assert set(highlighting.METRIC_NAMES) == set(METRICS.names)


@pytest.mark.parametrize(
    ("table", "lists"),
    [
        ("statements", ("STATEMENT_WORDS",)),
        ("lines", ("LINE_WORDS",)),
        ("keywords", ("OPERATOR_WORDS",)),
        ("switches", ("CONSTANTS",)),
        ("positions", ("PLACES",)),
        ("node_kinds", ("KINDS",)),
        ("metrics", ("METRIC_NAMES",)),
        ("methods", ("METHOD_NAMES",)),
        ("readings", ("FUNCTIONS", "METRIC_NAMES")),
        ("functions", ("FUNCTIONS",)),
        ("exports", ("FUNCTIONS",)),
    ],
)
def test_every_word_of_the_reference_is_highlighted(table, lists):
    listed = [one if isinstance(one, str) else one["name"] for one in words()[table]]
    known = {word for name in lists for word in getattr(highlighting, name)}

    assert set(listed) <= known


@pytest.mark.parametrize("word", highlighting.STATEMENT_WORDS)
def test_statements_are_highlighted_where_they_begin(word):
    rule = read("syntaxes/atp.tmLanguage.json")["repository"]["statements"]["patterns"][0]
    pattern = re.compile(rule["match"].replace("(?:^|(?<=[;{]))", "(?:^|(?<=[;{]))"), re.M)

    assert pattern.search(f"{word} x")[1] == word
    assert pattern.search(f"a; {word} x")[1] == word
    assert pattern.search(f"x {word} x") is None
    assert pattern.search(f"{word} = x") is None


def test_every_pattern_is_a_regular_expression():
    found = list(values(grammar(), ("match", "begin", "end")))

    assert len(found) > 20
    for pattern in found:
        re.compile(pattern)


def test_every_rule_that_is_included_is_there():
    found = grammar()
    names = {name.removeprefix("#") for name in values(found, ("include",))}

    assert names == set(found["repository"])


def test_scopes_end_with_the_name_of_the_language():
    repository = grammar()["repository"]

    assert all(scope.endswith(".atp") for scope in values(repository, ("name",)))


@pytest.mark.parametrize("name", ["package.json", "language-configuration.json"])
def test_the_extension_s_files_are_json(name):
    assert read(name)


def test_the_extension_names_files_that_are_there():
    package = read("package.json")
    contributes = package["contributes"]
    named = [
        package["main"],
        *(language["configuration"] for language in contributes["languages"]),
        *(one["path"] for one in contributes["grammars"]),
    ]

    assert all((EXTENSION / path).is_file() for path in named)
    assert [one["scopeName"] for one in contributes["grammars"]] == [grammar()["scopeName"]]
    assert contributes["languages"][0]["extensions"] == [".atp"]


def test_the_extension_starts_the_command_that_there_is():
    settings = read("package.json")["contributes"]["configuration"]["properties"]
    code = (EXTENSION / "src" / "extension.js").read_text(encoding="utf-8")

    assert settings["atpdsl.server.command"]["default"] == "atpdsl"
    assert settings["atpdsl.server.arguments"]["default"] == ["lsp"]
    for name in settings:
        key = name.removeprefix("atpdsl.")
        assert f'"{key}"' in code or key.startswith("trace.")


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
def test_the_extension_is_javascript():
    node, code = shutil.which("node"), EXTENSION / "src" / "extension.js"
    done = subprocess.run([node, "--check", code], capture_output=True, check=False)

    assert done.stderr == b""


def test_patterns_of_the_language_configuration_are_regular_expressions():
    configuration = read("language-configuration.json")
    rules = configuration["indentationRules"]
    patterns = [configuration["wordPattern"], *rules.values()]
    patterns += [rule["beforeText"] for rule in configuration["onEnterRules"]]
    for pattern in patterns:
        re.compile(pattern)

    assert re.fullmatch(configuration["wordPattern"], "atp*")
    assert re.match(rules["increaseIndentPattern"], 'prompts ioi { # "')
    assert re.match(rules["increaseIndentPattern"], "prompts ioi {")
    assert not re.match(rules["increaseIndentPattern"], 'template "{IO}"')
    assert not re.match(rules["increaseIndentPattern"], "verify { top = 20 }")
