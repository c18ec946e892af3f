from __future__ import annotations

import pytest

from atpdsl.problems import Problem, Source
from atpdsl.syntax.parse import parse


def problems_of(text: str) -> tuple[Problem, ...]:
    return parse(Source("a.atp", text))[1]


def told(text: str) -> list[tuple[str, str, str]]:
    """Code, the text pointed at, and the help of each problem."""
    return [
        (p.code, text[p.at.span.start : p.at.span.end] if p.at else "", p.help)
        for p in problems_of(text)
    ]


def in_prompts(line: str) -> str:
    return f"prompts {{\n  {line}\n}}"


@pytest.mark.parametrize(
    ("text", "code", "place", "advice"),
    [
        ("verify { top: 20 }", "ATP005", ":", "write `top = ...`"),
        ('model: "tiny"', "ATP005", ":", "remove it: `model ...`"),
        ('model = "tiny"', "ATP005", "=", "remove it: `model ...`"),
        ("model 'tiny'", "ATP004", "'tiny'", 'write `"tiny"`'),
        ("model “tiny”", "ATP004", "“tiny”", 'write `"tiny"`'),
        ("model “tiny\n", "ATP004", "“", 'write `"..."`'),
        ('model “tiny"', "ATP004", "“", 'write `"..."`'),
        ("nodes { mlp at last where layer = 2 }", "ATP001", "=", "write `layer == 2`"),
        (
            *("nodes { mlp where layer > 2 at last }", "ATP001", "at"),
            "write `heads.z at last where layer >= 2`",
        ),
        (
            *("nodes { mlp at last where layer > 2, attn at last }", "ATP001", ","),
            "begin the next one on a new line; numbers are listed in `layer in [0, 2]`",
        ),
        (
            *("nodes { mlp at last where 1 < layer < 3 }", "ATP001", "<"),
            "write `layer >= 5`, `head != 1` or `layer in [0, 2, 4..6]`, joined by `and`",
        ),
        ("verify { top 20 }", "ATP006", "20", "write `top = 20`"),
        ("verify { method atp }", "ATP008", "method", None),
        ('modle "tiny"', "ATP008", "modle", "did you mean `model`?"),
        ("{ \"model\": 1,\n  \"x\": [] }", "ATP009", "{", None),
        ("prompts:\n", "ATP009", "prompts", None),
        ("- a\n", "ATP009", "-", None),
        ("[model]\n", "ATP009", "[", None),
        ("import torch", "ATP009", "import torch", None),
        ("atp 1\nimport torch", "ATP009", "import", None),
        ("atp 1\nfor i in range(3):", "ATP009", "for", None),
        ("// why", "ATP018", "//", "write `# ...`; the comment ends with its line"),
        ("verify { top = 2 } // why", "ATP018", "//", None),
        ("/* why */", "ATP018", "/*", None),
        ("seed = 3", "ATP008", "seed", "it belongs into `run`: `run { seed = ... }`"),
        ("x = 3", "ATP008", "x", "write `let x = ...`"),
        ("verify = 3", "ATP005", "=", "remove it: `verify ...`"),
        ('verify { "top": 20 }', "ATP005", ":", "write `top = ...`"),
        ("run { device = cuda:0 }", "ATP005", ":", 'write `"cuda:0"`, in quotes'),
        (
            *("verify { top = 2, random = 3 }", "ATP001", ","),
            "write each on a line of its own, or `;` between them",
        ),
        (
            *('model "tiny", "induction"', "ATP001", ","),
            'one run has one model; `sweep m in ["tiny", "induction"]` with `model "{m}"` has'
            " a run for each",
        ),
        (
            *("nodes { at last }", "ATP014", "at"),
            "write `heads.z at last`, or another kind of nodes",
        ),
        ("verify ( top = 5 )", "ATP001", "(", "write `verify { ... }`"),
        ("verify top = 5", "ATP001", "=", "write `verify { ... }`"),
        (
            *('export "a.csv, "b.csv"', "ATP003", '"'),
            "one of the quotes on this line is missing, or this is one too many",
        ),
        ("metric logit_diff at", "ATP014", "at", "it has to stand on the same line"),
        ("verify { top = }", "ATP014", "=", "it has to stand on the same line"),
        ("model", "ATP014", "model", "it has to stand on the same line"),
        ("verify", "ATP001", "verify", "write `verify { ... }`"),
        ('model "tiny', "ATP003", '"tiny', 'close it with `"` on the same line'),
        ('model """tiny\n', "ATP003", '"tiny', 'close it with `"""`'),
        ("verify { top = 20 }\n}", "ATP013", "}", "remove it, or open what it should close"),
        ('export "a" "b"', "ATP007", '"b"', None),
        ("export f(a b)", "ATP007", "b", None),
        ("export [1 2]", "ATP007", "2", None),
        ("verify { top = 99999999999999999999 }", "ATP017", "99999999999999999999", None),
        ("verify { top = 1e400 }", "ATP017", "1e400", None),
        ("model \"a\\qb\"", "ATP016", "\\q", None),
        ('model "a\\u{d800}b"', "ATP016", "\\u{d800}", None),
        ('model "a\\u{110000}b"', "ATP016", "\\u{110000}", None),
        ("slot A in [1]", "ATP008", "slot", None),
        ("verify { t\u043ep = 20 }", "ATP012", "\u043e", None),
        ('model \x00"x"', "ATP012", "\x00", "remove it; in a string, write `\\u{0}`"),
        ('model "\u202egpj"', "ATP012", "\u202e", "remove it; in a string, write `\\u{202E}`"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_at_its_place_with_a_way_out(text, code, place, advice):
    first = told(text)[0]

    assert first[:2] == (code, place)
    assert advice is None or first[2] == advice


@pytest.mark.parametrize(
    ("line", "code", "place", "advice"),
    [
        ('answer " a" " b"', "ATP007", '" b"', 'write `answer " Mary" vs " John"`'),
        ('answer " a", " b"', "ATP007", ",", 'write `answer " Mary" vs " John"`'),
        ('answer [" a" " b"] vs " c"', "ATP007", '" b"', None),
        ('pair "a" "b"', "ATP007", '"b"', None),
        ('pair "a", "b"', "ATP007", ",", None),
        ("corrupt S2 IO", "ATP007", "IO", "write `corrupt S2 -> IO`"),
        ("corrupt S2 = IO", "ATP007", "=", "write `corrupt S2 -> IO`"),
        ("corrupt S2 → IO", "ATP012", "→", "write `->`"),
        ("slot A, B names", "ATP007", "names", 'write `slot S in ["Mary", "John"]`'),
        ('slot A = ["x"]', "ATP007", "=", 'write `slot S in ["Mary", "John"]`'),
        ("slot A in [x for x in y]", "ATP009", "for", None),
        (
            'template f"{A}"',
            "ATP009",
            "f",
            "in texts of prompts `{NAME}` is filled in without it",
        ),
        ("corrupt S2 => IO", "ATP007", "=", "write `corrupt S2 -> IO`"),
        ('slot A in ["x", "y]', "ATP003", '"y]', 'close it with `"` on the same line'),
        ('tempalte "a"', "ATP008", "tempalte", "did you mean `template`?"),
        ("pos X match(1)", "ATP007", "match", "write `pos verb = S1 + 1`"),
        ("count 5", "ATP006", "5", "write `count = 5`"),
        ("corrupt: S2 -> IO", "ATP005", ":", "remove it: `corrupt ...`"),
        ('answer = " a"', "ATP005", "=", "remove it: `answer ...`"),
        ("count many", "ATP006", "many", "write `count = many`"),
        ("bos on", "ATP006", "on", "write `bos = on`"),
        ("x = f(1", "ATP002", "(", "write the `)` that belongs to it"),
        ('x = ["a", 1', "ATP002", "[", "write the `]` that belongs to it"),
    ],
)
def test_a_mistake_in_a_block_is_told_at_its_place_with_a_way_out(line, code, place, advice):
    (only,) = told(in_prompts(line))

    assert only[:2] == (code, place)
    assert advice is None or only[2] == advice


def test_what_else_could_have_stood_there_is_said():
    (problem,) = problems_of("nodes { heads.z at last,, S2 }")

    assert problem.message == "unexpected `,`, expected a value"


def test_a_word_in_other_letters_is_named():
    problems = problems_of("verify { t\u043ep = 20 }")

    assert problems[0].message == "`\u043e` cannot stand outside of strings"
    assert problems[0].help.endswith("this is cyrillic small letter o")


YAML = """\
# mine
model: tiny
prompts:
  template: "a"
  count: 3
nodes:
  - heads.z
  - mlp
"""
JSON = '{\n  "model": "tiny",\n  "prompts": {\n    "count": 3\n  }\n}\n'
PYTHON = """\
import torch

def effect(x):
    return [y for y in x]

print(effect(3))
"""


@pytest.mark.parametrize(
    ("text", "language", "place"),
    [(YAML, "YAML", "model: tiny"), (JSON, "JSON", "{"), (PYTHON, "Python", "import torch")],
)
def test_a_file_of_another_language_is_one_problem(text, language, place):
    (only,) = problems_of(text)

    assert only.message == f"this looks like {language}"
    assert told(text)[0][:2] == ("ATP009", place)
    assert "`atpdsl new`" in only.help


def test_a_spec_with_a_few_foreign_lines_is_read_all_the_same():
    text = 'atp 1\nmodel: tiny\nprompts:\n  template: "a"\n  count: 3\nverify { tpo: 3 }\n'
    codes = [problem.code for problem in problems_of(text)]

    assert codes.count("ATP005") == 2
    assert len(codes) > 3


@pytest.mark.parametrize(
    ("text", "place", "advice"),
    [
        ("verify { top = 5 % }", "5 %", "write `5%`"),
        ("nodes { mlp at last where layer = 3 }", "=", "write `layer == 3`"),
        ("nodes { mlp at last where head = 1 }", "=", "write `head == 1`"),
    ],
)
def test_the_help_writes_what_was_meant(text, place, advice):
    (problem,) = parse(Source("spec.atp", text))[1]

    assert problem.at is not None
    assert text[problem.at.span.start : problem.at.span.end] == place
    assert problem.help == advice
    assert problem.fix is not None
