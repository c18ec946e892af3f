"""`let` and where values stand: arithmetic, texts, lists, and names that hide others."""

from __future__ import annotations

import pytest

from atpdsl.elaboration import values
from atpdsl.elaboration.axes import MOST_POINTS
from atpdsl.semantics.experiment import TemplatePrompts
from tests.elaboration.elaborated import IOI, SLOTS, experiment_of, problems_of, program_of


def verified(value: str) -> int:
    verify = experiment_of(f"let n = {value}\nverify {{ top = n }}").verify
    assert verify is not None
    return verify.top


def exported(lets: str, path: str) -> str:
    (export,) = experiment_of(f'{lets}\nexport "{path}.csv"').exports
    return export.path.removesuffix(".csv")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("5", 5),
        ("2 + 3 * 4", 14),
        ("10 / 2", 5),
        ("(1 + 2) * 3 - -1", 10),
        ("0.1 * 30", 3),
        ("- (2 - 5)", 3),
        ("1_000 + 1", 1001),
    ],
)
def test_numbers_are_computed(value, expected):
    assert verified(value) == expected


def test_arithmetic_goes_on_where_a_name_stands():
    text = "let n = m + 1\nlet m = 2\nverify { top = n * m; random = -m + 5 }"
    verify = experiment_of(text).verify

    assert verify is not None
    assert (verify.top, verify.random) == (6, 3)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("0.1 + 0.2", "0.3"), ("1 / 3", str(1 / 3)), ("-2 * 3", "-6"), ("5% * 2", "10%")],
)
def test_numbers_in_texts_are_as_they_would_be_written(value, expected):
    assert exported(f"let n = {value}", "{n}") == expected


@pytest.mark.parametrize(
    ("value", "path", "expected"),
    [
        ("7", "a{x}b", "a7b"),
        ("7", "{x:03}", "007"),
        ("007", "{ x }", "007"),
        ("1_000", "{x}", "1000"),
        ("-7", "{x}", "-7"),
        ('"Big"', "{x:lower}-{x:upper}", "big-BIG"),
        ("bfloat16", "{x}", "bfloat16"),
        ('"a" + "b"', "{x}", "ab"),
    ],
)
def test_values_stand_in_texts(value, path, expected):
    assert exported(f"let x = {value}", path) == expected


def test_texts_are_made_of_texts():
    assert exported('let a = "x{b}"\nlet b = 3', "{a}{a}") == "x3x3"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ('let n = 1 + "x"\nverify { top = n }', [("ATP140", '1 + "x"')]),
        ("let n = [1] + 1\nverify { top = n }", [("ATP140", "[1] + 1")]),
        ("let n = 1 / 0\nverify { top = n }", [("ATP140", "1 / 0")]),
        ("let n = 1% + 1\nverify { top = n }", [("ATP140", "1% + 1")]),
        ("let n = 1e15 * 10\nverify { top = n }", [("ATP140", "1e15 * 10")]),
        ("let n = [1]\nverify { top = n * 2 }", [("ATP140", "n * 2")]),
        ("let n = n\nverify { top = n }", [("ATP138", "n")]),
        ('let n = "{n}"\nverify { top = n }', [("ATP138", "n")]),
        ("let a = b\nlet b = c\nlet c = b\nverify { top = a }", [("ATP138", "b")]),
        ('let a = [1]\nexport "{a}.csv"', [("ATP142", "a")]),
        ('let a = 1\nexport "{a:3}.csv"', [("ATP142", "a")]),
        ('let a = "x"\nexport "{a:02}.csv"', [("ATP142", "a")]),
        ('let a = 1\nlet b = 2\nexport "{b}{aa}.csv", "{a}.csv"', [("ATP141", "{aa}")]),
        ('export "{}.csv"', [("ATP141", "{}")]),
        ('export "}.csv"', [("ATP141", "}")]),
        ('model "m{x}"', [("ATP141", "{x}")]),
        ('model "tiny" { revision = "a{x}" }', [("ATP141", "{x}")]),
        ("let a = 3\nlet a = 4\nverify { top = a }", [("ATP136", "a")]),
        ("let ioi = 3\n" + IOI + "verify { top = ioi }", [("ATP136", "ioi")]),
        ("let fast = 3\nmethod fast = atp\nverify { top = fast }", [("ATP136", "fast")]),
        ("let last = 3", [("ATP137", "last")]),
        ("param heads = 3", [("ATP137", "heads")]),
        ("sweep L9H6 in 0..2", [("ATP137", "L9H6")]),
        ("let logit_diff = 3", [("ATP137", "logit_diff")]),
        ("let layer = 3", [("ATP137", "layer")]),
        ("let on = 3", [("ATP137", "on")]),
        ("let noising = 3", [("ATP137", "noising")]),
        ('include "lib:names" as int', [("ATP137", "int")]),
    ],
)
def test_what_is_wrong_with_names_is_told_at_its_place(lines, expected):
    assert problems_of(lines) == expected


