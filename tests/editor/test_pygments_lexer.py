from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pygments.lexers import get_lexer_by_name, guess_lexer
from pygments.token import Error, Keyword, Name, Number, Operator, String, Token

from atpdsl.editor.highlighting import LINE_WORDS, STATEMENT_WORDS
from atpdsl.editor.pygments_lexer import AtpLexer
from tests.editor.marked import SPEC

ROOT = Path(__file__).parents[2]
SPECS = sorted((*ROOT.glob("specs/*.atp"), *ROOT.glob("atpdsl/library/*.atp")))
PIECES = st.sampled_from(
    [*'{}[]()";,=#\\\n\r r\u2028\ufeff', '"""', "atp*", "{x:02 as y}", "5%", "L9H6", "template"]
)


def kinds(text: str) -> dict[str, object]:
    """What each piece of a text is taken for."""
    return {value: kind for kind, value in AtpLexer().get_tokens(text)}


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.name)
def test_every_spec_is_understood(path):
    tokens = list(AtpLexer().get_tokens(path.read_text()))

    assert [value for kind, value in tokens if kind is Error] == []
    assert len({kind for kind, _ in tokens}) > 5


@given(st.lists(st.one_of(PIECES, st.text(max_size=4))).map("".join))
def test_no_character_is_lost(text):
    tokens = AtpLexer().get_tokens_unprocessed(text)

    assert "".join(value for _, _, value in tokens) == text


@given(st.integers(0, len(SPEC)), PIECES)
def test_a_changed_spec_loses_no_character_either(offset, piece):
    text = SPEC[:offset] + piece + SPEC[offset:]

    assert "".join(v for _, _, v in AtpLexer().get_tokens_unprocessed(text)) == text


@pytest.mark.parametrize("word", STATEMENT_WORDS)
def test_statements_are_keywords_where_they_begin(word):
    assert kinds(f"{word} x")[word] is Keyword.Declaration


@pytest.mark.parametrize("word", sorted(set(LINE_WORDS) - {"let"}))
def test_lines_are_keywords_where_they_begin(word):
    assert kinds(f"prompts {{ {word} x }}")[word] is Keyword


def test_words_are_names_elsewhere():
    assert kinds("slot x in [model]")["model"] is Name
    assert kinds("verify { method = star }")["method"] is Name.Attribute


@pytest.mark.parametrize(
    ("text", "piece", "kind"),
    [
        ("top = 5%", "5%", Number),
        ("budget = 10min", "10min", Number),
        ("8..11", "..", Operator),
        ("nodes { heads.z[L9H6] at S2 }", "heads.z", Name.Class),
        ("nodes { heads.z[L9H6] at S2 }", "L9H6", Name.Constant),
        ("nodes { heads.z[L9H6] at S2 }", "at", Operator.Word),
        ("method atp* { }", "atp*", Name.Builtin),
        ('template "{yy:02 as YY}"', "yy", Name.Variable),
        ('template "{yy:02 as YY}"', "YY", Name.Variable),
        ('template "{{x}}"', "{{", String.Escape),
        ('pos p = match(r"a{2}")', 'r"a{2}"', String.Regex),
        ('"""a\n{b}"""', "b", Name.Variable),
        ("## what it is", "## what it is", Token.Comment.Special),
    ],
)
def test_pieces_are_taken_for_what_they_are(text, piece, kind):
    assert kinds(text)[piece] is kind


def test_a_string_ends_with_its_line():
    assert kinds('model "x\nnodes { }')["nodes"] is Keyword.Declaration


def test_pygments_finds_it_by_name_and_by_the_text():
    assert type(get_lexer_by_name("atp")).__name__ == "AtpLexer"
    assert type(guess_lexer(f"# a comment\n\n{SPEC}")).__name__ == "AtpLexer"
    assert AtpLexer.analyse_text("import atp") == 0


def test_it_needs_no_heavy_library():
    program = (
        "import sys; from pygments.lexers import get_lexer_by_name; get_lexer_by_name('atp');"
        "sys.exit(', '.join({'torch', 'transformers', 'numpy', 'pygls'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)

    assert done.stderr.strip() == b""
