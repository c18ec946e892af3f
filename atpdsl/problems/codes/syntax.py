"""Codes of problems with a spec's text (001 to 099)."""

from __future__ import annotations

from atpdsl.problems.codes.code import Code

_PAIR = """\
prompts {
  pair "Ann went to" -> "Bob went to" { answer " Rome" vs " Paris" }
}"""

_FROM_FILE = """\
prompts from csv("pairs.csv") {
  clean = row.clean
  corrupted = row.corrupted
  answer " {row.right}" vs " {row.wrong}"
}"""

CODES_SYNTAX = (
    Code(
        code="ATP001",
        title="something unexpected",
        explanation="""\
The text goes on in a way that the language does not know. The message says what was met, and
what could have stood there.""",
        bad="nodes { heads.z at last,, S2 }",
        good="nodes { heads.z at last }",
    ),
    Code(
        code="ATP002",
        title="a bracket is never closed",
        explanation="""\
Every `{`, `[` and `(` needs its partner. Where a `}` is missing, indentation decides which
block is taken to be open: a statement that begins at the left edge ends all blocks.""",
        bad="verify {\n  top = 20\n\nmethod atp",
        good="verify {\n  top = 20\n}\n\nmethod atp",
    ),
    Code(
        code="ATP003",
        title="a string is never closed",
        explanation="""\
A string ends on the line on which it begins. For a text of several lines use three quotes on
either side; a quote inside of a string is written `\\"`.""",
        bad='model "tiny',
        good='model "tiny"',
    ),
    Code(
        code="ATP004",
        title="quotes of another kind",
        explanation="""\
Strings stand in straight double quotes. Word processors and web pages turn them into curly
ones, and single quotes are for Python.""",
        bad="model 'tiny'",
        good='model "tiny"',
    ),
    Code(
        code="ATP005",
        title="`:` or `=` where there is none",
        explanation="""\
A setting is `name = value`. A statement has its word, then what it is about, with nothing in
between.""",
        bad="verify { top: 20 }",
        good="verify { top = 20 }",
    ),
    Code(
        code="ATP006",
        title="`=` is missing",
        explanation="In a block a setting is `name = value`.",
        bad="verify { top 20 }",
        good="verify { top = 20 }",
    ),
    Code(
        code="ATP007",
        title="a word or sign between two parts is missing",
        explanation="""\
Some statements have a word in the middle: `answer RIGHT vs WRONG`, `pair CLEAN -> CORRUPTED`,
`corrupt PLACE -> WHAT`, `slot NAME in LIST`. Values of a list have commas between them, and
each statement has a line of its own.""",
        bad=_PAIR.replace(" ->", ""),
        good=_PAIR,
    ),
    Code(
        code="ATP008",
        title="no such statement here",
        explanation="""\
A line begins with a statement's word, or in a block also with the name of a setting or a
node. The word is misspelled, or stands inside (or outside) of a block where it does not
belong.""",
        bad='modle "tiny"',
        good='model "tiny"',
    ),
    Code(
        code="ATP009",
        title="another language",
        explanation="""\
A spec is neither JSON nor YAML nor Python. It has statements, `metric logit_diff at last`,
blocks in braces, and settings, `top = 20`; words of a list are written out.""",
        bad='{ "model": "tiny" }',
        good='model "tiny"',
    ),
    Code(
        code="ATP010",
        title="nested too deeply",
        explanation="""\
Brackets and operators are read to a depth of 64, so that no text can exhaust the memory. No
spec of a person comes near that.""",
        bad="run { seed = " + "(" * 70 + "0" + ")" * 70 + " }",
        good="run { seed = (0) }",
    ),
    Code(
        code="ATP011",
        title="too long a text",
        explanation="""\
A spec has at most 1,048,576 characters. Prompts in such numbers belong into a CSV or JSONL
file.""",
        bad="",
        good=_FROM_FILE,
    ),
    Code(
        code="ATP012",
        title="a character that cannot stand there",
        explanation="""\
Names are made of `a-z`, `A-Z`, `0-9` and `_`, so that no two names look alike. Characters
that cannot be seen, or that turn the direction of writing, are refused even in strings; if a
prompt has one, write it as `\\u{202E}`.""",
        bad="verify { t\u043ep = 20 }",
        good="verify { top = 20 }",
    ),
    Code(
        code="ATP013",
        title="a bracket closes nothing",
        explanation="There is one `}`, `]` or `)` too many, or its partner is missing.",
        bad="verify { top = 20 }\n}",
        good="verify { top = 20 }",
    ),
    Code(
        code="ATP014",
        title="a value is missing",
        explanation="""\
After `=`, `at`, `in` or a statement's word something has to follow, on the same line.""",
        bad="verify { top = }",
        good="verify { top = 20 }",
    ),
    Code(
        code="ATP015",
        title="more problems than are shown",
        explanation="Only the first 100 problems are shown.",
        bad="",
        good="",
    ),
    Code(
        code="ATP016",
        title="not an escape",
        explanation="""\
In a string a backslash begins one of `\\n` (new line), `\\t` (tab), `\\r`, `\\"`, `\\\\`,
`\\u00e9` and `\\u{1F600}`. A string with an `r` before it, as patterns have, knows no
escapes.""",
        bad=_PAIR.replace("went", "\\went"),
        good=_PAIR,
    ),
    Code(
        code="ATP017",
        title="too large a number",
        explanation="Numbers go up to 1e15, with at most 40 digits.",
        bad="run { seed = 99999999999999999999 }",
        good="run { seed = 99 }",
    ),
    Code(
        code="ATP018",
        title="a comment of another language",
        explanation="""\
A comment begins with `#` and ends with its line. One that begins with `##` is kept with the
statement after it.""",
        bad="// how far to go\nverify { top = 20 }",
        good="# how far to go\nverify { top = 20 }",
    ),
)
