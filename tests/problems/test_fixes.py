"""Fixes mend what they say they mend."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from atpdsl.problems import Fix, Label, Problem, Source, Span
from atpdsl.problems.codes import CODES
from atpdsl.problems.fixes import applied, did_you_mean, inserted, mended, replaced
from tests.problems.snippets import problems_of, spec_of
from tests.semantics.words import complete

# Codes whose failing snippet can be mended without asking; the others' cannot.
FIXABLE = frozenset(
    {
        "ATP002", "ATP003", "ATP004", "ATP005", "ATP006", "ATP007", "ATP008", "ATP018",
        "ATP100", "ATP105", "ATP111", "ATP112", "ATP118", "ATP300",
    }
)  # fmt: skip
WITH_BAD = [code for code in CODES.values() if code.bad and spec_of(code)]


def fixed(text: str) -> tuple[str, tuple[Problem, ...]]:
    return applied(text, problems_of(text))


@pytest.mark.parametrize("code", WITH_BAD, ids=lambda code: code.code)
def test_a_fix_of_a_failing_snippet_takes_the_problem_away(code):
    text = spec_of(code)
    before = problems_of(text)
    new, mended_ones = applied(text, [p for p in before if p.code == code.code])
    after = Counter((p.code, p.message) for p in problems_of(new))

    assert bool(mended_ones) or code.code not in FIXABLE
    for problem in mended_ones:
        same = (problem.code, problem.message)
        count = sum((p.code, p.message) == same for p in before)
        assert after[same] < count


CASES = {
    "verify { top: 20 }": "verify { top = 20 }",
    "verify { top:20 }": "verify { top = 20 }",
    "verify { top : 20 }": "verify { top = 20 }",
    'verify { "top": 20 }': "verify { top = 20 }",
    "verify { top 20 }": "verify { top = 20 }",
    "verify { top == 20 }": "verify { top = 20 }",
    "verify { tpo = 20 }": "verify { top = 20 }",
    "verify { top = 20, random = 5 }": "verify { top = 20; random = 5 }",
    "verify { top = 20px }": "verify { top = 20 }",
    'verify { top = "20" }': "verify { top = 20 }",
    "verify { top = 20": "verify { top = 20 }",
    "verify { top = 20  # best": "verify { top = 20 }  # best",
    "verify {\n  top = 20  # best\n\nrun { seed = 1 }": (
        "verify {\n  top = 20  # best\n}\n\nrun { seed = 1 }"
    ),
    "verify { top = 20 } // best": "verify { top = 20 } # best",
    "verify { top = 20 random = 5 }": "verify { top = 20; random = 5 }",
    "verify { TOP = 20 }": "verify { top = 20 }",
    "metric logit_diff last": "metric logit_diff at last",
    "nodes { heads.z every }": "nodes { heads.z at every }",
    "nodes { mlp at last if layer > 2 }": "nodes { mlp at last where layer > 2 }",
    "nodes { L1.H2 at last }": "nodes { L1H2 at last }",
    "run { per_pair = yes }": "run { per_pair = on }",
    "run { per_pair = False }": "run { per_pair = off }",
    "run { device = gpu }": "run { device = cuda }",
    'run { device = "gpu" }': 'run { device = "cuda" }',
    "run { device = cuda:0 }": 'run { device = "cuda:0" }',
    'model: "tiny"': 'model "tiny"',
    'model = "tiny"': 'model "tiny"',
    "model 'tiny'": 'model "tiny"',
    "model “tiny”": 'model "tiny"',
    'model “tiny"': 'model "tiny"',
    'model "tiny': 'model "tiny"',
    "model tiny": 'model "tiny"',
    'model "tiny" { dtype = bf16 }': 'model "tiny" { dtype = bfloat16 }',
    'model "tiny" { precision = float64 }': 'model "tiny" { dtype = float64 }',
    'export "a.cvs"': 'export "a.csv"',
    "export a.csv": 'export "a.csv"',
    'export "a.csv" "b.csv"': 'export "a.csv", "b.csv"',
    "metric logits_diff": "metric logit_diff",
    'method "atp"': "method atp",
    "nodes { heads[9.6] at last }": "nodes { heads.z[L9H6] at last }",
    "nodes { heads[9.6, 10.0] at last }": "nodes { heads.z[L9H6, L10H0] at last }",
    "nodes { heads.q[9.6] at last }": "nodes { heads.q[L9H6] at last }",
    "nodes { heads.qq at last }": "nodes { heads.q at last }",
    "nodes { mlp at last where layer = 2 }": "nodes { mlp at last where layer == 2 }",
    "nodes { mlp at last where layr > 2 }": "nodes { mlp at last where layer > 2 }",
    "method atp { direction = denoisng }": "method atp { direction = denoising }",
}
LINES = {
    'answer " Tom" " Ann"': 'answer " Tom" vs " Ann"',
    'answer " Tom", " Ann"': 'answer " Tom" vs " Ann"',
    "corrupt: S2 -> IO": "corrupt S2 -> IO",
    "corrupt S2 IO": "corrupt S2 -> IO",
    "corrupt S2 = IO": "corrupt S2 -> IO",
    "corrupt S2 => IO": "corrupt S2 -> IO",
    "corrupt S2 → IO": "corrupt S2 -> IO",
    "corrupt S2 to IO": "corrupt S2 -> IO",
    'slot IO, S ["Mary", "John", "Tom"]': 'slot IO, S in ["Mary", "John", "Tom"]',
    'slot IO, S = ["Mary", "John", "Tom"]': 'slot IO, S in ["Mary", "John", "Tom"]',
    'slot IO, S in ["Mary", "John" "Tom"]': 'slot IO, S in ["Mary", "John", "Tom"]',
    'slot IO, S in ["Mary", "John", "Tom"': 'slot IO, S in ["Mary", "John", "Tom"]',
    'slot IO, S in ["Mary", "John", "Tom]': 'slot IO, S in ["Mary", "John", "Tom"]',
    'template f"{IO} saw {S}. {S as S2}"': 'template "{IO} saw {S}. {S as S2}"',
    'tempalte "{IO} saw {S}. {S as S2}"': 'template "{IO} saw {S}. {S as S2}"',
    "align = pad_left": "align = end",
    "count 5": "count = 5",
}
AROUND = {
    "template": 'template "{IO} saw {S}. {S as S2} waved"',
    "slot": 'slot IO, S in ["Mary", "John", "Tom"]',
    "corrupt": "corrupt S2 -> IO",
    "answer": 'answer " {IO}" vs " {S}"',
}


def whole(line: str) -> str:
    return complete(line)


def in_prompts(line: str) -> str:
    kept = [text for word, text in AROUND.items() if not line.startswith((word, word[:4]))]
    if line.startswith("temp"):
        kept = kept[-3:]
    return whole("prompts {\n  " + "\n  ".join((line, *kept)) + "\n}")


@pytest.mark.parametrize(("wrong", "right"), CASES.items())
def test_what_can_be_mended_without_asking_is(wrong, right):
    new, problems = fixed(whole(wrong))

    assert problems
    assert new == whole(right)


@pytest.mark.parametrize(("wrong", "right"), LINES.items())
def test_what_can_be_mended_in_prompts_is(wrong, right):
    new, problems = fixed(in_prompts(wrong))

    assert problems
    assert new == in_prompts(right)


@pytest.mark.parametrize(
    "line",
    [
        'export "a.csv, "b.csv"',
        'model """tiny',
        "verify { top = 20; top = 30 }",
        "verify { top = many }",
        "verify { top = -1 }",
        "verify { seed = 1 }",
        "nodes { heads.z }",
        "nodes { heads.z at S3 }",
        "verify { top = 20 }\n}",
    ],
)
def test_what_only_the_author_can_know_is_not_mended(line):
    text = whole(line)

    assert fixed(text) == (text, ())


