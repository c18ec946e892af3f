from __future__ import annotations

import pytest

from atpdsl.semantics.experiment import Align, FilePrompts, Text
from atpdsl.semantics.formulas import Formula
from tests.semantics.words import experiment_of, found, helps


def from_file(*lines: str, origin: str = 'csv("data/pairs.csv")') -> str:
    body = "\n".join(f"  {line}" for line in lines)
    return f"prompts capitals from {origin} {{\n{body}\n}}"


BOTH = ("clean = row.clean", "corrupted = row.other.text")
ANSWER = 'answer " {row.right}" vs [" {row.wrong}", " x"]'


def part_of(text: str) -> FilePrompts:
    (part,) = experiment_of(text).prompts.parts
    assert isinstance(part, FilePrompts)
    return part


def test_columns_become_templates():
    part = part_of(from_file(*BOTH, ANSWER, "limit = 10"))

    assert (part.path, part.format, part.limit) == ("data/pairs.csv", "csv", 10)
    assert part.clean.text == "{row.clean}"
    assert part.corrupted.text == "{row.other.text}"
    assert part.answer is not None
    texts = [text for text in part.answer.wrong if isinstance(text, Text)]
    assert [text.text for text in texts] == [" {row.wrong}", " x"]


def test_texts_may_hold_columns_and_name_positions():
    experiment = experiment_of(
        from_file('clean = "The {row.noun as N} is"', BOTH[1], ANSWER)
        + "\nnodes { mlp at N, last }"
    )

    (part,) = experiment.prompts.parts
    assert isinstance(part, FilePrompts)
    assert part.clean.text == "The {row.noun as N} is"


def test_jsonl_and_settings_of_the_block_are_read():
    text = from_file(*BOTH, ANSWER, "align = start", "bos = off", origin='jsonl("a.jsonl")')
    prompts = experiment_of(text).prompts

    assert part_of(text).format == "jsonl"
    assert part_of(text).limit is None
    assert (prompts.name, prompts.align, prompts.bos) == ("capitals", Align.START, False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (from_file(ANSWER), [("ATP122", 'prompts capitals from csv("data/pairs.csv")')] * 2),
        (from_file(*BOTH), [("ATP207", 'csv("data/pairs.csv")')]),
        (from_file(*BOTH, ANSWER, 'template "x"'), [("ATP107", "template")]),
        (from_file(*BOTH, ANSWER, "count = 3"), [("ATP105", "count")]),
        (from_file(*BOTH, ANSWER, 'split = "train"'), [("ATP105", "split")]),
        (from_file(*BOTH, ANSWER, "split = 3", origin='hf("x")'), [("ATP108", "3")]),
        (from_file(*BOTH, ANSWER, "keep = row.a == "), [("ATP014", "==")]),
        (from_file(*BOTH, ANSWER, "keep = label == 1"), [("ATP230", "label")]),
        (
            from_file(*BOTH, ANSWER, "keep = same_token_cout(row.a)"),
            [("ATP231", "same_token_cout")],
        ),
        (from_file(*BOTH, ANSWER, "let row = 1"), [("ATP217", "row")]),
        (
            from_file('clean = "{row.a as N}"', BOTH[1], ANSWER, "let N = 1"),
            [("ATP203", "{row.a as N}")],
        ),
        (from_file("clean = other", BOTH[1], ANSWER, "let yy = 1"), [("ATP108", "other")]),
        (from_file('clean = "{yz}"', BOTH[1], ANSWER, "let yy = 1"), [("ATP241", "{yz}")]),
        (from_file("clean = {S}", BOTH[1], ANSWER), [("ATP001", "{")]),
        (from_file('clean = "{S}"', BOTH[1], ANSWER), [("ATP241", "{S}")]),
        (from_file("clean = row", BOTH[1], ANSWER), [("ATP108", "row")]),
        (from_file("clean = columns.x", BOTH[1], ANSWER), [("ATP108", "columns.x")]),
        (from_file(*BOTH, ANSWER, origin='"pairs.jsonl"'), [("ATP120", '"pairs.jsonl"')]),
        (from_file(*BOTH, ANSWER, origin="3"), [("ATP120", "3")]),
        (from_file(*BOTH, ANSWER, origin='cvs("x")'), [("ATP120", "cvs")]),
        (from_file(*BOTH, ANSWER, origin="hf(3)"), [("ATP108", "hf(3)")]),
        (from_file(*BOTH, ANSWER, origin='hf("../x")'), [("ATP117", '"../x"')]),
        (from_file(*BOTH, ANSWER, origin="common.ioi"), [("ATP148", "common.ioi")]),
        (from_file(*BOTH, ANSWER, origin="csv(3)"), [("ATP108", "csv(3)")]),
        (from_file(*BOTH, ANSWER, origin='csv("../x.csv")'), [("ATP117", '"../x.csv"')]),
        (from_file(*BOTH, ANSWER, origin='csv("/x.csv")'), [("ATP117", '"/x.csv"')]),
        (from_file(*BOTH, ANSWER, origin='csv("~/x.csv")'), [("ATP117", '"~/x.csv"')]),
    ],
)
def test_what_is_wrong_with_prompts_from_a_file_is_told(text, expected):
    assert found(text) == expected


def test_a_bare_path_gets_the_function_suggested():
    text = from_file(*BOTH, ANSWER, origin='"pairs.jsonl"')

    assert helps(text) == ['write `from jsonl("pairs.jsonl")`']


def test_a_folder_is_a_data_set():
    assert helps(from_file(*BOTH, ANSWER, origin='"data"')) == ['write `from hf("data")`']


def test_a_data_set_with_a_mapping_is_read():
    part = part_of(
        from_file(
            "split = train",
            "clean = row.prompt",
            "corrupted = row.s2_io_flip_counterfactual.prompt",
            'answer " {row.metadata.indirect_object}" vs " {row.metadata.subject}"',
            "keep = same_token_count(row.metadata.indirect_object, row.metadata.subject)",
            "limit = 500",
            origin='hf("mib-bench/ioi")',
        )
    )

    assert (part.format, part.path, part.split) == ("hf", "mib-bench/ioi", "train")
    assert part.corrupted.text == "{row.s2_io_flip_counterfactual.prompt}"
    assert part.limit == 500
    assert part.keep is not None


def test_values_of_a_row_may_be_used_in_texts_and_answers():
    part = part_of(
        from_file(
            "clean = prompt",
            'corrupted = "The {prompt as P} of {yy:02}"',
            "let yy = int(row.label)",
            "let prompt = upper(row.clean)",
            "answer two_digits(yy + 1 .. 99) vs two_digits(2 .. yy)",
            "keep = yy > 3",
        )
    )

    assert part.clean.text == "{prompt}"
    assert [let.name for let in part.lets] == ["yy", "prompt"]
    assert part.answer is not None
    assert all(isinstance(side[0], Formula) for side in (part.answer.right, part.answer.wrong))
