from __future__ import annotations

from pathlib import Path

import pytest

from atpdsl.problems import Source, Span
from atpdsl.syntax import tree as t
from atpdsl.syntax.parse import parse

SPECS = sorted((Path(__file__).parents[2] / "specs").glob("*.atp"))
WHOLE_LANGUAGE = Path(__file__).parent / "whole_language.atp"


def read(text: str) -> t.SpecFile:
    tree, problems = parse(Source("a.atp", text))
    assert problems == ()
    return tree


def only(text: str) -> t.Statement:
    (statement,) = read(text).statements
    return statement


def in_body(text: str) -> t.BodyStatement:
    statement = only(f"prompts {{\n{text}\n}}")
    assert isinstance(statement, t.PromptSet)
    (inner,) = statement.body.statements
    return inner


def value(text: str) -> t.Expression:
    statement = in_body(f"x = {text}")
    assert isinstance(statement, t.Setting)
    return statement.value


def written(text: str, span: Span) -> str:
    return text[span.start : span.end]


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.name)
def test_shipped_specs_parse(path):
    read(path.read_text(encoding="utf-8"))


def test_the_whole_language_parses_also_what_later_versions_run():
    tree = read(WHOLE_LANGUAGE.read_text(encoding="utf-8"))

    words = {statement.word.text for statement in tree.statements}
    assert {"include", "let", "param", "sweep", "edges", "diagnose", "circuit"} <= words


def test_a_method_with_a_star_stands_wherever_a_name_may():
    names = value("[atp, atp*]")
    call = value("recall(atp*, method = atp*)")

    assert isinstance(names, t.ListOf)
    assert [item.text for item in names.items if isinstance(item, t.Name)] == ["atp", "atp*"]
    assert isinstance(call, t.Call)
    assert {a.value.text for a in call.arguments if isinstance(a.value, t.Name)} == {"atp*"}
    assert isinstance(value("atp * 2"), t.Binary)


def test_statements_have_their_word_and_their_span():
    text = "atp 1\nmethod star = atp* { steps = 3 }\n"
    version, method = read(text).statements

    assert written(text, version.span) == "atp 1"
    assert written(text, method.word.span) == "method"
    assert written(text, method.span) == "method star = atp* { steps = 3 }"
    assert isinstance(method, t.Declaration)
    assert method.label == t.Name("star", Span(13, 17))
    assert method.value == t.Name("atp*", Span(20, 24))


def test_a_metric_has_positions_and_a_method_has_none():
    metric = only("metric logit_diff at last, S2 + 1 { x = 1 }")

    assert isinstance(metric, t.Declaration)
    assert [type(position) for position in metric.positions] == [t.Name, t.Binary]
    assert metric.body is not None


def test_prompts_have_a_name_and_an_origin():
    prompts = only('prompts ioi from csv("a.csv") { clean = row.a.b }')

    assert isinstance(prompts, t.PromptSet)
    assert prompts.name is not None
    assert prompts.name.text == "ioi"
    assert isinstance(prompts.origin, t.Call)
    assert isinstance(prompts.origin.arguments[0].value, t.String)


def test_a_selection_has_items_positions_and_a_condition():
    text = "nodes { heads.q, L9H6 at S2, last where layer >= 5 and head in 0..3 }"
    block = only(text)
    assert isinstance(block, t.Block)
    (select,) = block.body.statements

    assert isinstance(select, t.Select)
    assert [written(text, item.span) for item in select.items] == ["heads.q", "L9H6"]
    assert [written(text, item.span) for item in select.positions] == ["S2", "last"]
    assert isinstance(select.where, t.Binary)
    assert select.where.operator == "and"
    assert select.targets == ()


def test_lines_of_prompts_have_their_parts():
    pair = in_body('pair "a" -> "b" { align = end }')
    slot = in_body('slot A, B in ["x"] where A != B')
    corrupt = in_body("corrupt A, B -> C")
    answer = in_body('answer " a" vs [" b", " c"]')
    position = in_body("pos x = S1 + 1")

    assert isinstance(pair, t.Pair)
    assert pair.body is not None
    assert isinstance(slot, t.SlotLine)
    assert [name.text for name in slot.names] == ["A", "B"]
    assert slot.where is not None
    assert isinstance(corrupt, t.CorruptLine)
    assert [name.text for name in corrupt.targets] == ["A", "B"]
    assert isinstance(answer, t.AnswerLine)
    assert isinstance(answer.wrong, t.ListOf)
    assert isinstance(position, t.PositionLine)