def test_a_misspelled_name_in_braces_has_a_suggestion():
    (problem,) = program_of('let size = 3\nexport "{sise}-{size}.csv"').problems

    assert problem.help == "did you mean `size`?"


def test_a_second_name_shows_the_first():
    program = program_of("let aa = 3\nlet aa = 4\nverify { top = aa }")
    (problem,) = program.problems

    assert [program.source.text[o.span.start : o.span.end] for o in problem.also] == ["aa"]
    assert problem.also[0].span.start == program.source.text.index("aa")


def test_braces_are_doubled_in_names_of_files():
    assert exported("let a = 3", "{a}") == "3"
    program = program_of('model "a{{b}}"')

    assert program.problems == ()
    assert program.points[0].tree.statements[1].value.value == "a{b}"


def test_later_problems_point_at_the_use():
    text = 'let n = "many"\nverify { top = n }'
    program = program_of(text)
    verify = program.points[0].tree.statements[1]
    value = verify.body.statements[0].value

    assert value.value == "many"
    assert program.source.text[value.span.start : value.span.end] == "n"


def test_a_text_knows_where_each_of_its_characters_stands():
    program = program_of('let n = 12345\nexport "a{n}b.csv"')
    (path,) = program.points[0].tree.statements[1].items
    text = program.source.text

    assert path.value == "a12345b.csv"
    assert text[path.place(0, 1).start : path.place(0, 1).end] == "a"
    assert text[path.place(1, 6).start : path.place(1, 6).end] == "{n}"
    assert text[path.place(2, 4).start : path.place(2, 4).end] == "{n}"
    assert text[path.place(6, 7).start : path.place(6, 7).end] == "b"


def test_a_list_in_a_list_stands_for_its_items():
    text = 'let a = ["Mary", b]\nlet b = ["John", "Tom"]\n' + IOI.replace(
        '["Mary", "John", "Tom"]', '[a, "Anna"]'
    )
    (part,) = experiment_of(text).prompts.parts

    assert isinstance(part, TemplatePrompts)
    assert part.slots[0].values == ("Mary", "John", "Tom", "Anna")


def test_positions_layers_and_nodes_may_have_names():
    text = (
        "let where_to = [S2, last - back]\nlet back = 1\nlet late = L1..L2\nlet least = 1\n"
        "nodes { heads.z[late] at where_to where layer >= least }"
    )
    (selection,) = experiment_of(text).nodes

    assert [position.text for position in selection.positions] == ["S2", "last-1"]
    assert [(layers.first, layers.last) for layers in selection.layers] == [(1, 2)]


def test_names_of_pairs_hide_those_of_the_file_in_prompts_metric_and_positions():
    text = (
        'let S2 = 7\nlet S = "x"\nlet IO = ["Ann", "Bob", "Cid"]\n'
        'prompts {\n  template "{IO} saw {S}, {S as S2} left {S2}"\n'
        "  slot IO, S in IO\n  corrupt S2 -> S\n"
        '  answer " {IO}" vs " {S}"\n}\n'
        "nodes { mlp at S2 }\nverify { top = S2 }\n"
        'export "{S}.csv"'
    )
    program = program_of(text)
    prompts = next(s for s in program.points[0].tree.statements if s.word.text == "prompts")
    template, slot, corrupt, answer = prompts.body.statements

    assert template.text.value == "{IO} saw {S}, {S as S2} left {S2}"
    assert [item.value for item in slot.values.items] == ["Ann", "Bob", "Cid"]
    assert corrupt.values[0].text == "S"
    assert (answer.right.value, answer.wrong.value) == (" {IO}", " {S}")
    words = {s.word.text: s for s in program.points[0].tree.statements}
    assert words["nodes"].body.statements[0].positions[0].text == "S2"
    assert words["verify"].body.statements[0].value.value == 7
    assert words["export"].items[0].value == "x.csv"


