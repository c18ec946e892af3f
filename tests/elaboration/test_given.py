"""`param` and `sweep`: defaults, limits, and values from outside."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atpdsl.elaboration.elaborate import elaborate
from atpdsl.problems import Source
from atpdsl.syntax.parse import parse
from tests.elaboration.elaborated import (
    experiment_of,
    problems_of,
    program_of,
    values_of,
)
from tests.semantics.words import complete
from tests.syntax.test_any_text import SETTINGS

SPEC = """\
param most = 20 { help = "how many"; min = 1; max = 50 }
param half = most / 2
param label = "run"
param kind = float32 { choices = [float32, float64] }
param keep = off
sweep size in ["s", "m"]
sweep seed in 0..2
model "tiny" { dtype = kind; revision = "{label}" }
verify { top = most; random = half }
run { seed = seed; per_pair = keep }
export "{label}-{size}.csv"
"""


def test_defaults_hold_where_nothing_is_given():
    text = "param most = 20\nparam half = most / 2\nverify { top = most; random = half }"
    verify = experiment_of(text).verify

    assert verify is not None
    assert (verify.top, verify.random) == (20, 10)


def test_what_is_given_takes_the_place_of_the_default_everywhere():
    text = "param most = 20\nparam half = most / 2\nverify { top = most; random = half }"
    verify = experiment_of(text, given={"most": "8"}).verify

    assert verify is not None
    assert (verify.top, verify.random) == (8, 4)


@pytest.mark.parametrize(
    ("name", "text", "path"),
    [
        ("label", "a b", "a b"),
        ("label", "{x}", "{x}"),
        ("label", "3", "3"),
        ("label", "a\\,b", "a,b"),
        ("label", '"x"', '"x"'),
    ],
)
def test_texts_are_taken_as_they_are(name, text, path):
    program = program_of(f'param {name} = "run"\nexport "{{{name}}}.csv"', given={name: text})

    assert program.problems == ()
    assert program.points[0].tree.statements[1].items[0].value == f"{path}.csv"


def test_several_values_make_a_sweep_in_the_order_of_the_spec():
    program = program_of(SPEC, given={"most": "10,20", "seed": "7"})

    assert program.problems == ()
    assert program.variables == ("most", "size", "seed")
    assert values_of(program) == [
        ("10", "s", "7"),
        ("10", "m", "7"),
        ("20", "s", "7"),
        ("20", "m", "7"),
    ]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"seed": "5..6", "size": "l"}, [("l", "5"), ("l", "6")]),
        ({"seed": "1,4..5", "size": "x"}, [("x", "1"), ("x", "4"), ("x", "5")]),
        ({"size": "m", "seed": "0"}, [("m", "0")]),
    ],
)
def test_sweeps_take_other_values(given, expected):
    assert values_of(program_of(SPEC, given=given)) == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("most", "x"),
        ("most", "0"),
        ("most", "51"),
        ("most", "2.5"),
        ("most", "5%"),
        ("most", '"5"'),
        ("most", ""),
        ("most", "5\nlet x = 3"),
        ("most", "5; model 3"),
        ("most", "5,5"),
        ("most", "5,"),
        ("most", "("),
        ("most", "1..60"),
        ("kind", "float16"),
        ("kind", "3"),
        ("keep", "maybe"),
        ("seed", "x"),
        ("seed", "1,1"),
        ("seed", "0..5000"),
    ],
)
def test_values_that_do_not_fit_are_refused(name, text):
    assert problems_of(SPEC, given={name: text}) == [("ATP143", name)]


def test_a_misspelled_name_has_a_suggestion_and_no_place():
    (problem,) = program_of(SPEC, given={"sed": "3"}).problems

    assert (problem.code, problem.at, problem.help) == ("ATP139", None, "did you mean `seed`?")


def test_a_name_that_could_not_be_read_may_be_set():
    source = Source("a.atp", complete("param k 3\nverify { top = 3 }"))
    tree, problems = parse(source)

    assert problems
    assert elaborate(tree, source, Path(), {"k": "4"}).problems == ()


def test_a_let_cannot_be_set():
    assert problems_of("let a = 3\nverify { top = a }", given={"a": "4"}) == [("ATP139", "a")]


@pytest.mark.parametrize(
    ("name", "text", "reason", "advice"),
    [
        ("most", "99", "`most` is at most 50", "write `-p most=50`"),
        ("most", "many", "it is a whole number, as the default", "in the spec stands `20`"),
        ("most", "5..1", "the range of `sweep most` runs backwards", "in the spec stands `20`"),
        ("kind", "float46", "`kind` is one of `float32`, `float64`", "write `-p kind=float64`"),
        ("seed", "1,1", "a value stands there twice", "give each value once"),
        ("seed", "a", "each of its values is a whole number", "in the spec stands `0..2`"),
        (
            *("seed", "0..1000", "these are 1,001 points; at most 1,000 can be run"),
            "in the spec stands `0..2`",
        ),
    ],
)
def test_it_is_said_why_a_value_is_not_possible_and_what_is(name, text, reason, advice):
    (problem,) = program_of(SPEC, given={name: text}).problems

    assert problem.message == f"`-p {name}={text}` is not possible: {reason}"
    assert problem.help == advice


def test_ranges_given_from_outside_are_not_taken_for_equal_ones():
    text = "param which = 0..1\nnodes { mlp[which] at last }"
    (problem,) = program_of(text, given={"which": "0..1,2..3"}).problems

    assert problem.message.endswith("lists and ranges cannot be swept over")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("param k = 0 { min = 1 }\nverify { top = k }", [("ATP143", "0")]),
        ("param k = 9 { max = 5 }\nverify { top = k }", [("ATP143", "9")]),
        ("param k = 9 { choices = [1, 2] }\nverify { top = k }", [("ATP143", "9")]),
        ("param k = 9 { choices = 9 }\nverify { top = k }", [("ATP108", "9")]),
        ("param k = on { min = 9 }\nrun { per_pair = k }", [("ATP108", "min")]),
        ("param k = 9 { mni = 9 }\nverify { top = k }", [("ATP105", "mni")]),
        ("sweep s in 0..2\nparam k = s\nrun { seed = k }", [("ATP143", "s")]),
        ("sweep s in []\nrun { seed = s }", [("ATP145", "[]")]),
        ("sweep s in 3\nrun { seed = s }", [("ATP145", "3")]),
        ("sweep s in 3..1\nrun { seed = s }", [("ATP145", "3..1")]),
        ("sweep s in 3..\nrun { seed = s }", [("ATP145", "3..")]),
        ("sweep s in [f(3)]\nrun { seed = s }", [("ATP145", "f(3)")]),
        ("sweep s in [1, 2, 1]\nrun { seed = s }", [("ATP145", "1")]),
        ("sweep s in 0..1\nsweep r in [s]\nrun { seed = r }", [("ATP145", "s")]),
        ("sweep s in 0..2000\nrun { seed = s }", [("ATP146", "0..2000")]),
    ],
)
def test_what_is_wrong_in_the_spec_is_told_at_its_place(lines, expected):
    assert problems_of(lines) == expected


def test_values_of_a_sweep_may_be_computed():
    text = "param most = 2\nlet least = 1\nsweep s in [least, least + 4, 7..most * 4]\n"

    assert values_of(program_of(text + "run { seed = s }")) == [("1",), ("5",), ("7",), ("8",)]


def test_words_numbers_and_texts_may_be_swept():
    text = 'sweep d in [float32, "float64"]\nsweep m in [ap, atp]\nsweep n in [02, -1, 5%]\n'
    program = program_of(text + 'model "tiny" { dtype = d }\nmethod m\nexport "{n}.csv"')

    assert values_of(program)[:3] == [
        ("float32", "ap", "02"),
        ("float32", "ap", "-1"),
        ("float32", "ap", "5%"),
    ]
    assert len(program.points) == 12


def test_a_let_follows_a_sweep():
    text = 'sweep step in [1, 1000]\nlet tag = "step{step:04}"\nexport "{tag}.csv"'
    program = program_of(text)

    assert [p.tree.statements[1].items[0].value for p in program.points] == [
        "step0001.csv",
        "step1000.csv",
    ]


def test_statements_that_no_sweep_changes_are_shared_by_the_points():
    first, *others = program_of(SPEC).points

    for point in others:
        assert point.tree.statements[1] is first.tree.statements[1]
        assert point.tree.statements[3] is not None


def test_parameters_are_documented():
    program = program_of(SPEC, given={"most": "7"})
    most, half, *_ = program.params

    assert (most.name, most.default, most.value, most.help) == ("most", "20", "7", "how many")
    assert (half.default, half.value) == ("most / 2", "most / 2")


@SETTINGS
@given(st.sampled_from(("most", "label", "kind", "keep", "size", "seed", "x")), st.text())
def test_any_text_from_outside_gives_points_or_problems(name, text):
    source = Source("a.atp", complete(SPEC))
    tree, _ = parse(source)
    program = elaborate(tree, source, Path(), {name: text})

    assert program.points


@pytest.mark.parametrize("given", [{"most": "30"}, {"most": "10,30"}])
def test_a_computed_default_keeps_its_limits_whatever_is_given(given):
    text = "param most = 8\nparam double = most * 2 { max = 40 }\nverify { top = double }"

    assert problems_of(text) == []
    assert problems_of(text, given=given) == [("ATP143", "most * 2")]
    assert problems_of(text, given={**given, "double": "5"}) == []


def test_a_default_outside_of_its_limits_is_told_once_at_all_points():
    text = "sweep seed in 0..2\nparam most = 8 * 9 { max = 40 }\nverify { top = most }"

    assert problems_of(text + "\nrun { seed = seed }") == [("ATP143", "8 * 9")]