def test_a_missing_edition_is_put_first():
    text = '# mine\nmodel "tiny"\n'
    new, problems = fixed(text)

    assert [problem.code for problem in problems] == ["ATP100"]
    assert new == 'atp 1\n\n# mine\nmodel "tiny"\n'


def word(text: str, at: str, help_: str) -> Problem:
    start = text.index(at)
    label = Label(Span(start, start + len(at)))
    return Problem(code="ATP105", message="m", at=label, help=help_)


@pytest.mark.parametrize(
    ("text", "at", "meant", "result"),
    [
        ("tpo = 1", "tpo", "top", "top = 1"),
        ('"a {nmae} b"', "{nmae}", "name", '"a {name} b"'),
        ('"{S as nmae:02} b"', "{S as nmae:02}", "name", '"{S as name:02} b"'),
        ('export "x/s.cvs"', '"x/s.cvs"', ".csv", 'export "x/s.csv"'),
        ('lines("x/nmaes.txt")', '"x/nmaes.txt"', "names.txt", 'lines("x/names.txt")'),
        ("clean = row.claen", "row.claen", "clean", "clean = row.clean"),
        ("nodes { heads.qq at last }", "heads.qq", "heads.q", "nodes { heads.q at last }"),
        ('include "lib:iio"', '"lib:iio"', "lib:ioi", 'include "lib:ioi"'),
        ('model "./modle"', '"./modle"', "./model", 'model "./model"'),
    ],
)
def test_the_misspelled_part_of_a_place_is_replaced(text, at, meant, result):
    source = Source("a.atp", text)
    problem = mended(word(text, at, did_you_mean(meant)), source)

    assert applied(text, [problem]) == (result, (problem,))


def test_a_place_that_has_the_suggested_word_already_has_no_fix():
    text = '"a {S2} b"'
    problem = word(text, text, did_you_mean("S2"))

    assert mended(problem, Source("a.atp", text)).fix is None


def test_a_fix_of_its_own_is_kept():
    text = "tpo = 1"
    own = replaced(Span(0, 3), "other")
    problem = replace(word(text, "tpo", did_you_mean("top")), fix=own)

    assert mended(problem, Source("a.atp", text)).fix == own


def test_fixes_that_clash_are_not_both_made():
    first = Problem(code="ATP001", message="a", fix=replaced(Span(0, 3), "x"))
    same = Problem(code="ATP001", message="b", fix=replaced(Span(2, 5), "y"))
    twice = Problem(code="ATP001", message="c", fix=inserted("z", 0))
    apart = Problem(code="ATP001", message="d", fix=inserted("!", 3))

    assert applied("abcdef", [first, same, twice, apart]) == ("x!def", (first, apart))


def test_a_fix_in_an_included_file_counts_there():
    source, offset = Source("main.atp", "atp 1\n").with_part(Source("part.atp", "tpo = 1"))
    span = Span(offset, offset + 3)
    problem = Problem(code="ATP105", message="m", at=Label(span), help=did_you_mean("top"))
    placed = mended(problem, source).placed(source)

    assert placed.at == Label(Span(0, 3), "", Source("part.atp", "tpo = 1"))
    assert placed.fix == Fix(span=Span(0, 3), text="top", title="change to `top`")


def test_placing_twice_changes_nothing():
    source, offset = Source("main.atp", "atp 1\n").with_part(Source("part.atp", "tpo = 1"))
    span = Span(offset, offset + 3)
    problem = Problem(code="ATP105", message="m", at=Label(span), help=did_you_mean("top"))
    placed = mended(problem, source).placed(source)

    assert placed.placed(source) == placed