def test_an_answer_may_have_one_side():
    answer = in_body('answer " a"')

    assert isinstance(answer, t.AnswerLine)
    assert answer.wrong is None


def test_operators_bind_as_in_mathematics():
    sum_ = value("1 + 2 * -3")

    assert isinstance(sum_, t.Binary)
    assert sum_.operator == "+"
    assert isinstance(sum_.right, t.Binary)
    assert sum_.right.operator == "*"
    assert isinstance(sum_.right.right, t.Unary)


def test_comparisons_bind_tighter_than_and_and_or():
    either = value("not a < 1 and b or c")

    assert isinstance(either, t.Binary)
    assert either.operator == "or"
    assert isinstance(either.left, t.Binary)
    assert either.left.operator == "and"
    assert isinstance(either.left.left, t.Unary)


def test_ranges_may_be_open():
    assert value("L8..") == t.RangeOf(t.Name("L8", Span(14, 16)), None, Span(14, 18))
    assert value("..L3") == t.RangeOf(None, t.Name("L3", Span(16, 18)), Span(14, 18))
    assert isinstance(value("5..11"), t.RangeOf)


def test_calls_have_arguments_by_place_by_name_and_at_positions():
    call = value("f(a, b = 2, c at last)")

    assert isinstance(call, t.Call)
    assert [argument.name and argument.name.text for argument in call.arguments] == [
        None,
        "b",
        None,
    ]
    assert call.arguments[2].position == t.Name("last", Span(31, 35))


def test_lists_may_end_with_a_comma_and_be_empty():
    assert isinstance(value('["a", "b",]'), t.ListOf)
    assert value("[]") == t.ListOf((), Span(14, 16))


def test_words_of_statements_are_names_where_no_statement_begins():
    read("metric f(answer, model, at = at) at metric\nverify { method = run }\n")


def test_a_statement_goes_on_inside_brackets_and_after_operators():
    read('export "a.csv",\n  "b.csv"\nverify {\n  method = [\n    a,\n    b,\n  ]\n}\n')


def test_a_statement_ends_after_equals_at_in_and_from():
    for text in ("verify { top =\n 3 }", "metric m at\nrun { }", "sweep s in\n[1]"):
        _, problems = parse(Source("a.atp", text))
        assert problems != ()


def test_semicolons_end_statements_like_newlines():
    assert len(read('atp 1; model "x"; run { seed = 0; batch = 1; }').statements) == 3


def test_a_backslash_at_the_end_joins_lines():
    assert only("metric logit_diff \\\n  at last").span == Span(0, 29)


EIGHT = 'atp 1\n# a comment\nmodel "x" {\n  dtype = float32\n}\n'


@pytest.mark.parametrize(
    "text",
    [
        EIGHT,
        EIGHT.removesuffix("\n"),
        EIGHT.replace("\n", "\r\n"),
        EIGHT.replace("\n", "\r"),
        "\ufeff" + EIGHT,
        "\n\n" + EIGHT + "\n\n",
        EIGHT + "# the end",
    ],
    ids=["plain", "no last newline", "CRLF", "CR", "byte order mark", "blank lines", "comment"],
)
def test_line_ends_and_a_byte_order_mark_change_nothing(text):
    version, model = read(text).statements

    assert isinstance(version, t.Version)
    assert isinstance(model, t.Declaration)
    assert written(text, model.value.span) == '"x"'


def test_comments_are_kept_with_their_places():
    text = "atp 1 # one\n# two\n"

    assert [comment.text for comment in read(text).comments] == ["# one", "# two"]
    assert [written(text, c.span) for c in read(text).comments] == ["# one", "# two"]


def test_a_doc_comment_belongs_to_the_statement_after_it():
    tree = read('## the spec\n\natp 1\n\n## first\n## second\nrun { }\n# no doc\nexport "a"\n')
    version, run, export = tree.statements

    assert version.doc == "the spec"
    assert run.doc == "first\nsecond"
    assert export.doc == ""
    assert tree.doc == "the spec"


def test_a_hash_in_a_string_is_no_comment():
    assert read('model "a # b"').comments == ()


def test_an_empty_text_has_no_statements_and_no_problems():
    assert read("").statements == ()
    assert read("# nothing\n").statements == ()
