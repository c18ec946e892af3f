from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path

import pytest
from lark.exceptions import GrammarError

from atpdsl.syntax import grammar
from atpdsl.syntax.words import BODY_STATEMENTS, STATEMENTS

SPECS = Path(__file__).parents[2] / "specs"
SMALL = 'atp 1\nmodel "tiny" { dtype = float32 }\n'


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """An empty cache folder, and no parser in memory."""
    monkeypatch.setenv(grammar.CACHE_VARIABLE, str(tmp_path / "cache"))
    grammar.parser.cache_clear()
    yield tmp_path / "cache"
    grammar.parser.cache_clear()


def kept(cache: Path) -> Path:
    grammar.parser()
    (path,) = cache.iterdir()
    grammar.parser.cache_clear()
    return path


def count_builds(monkeypatch) -> list[str]:
    builds: list[str] = []
    build = grammar.build_parser
    monkeypatch.setattr(
        grammar, "build_parser", lambda text: builds.append(text) or build(text)
    )
    return builds


def test_the_grammar_is_lalr_without_conflicts_and_without_terminals_that_collide():
    parser = grammar.build_parser(grammar.grammar_text(), strict=True)

    assert parser.parse(SMALL, start=grammar.FILE) == grammar.parser().parse(
        SMALL, start=grammar.FILE
    )


def test_a_grammar_with_a_conflict_is_refused_when_strict():
    conflict = grammar.grammar_text().replace(
        'args     : argument ("," argument)* [","]',
        'args     : argument ("," argument)* [comma]\ncomma: ","?',
    )

    with pytest.raises(GrammarError):
        grammar.build_parser(conflict, strict=True)


def test_the_lists_of_statement_words_are_those_of_the_grammar():
    text = grammar.grammar_text()
    top = re.search(r"^_statement: (.*?)\n\n", text, re.MULTILINE | re.DOTALL)
    body = re.search(r"^_body_statement: (.*?)\n\n", text, re.MULTILINE | re.DOTALL)
    assert top is not None
    assert body is not None

    rules = {*re.findall(r"\w+", top[1])} - {"version"} | {"atp"}
    inner = {*re.findall(r"\w+", body[1])} - {"setting", "select"}

    assert set(STATEMENTS) == rules
    assert set(BODY_STATEMENTS) == inner


def test_the_table_is_kept_and_read_again(cache, monkeypatch):
    kept(cache)
    builds = count_builds(monkeypatch)

    tree = grammar.parser().parse(SMALL, start=grammar.FILE)

    assert builds == []
    assert tree.children[0].data == "version"


def test_a_kept_table_parses_every_spec_as_a_built_one_does(cache):
    kept(cache)
    built = grammar.build_parser(grammar.grammar_text())

    for path in sorted(SPECS.glob("*.atp")):
        text = path.read_text(encoding="utf-8")
        tree = grammar.parser().parse(text, start=grammar.FILE)
        assert tree == built.parse(text, start=grammar.FILE)


def test_the_table_is_no_pickle(cache):
    content = kept(cache).read_bytes()

    json.loads(content[64:])


def test_only_the_user_may_read_or_write_the_table(cache):
    assert kept(cache).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:-1],
        lambda content: content[:100] + b"x" + content[101:],
        lambda content: b"\x80\x04.",
    ],
    ids=["empty", "cut short", "changed", "a pickle"],
)
def test_a_damaged_table_is_built_anew(cache, monkeypatch, damage):
    path = kept(cache)
    path.write_bytes(damage(path.read_bytes()))
    builds = count_builds(monkeypatch)

    grammar.parser().parse(SMALL, start=grammar.FILE)
    grammar.parser.cache_clear()
    grammar.parser().parse(SMALL, start=grammar.FILE)

    assert len(builds) == 1


def test_a_table_with_a_right_digest_and_wrong_content_is_built_anew(cache, monkeypatch):
    path = kept(cache)
    payload = b'[{"rules": []}, {}]'
    path.write_bytes(hashlib.sha256(payload).hexdigest().encode() + payload)
    builds = count_builds(monkeypatch)

    grammar.parser().parse(SMALL, start=grammar.FILE)

    assert len(builds) == 1


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs owners of files")
@pytest.mark.parametrize("mode", [0o602, 0o620, 0o666])
def test_a_table_that_others_can_write_is_not_trusted(cache, monkeypatch, mode):
    path = kept(cache)
    path.chmod(mode)
    builds = count_builds(monkeypatch)

    grammar.parser()

    assert len(builds) == 1


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs owners of files")
def test_a_table_of_another_user_is_not_trusted(cache, monkeypatch):
    kept(cache)
    builds = count_builds(monkeypatch)
    monkeypatch.setattr(os, "getuid", lambda: os.geteuid() + 1)

    grammar.parser()

    assert len(builds) == 1


def test_a_link_to_a_table_is_not_followed(cache, monkeypatch, tmp_path):
    path = kept(cache)
    elsewhere = tmp_path / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    builds = count_builds(monkeypatch)

    grammar.parser()

    assert len(builds) == 1


def test_without_a_cache_folder_the_parser_is_built_each_time(monkeypatch, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv(grammar.CACHE_VARIABLE, str(blocked / "cache"))
    grammar.parser.cache_clear()

    tree = grammar.parser().parse(SMALL, start=grammar.FILE)
    grammar.parser.cache_clear()

    assert tree.children


def test_another_grammar_has_another_table(cache, monkeypatch):
    first = kept(cache)
    text = grammar.grammar_text() + "// changed\n"
    monkeypatch.setattr(grammar, "grammar_text", lambda: text)

    grammar.parser()

    assert {path == first for path in cache.iterdir()} == {True, False}


def test_the_cache_is_the_users_where_no_variable_says_otherwise(monkeypatch):
    monkeypatch.delenv(grammar.CACHE_VARIABLE)

    assert grammar.cache_directory().name == "atpdsl"
