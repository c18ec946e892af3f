"""Several sets of prompts, sets made from others, and which are measured."""

from __future__ import annotations

import pytest

from atpdsl.elaboration.program import Program
from atpdsl.semantics.experiment import TemplatePrompts
from atpdsl.syntax import tree as t
from tests.elaboration.elaborated import IOI, experiment_of, problems_of, program_of, values_of


def measured(program: Program) -> list[str]:
    names = []
    for point in program.points:
        (prompts,) = (s for s in point.tree.statements if isinstance(s, t.PromptSet))
        assert prompts.name is not None
        names.append(prompts.name.text)
    return names


def lines_of(program: Program, name: str) -> list[str]:
    """The statements of a measured set, as they are written."""
    source = program.source.text
    for point in program.points:
        for prompts in point.tree.statements:
            if isinstance(prompts, t.PromptSet) and prompts.name and prompts.name.text == name:
                spans = [line.span for line in prompts.body.statements]
                return [source[span.start : span.end] for span in spans]
    raise AssertionError(name)


def test_every_set_is_a_point():
    text = IOI + "prompts small from ioi { count = 8 }\nsweep seed in 0..1\nrun { seed = seed }"
    program = program_of(text)

    assert program.problems == ()
    assert program.variables == ("seed", "prompts")
    assert values_of(program) == [("0", "ioi"), ("0", "small"), ("1", "ioi"), ("1", "small")]
    assert measured(program) == ["ioi", "small"] * 2


@pytest.mark.parametrize(
    ("choice", "expected"),
    [("ioi", ["ioi"]), ("[b, ioi]", ["b", "ioi"]), ("[b, b]", ["b"]), ("set", ["a", "b"])],
)
def test_run_chooses_sets(choice, expected):
    text = (
        IOI + "prompts a from ioi { count = 8 }\nprompts b from ioi { count = 9 }\n"
        f"let set = [a, b]\nrun {{ seed = 3; prompts = {choice} }}\n"
        'export "{x}.csv"\nlet x = 1'
    )
    program = program_of(text)

    assert [p.code for p in program.problems] == [] if choice == "set" else ["ATP151"]
    assert measured(program) == expected
    run = next(s for s in program.points[0].tree.statements if s.word.text == "run")
    assert [line.name.text for line in run.body.statements] == ["seed"]


def test_a_sweep_may_go_over_sets():
    text = IOI + "prompts b from ioi { }\nsweep data in [b, ioi]\nrun { prompts = data }"
    program = program_of(text)

    assert program.variables == ("data",)
    assert measured(program) == ["b", "ioi"]


def test_sets_that_a_circuit_is_evaluated_on_are_not_measured():
    text = IOI + "prompts held_out from ioi { }\ncircuit { evaluate = curve(x, on = held_out) }"

    assert measured(program_of(text)) == ["ioi"]


def test_a_derived_set_has_what_it_does_not_say_otherwise():
    text = """\
prompts base {
  template "{A} and {B} left {C}, {A as A2}"
  template "{B} and {A} left {C}, {A as A2}"
  slot A, B in ["Ann", "Bob"]
  slot C in ["home", "town"]
  pos P = A + 1
  corrupt A2 -> B
  answer " {B}" vs " {A}"
  count = 4
  align = end
}
prompts words from base { slot C in ["work"]; pos P = B + 1 }
prompts texts from base { template "{A} and {B} left {C}, {A as A2} x" }
prompts rest from base { corrupt A2 -> "Cid"; answer " {B}" vs " Cid"; count = 5 }
prompts again from rest { count = 6 }
run { prompts = [words, texts, rest, again] }
"""
    program = program_of(text)

    first = 'template "{A} and {B} left {C}, {A as A2}"'
    second = 'template "{B} and {A} left {C}, {A as A2}"'
    slots = 'slot A, B in ["Ann", "Bob"]'
    places = 'slot C in ["home", "town"]'
    tail = ["corrupt A2 -> B", 'answer " {B}" vs " {A}"', "count = 4", "align = end"]
    assert lines_of(program, "words") == [
        first, second, slots, *tail, 'slot C in ["work"]', "pos P = B + 1"
    ]  # fmt: skip
    assert lines_of(program, "texts") == [
        slots, places, "pos P = A + 1", *tail, 'template "{A} and {B} left {C}, {A as A2} x"'
    ]  # fmt: skip
    own = ['corrupt A2 -> "Cid"', 'answer " {B}" vs " Cid"']
    kept = [first, second, slots, places, "pos P = A + 1", "align = end"]
    assert lines_of(program, "rest") == [*kept, *own, "count = 5"]
    assert lines_of(program, "again") == [*kept, *own, "count = 6"]


