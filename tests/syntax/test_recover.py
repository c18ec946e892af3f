from __future__ import annotations

from atpdsl.problems import Source
from atpdsl.syntax import tree as t
from atpdsl.syntax.parse import parse

TEN_MISTAKES = """\
atp 1
modle "tiny"
prompts p {
  template "When {IO} and {S} went home
  slot IO, S ["Mary", "John"]
  corrupt S2 IO
  answer " Mary" " John"
  count: 32
}
metric logit_diff at
nodes {
  heads.z at last,, S2
  neurons[L1..L2 at last
}
export "a.csv" "b.csv"
verify { top 20 }
"""


def read(text: str) -> tuple[t.SpecFile, list[tuple[str, int]]]:
    """The tree, and the code and line of each problem."""
    source = Source("a.atp", text)
    tree, problems = parse(source)
    places = [(p.code, source.line_column(p.at.span.start)[0] if p.at else 0) for p in problems]
    return tree, places


def test_ten_mistakes_are_all_told_each_on_its_line():
    _, places = read(TEN_MISTAKES)

    assert places == [
        ("ATP008", 2),
        ("ATP003", 4),
        ("ATP007", 5),
        ("ATP007", 6),
        ("ATP007", 7),
        ("ATP005", 8),
        ("ATP014", 10),
        ("ATP001", 12),
        ("ATP002", 13),
        ("ATP007", 15),
        ("ATP006", 16),
    ]


def test_the_same_text_gives_the_same_problems():
    assert read(TEN_MISTAKES)[1] == read(TEN_MISTAKES)[1]


def test_what_can_be_read_is_in_the_tree_and_what_cannot_is_named():
    tree, _ = read(
        'atp 1\nmodle "x"\nmethod atp\nprompts { count = 3\n slot A B\n}\nexport 3 4'
    )

    assert [statement.word.text for statement in tree.statements] == [
        "atp",
        "method",
        "prompts",
    ]
    assert [name.text for name in tree.broken] == ["modle", "export"]
    prompts = tree.statements[2]
    assert isinstance(prompts, t.PromptSet)
    assert prompts.body.broken
    assert len(prompts.body.statements) == 1


def test_a_broken_head_does_not_hide_mistakes_in_its_block():
    assert read('prompts 3 {\n  answer " a" " b"\n}')[1] == [("ATP001", 1), ("ATP007", 2)]


def test_mistakes_in_inner_blocks_are_found():
    pair = '  pair "a" -> "b" {\n    answer " a" " b"\n    align: end\n  }\n'
    text = f"prompts {{\n{pair}  count 3\n}}"

    assert read(text)[1] == [("ATP007", 3), ("ATP005", 4), ("ATP006", 6)]


def test_a_missing_brace_is_found_by_the_statement_at_the_left_edge():
    tree, places = read("nodes {\n  mlp at last\n\nmethod atp\nverify {\n  top = 3\n}\n")

    assert places == [("ATP002", 1)]
    assert [statement.word.text for statement in tree.statements] == [
        "nodes",
        "method",
        "verify",
    ]


def test_a_missing_inner_brace_is_found_by_indentation():
    text = 'prompts {\n  pair "a" -> "b" {\n    answer "a" vs "b"\n}\nmethod atp\n'

    assert read(text)[1] == [("ATP002", 2)]


def test_a_missing_brace_at_the_end_is_told_once():
    assert read("atp 1\ncircuit {\n  keep = top(40)\n")[1] == [("ATP002", 2)]


def test_an_open_parenthesis_ends_with_its_line():
    text = "metric prob(a\nnodes { heads.z at last }\nverify { top 3 }\n"

    assert read(text)[1] == [("ATP002", 1), ("ATP006", 3)]


def test_an_open_string_ends_with_its_line():
    assert read('model "tiny\nverify { top 3 }\n')[1] == [("ATP003", 1), ("ATP006", 2)]


def test_brackets_of_another_kind_are_told_both():
    assert read("export f(1]\nrun { }")[1] == [("ATP002", 1), ("ATP013", 1)]


def test_pasted_json_is_told_once_and_not_taken_apart():
    text = '{\n  "model": "tiny",\n  "prompts": {\n    "count": 3\n  }\n}\n'

    assert read(text)[1] == [("ATP009", 1)]


def test_line_ends_do_not_change_what_is_found():
    for end in ("\r\n", "\r"):
        codes = [code for code, _ in read(TEN_MISTAKES.replace("\n", end))[1]]
        assert codes == [code for code, _ in read(TEN_MISTAKES)[1]]
