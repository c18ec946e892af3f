from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atpdsl.elaboration.elaborate import elaborate
from atpdsl.problems import Severity, Source
from atpdsl.problems.codes import CODES
from atpdsl.semantics.resolve import resolve
from atpdsl.syntax import tree as t
from atpdsl.syntax.parse import parse
from tests.elaboration.elaborated import IOI, problems_of, program_of, values_of
from tests.semantics.words import VOCABULARY, complete
from tests.syntax.test_any_text import SETTINGS, TEXTS

SPECS = sorted((Path(__file__).parents[2] / "specs").glob("*.atp"))
PIECES = (
    'include "lib:names"',
    'include "lib:names" as common',
    'include "lib:ioi" as task',
    'include "spec.atp"',
    "let a = 3",
    "let b = a + 1",
    "let a = b",
    'let c = "x{a}"',
    "let d = [a, b, names, common.names]",
    "let last = 4",
    'param k = 5 { min = 1; help = "{x}" }',
    "param k = a { choices = [1, 2] }",
    "sweep s in 0..2",
    'sweep w in [bfloat16, "x", 3]',
    "sweep big in 1..900",
    "sweep x in d",
    "prompts from task.ioi { count = a }",
    "prompts small from ioi { slot S in names }",
    "prompts ioi from small { }",
    IOI,
    'prompts { pair "a" -> "b" { answer c vs "{c}" } }',
    "verify { top = k * 2; random = a / 0 }",
    "run { seed = s; prompts = [ioi, small] }",
    "metric prob(c) - a at a",
    "nodes { heads.z[a] at d, last - a where layer < k }",
    'export "{s}-{w}.csv", "{c:03}.csv", "{d}.csv"',
    'model "m{a}-{common.names}"',
    "method kind = w { direction = s }",
)
RELATED = st.lists(st.sampled_from(PIECES), max_size=12).map(
    lambda pieces: "\n".join(("atp 1", *pieces)) + "\n"
)


@SETTINGS
@given(st.one_of(TEXTS, RELATED))
def test_any_text_gives_points_and_problems(tmp_path_factory, text):
    base = tmp_path_factory.getbasetemp()
    source = Source("a.atp", text)
    tree, problems = parse(source)
    program = elaborate(tree, source, base, vocabulary=VOCABULARY)
    told = [p for p in (*problems, *program.problems) if p.severity is Severity.ERROR]

    assert program.points
    assert all(problem.code in CODES for problem in program.problems)
    for point in program.points[:3]:
        kinds = [type(statement) for statement in point.tree.statements]
        sets = [s for s in point.tree.statements if isinstance(s, t.PromptSet)]
        assert not {t.Include, t.Let, t.Parameter, t.Sweep} & set(kinds) or (point.tree is tree)
        assert len(sets) <= 1 or point.tree is tree
        experiment, found = resolve(point.tree, program.source, VOCABULARY, base)
        errors = [problem for problem in found if problem.severity is Severity.ERROR]
        assert experiment is not None or told or errors


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_a_spec_without_these_statements_stays_as_it_is(path):
    source = Source(str(path), path.read_text())
    if any(f"\n{word} " in source.text for word in ("include", "let", "param", "sweep")):
        pytest.skip("it has some")
    tree, _ = parse(source)

    program = elaborate(tree, source, path.parent, vocabulary=VOCABULARY)

    assert [point.tree for point in program.points] == [tree]
    assert program.points[0].values == ()
    assert program.source is source
    assert program.problems == ()


def test_prompts_without_a_name_are_called_prompts():
    (point,) = program_of("").points
    (prompts,) = (s for s in point.tree.statements if isinstance(s, t.PromptSet))

    assert prompts.name is not None
    assert prompts.name.text == "prompts"


@SETTINGS
@given(st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_there_is_a_point_for_each_cell_of_the_grid_the_last_name_fastest(sizes):
    names = "abcd"[: len(sizes)]
    sweeps = "\n".join(
        f"sweep {name} in 1..{size}" for name, size in zip(names, sizes, strict=True)
    )
    file = "-".join(f"{{{name}}}" for name in names)
    program = program_of(f'{sweeps}\nexport "{file}.csv"')

    cells = [tuple(map(str, c)) for c in itertools.product(*(range(1, n + 1) for n in sizes))]
    assert values_of(program) == cells
    assert program.variables == tuple(names)
    paths = [
        item.value
        for point in program.points
        for statement in point.tree.statements
        if isinstance(statement, t.Export)
        for item in statement.items
        if isinstance(item, t.String)
    ]
    assert paths == ["-".join(cell) + ".csv" for cell in cells]


def test_a_mistake_does_not_hide_others():
    text = 'let a = a\nlet last = 3\nsweep s in 3\nexport "{x}.csv"\nverify { top = a }'

    assert problems_of(text) == [
        ("ATP138", "a"),
        ("ATP137", "last"),
        ("ATP145", "3"),
        ("ATP141", "{x}"),
    ]


def test_of_another_edition_nothing_is_said():
    source = Source("a.atp", "atp 2\nlet a = a\n")
    tree, _ = parse(source)

    assert elaborate(tree, source, Path()).problems == ()


def test_what_comes_before_the_edition_is_told():
    assert problems_of("let a = 3\natp 1\nverify { top = a }") == [("ATP102", "atp 1")]


def test_a_name_that_nothing_uses_is_a_warning():
    program = program_of('let a = 3\nlet b = 4\nexport "{b}.csv"')

    assert [(p.code, p.severity) for p in program.problems] == [("ATP151", Severity.WARNING)]


@pytest.mark.parametrize("lost", ["verify { top a }", "verfy { top = a }"])
def test_a_name_is_not_called_unused_where_something_could_not_be_read(lost):
    source = Source("a.atp", complete(f"let a = 3\n{lost}"))
    tree, problems = parse(source)

    assert problems
    assert elaborate(tree, source, Path()).problems == ()


def test_every_use_of_a_name_is_known():
    text = (
        'let a = 3\nlet b = a + a\nverify { top = b; random = a }\nexport "x{a}-{ b:02 }.csv"'
    )
    program = program_of(text)
    used = {
        d.name: [program.source.text[s.start : s.end] for s in d.uses]
        for d in program.definitions
    }

    assert used == {"a": ["a"] * 4, "b": ["b"] * 2}
    assert [d.value for d in program.definitions] == ["3", "a + a"]