def test_a_slot_line_goes_as_a_whole():
    text = IOI + 'prompts b from ioi { slot S in ["Ann"] }\nrun { prompts = b }'

    assert "slot IO, S" not in "".join(lines_of(program_of(text), "b"))


def test_sets_may_be_made_in_any_order():
    text = "prompts c from b { count = 3 }\nprompts b from ioi { count = 2 }\n" + IOI
    program = program_of(text + "run { prompts = c }")

    assert program.problems == ()
    assert lines_of(program, "c")[-1] == "count = 3"


def test_a_set_without_a_name_takes_that_of_the_other():
    text = 'include "lib:ioi" as task\nprompts from task.ioi { count = 8 }'
    experiment = experiment_of(text)

    assert experiment.prompts.name == "ioi"
    assert isinstance(experiment.prompts.parts[0], TemplatePrompts)
    assert experiment.prompts.parts[0].count == 8


def test_names_of_a_derived_set_are_read_where_they_are_written(tmp_path):
    (tmp_path / "task.atp").write_text(
        'atp 1\nlet who = ["Ann", "Bob"]\n' + IOI.replace('["Mary", "John", "Tom"]', "who")
    )
    text = (
        'include "task.atp" as task\nlet who = ["Eva", "Eve"]\n'
        "prompts a from task.ioi { }\nprompts b from task.ioi { slot IO, S in who }"
    )
    found = []
    program = program_of(text, tmp_path)
    for point in program.points:
        prompts = next(s for s in point.tree.statements if isinstance(s, t.PromptSet))
        slot = next(s for s in prompts.body.statements if isinstance(s, t.SlotLine))
        assert isinstance(slot.values, t.ListOf)
        found.append([item.value for item in slot.values.items if isinstance(item, t.String)])

    assert found == [["Ann", "Bob"], ["Eva", "Eve"]]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (IOI + IOI, [("ATP136", "ioi")]),
        (IOI + "prompts from ioi { }", [("ATP147", "ioi")]),
        ("prompts from ioi { }\n" + IOI, [("ATP147", "ioi")]),
        (IOI.replace(" ioi", "") + IOI.replace(" ioi", ""), [("ATP147", "prompts")]),
        (IOI + IOI.replace(" ioi", ""), [("ATP147", "prompts")]),
        (IOI + "prompts b from oio { }", [("ATP148", "oio")]),
        (IOI + "prompts b from x.ioi { }", [("ATP148", "x.ioi")]),
        ("prompts b from b { }", [("ATP138", "b")]),
        ("prompts a from b { }\nprompts b from a { }", [("ATP138", "a")]),
        (IOI + "run { prompts = oio }", [("ATP148", "oio")]),
        (IOI + "run { prompts = [ioi, oio] }", [("ATP148", "oio")]),
        (IOI + "run { prompts = 3 }", [("ATP108", "3")]),
        (IOI + "circuit { evaluate = curve(on = oio) }", [("ATP148", "oio")]),
    ],
)
def test_what_is_wrong_with_sets_is_told_at_its_place(lines, expected):
    assert problems_of(lines) == expected


def test_a_set_whose_base_is_lost_is_not_missed():
    program = program_of("prompts b from lost { count = 8 }")

    assert [p.code for p in program.problems] == ["ATP148"]
    assert [name.text for name in program.points[0].tree.broken] == ["prompts"]


def test_a_derived_set_of_rows_keeps_where_they_come_from():
    text = (
        'let data = csv("rows.csv")\nprompts rows from data {\n'
        '  clean = row.a\n  corrupted = row.b\n  answer " x" vs " y"\n  limit = 9\n}\n'
        "prompts few from rows { limit = 3; corrupted = row.c }\nrun { prompts = few }"
    )
    (part,) = experiment_of(text).prompts.parts

    assert (part.path, part.limit, part.corrupted.text) == ("rows.csv", 3, "{row.c}")