def test_a_let_of_a_block_stays_and_hides():
    text = (
        "let n = 3\nprompts {\n"
        '  template "{IO} and {S} left, {S as S2} saw {n}"\n'
        '  let n = "{IO}"\n' + SLOTS + "}\nverify { top = n }"
    )
    program = program_of(text)
    words = {s.word.text: s for s in program.points[0].tree.statements}

    assert words["prompts"].body.statements[0].text.value.endswith("{n}")
    assert words["prompts"].body.statements[1].value.value == "{IO}"
    assert words["verify"].body.statements[0].value.value == 3


def test_names_of_the_file_stand_in_templates_and_answers():
    text = (
        'let thing = "drink{{}}"\nlet rest = "{verb} a {thing} to"\nlet verb = "gave"\n'
        'let raw = r"{x}"\nprompts {\n'
        '  template "{IO} and {S} left, {S as S2} {rest} {raw}"\n' + SLOTS + "}"
    )
    (part,) = experiment_of(text).prompts.parts

    assert part.templates[0].text == ("{IO} and {S} left, {S as S2} gave a drink{{}} to {{x}}")


def test_a_name_of_the_file_names_no_place():
    text = (
        'let thing = "drink"\nprompts {\n'
        '  template "{IO} and {S} left, {S as S2} took a {thing as T}"\n' + SLOTS + "}"
    )

    assert problems_of(text) == [("ATP142", "thing")]


def test_help_and_raw_strings_stay():
    text = (
        'let a = 3\nparam k = 5 { help = "{a}" }\nverify { top = k; random = a }\n'
        'export r"{a}.csv"'
    )
    program = program_of(text)

    assert program.params[0].help == "{a}"
    assert program.points[0].tree.statements[2].items[0].value == "{a}.csv"


def test_what_has_no_value_is_left_out_and_not_told_twice():
    text = "let n = 1 / 0\nverify { top = n }\nmodel n\nnodes { mlp at last - n }"
    program = program_of(text)
    tree = program.points[0].tree

    assert [p.code for p in program.problems] == ["ATP140"]
    assert [name.text for name in tree.broken] == ["model"]
    words = {s.word.text: s for s in tree.statements}
    assert words["verify"].body.broken
    assert words["nodes"].body.broken


def test_values_that_grow_without_end_are_stopped(monkeypatch):
    monkeypatch.setattr(values, "LARGEST_EXPANSION", 50_000)
    doubled = [f"let a{n} = [{', '.join([f'a{n - 1}'] * 10)}]" for n in range(1, 12)]
    text = "\n".join(('let a0 = ["x", "y"]', *doubled, 'export "{a11}.csv"'))

    assert [code for code, _ in problems_of(text)] == ["ATP144"]


def test_values_that_grow_deep_are_stopped():
    deeper = [f"let a{n} = a{n - 1} + 1" for n in range(1, 400)]
    text = "\n".join(("let a0 = IO", *deeper, "nodes { mlp at a399 }"))

    assert [code for code, _ in problems_of(text)] == ["ATP144"]


def test_a_long_chain_of_names_is_followed():
    chain = [f"let a{n} = a{n + 1}" for n in range(3000)]

    assert verified("a0\n" + "\n".join((*chain, "let a3000 = 6"))) == 6


def test_there_are_at_most_a_thousand_points():
    text = "sweep a in 1..40\nsweep b in 1..40\nrun { seed = a; batch = b }"
    (problem,) = program_of(text).problems

    assert MOST_POINTS == 1000
    assert problem.code == "ATP146"
    assert "40 x 40 = 1,600 points" in problem.message
