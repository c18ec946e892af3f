from __future__ import annotations

import pytest

from atpdsl.semantics.experiment import (
    Align,
    Corruption,
    InlinePair,
    TemplatePrompts,
    Text,
)
from atpdsl.semantics.formulas import Formula
from atpdsl.semantics.pair_names import pair_names
from tests.semantics.words import experiment_of, found, helps

TEMPLATE = 'template "When {IO} and {S} went, {S as S2} gave it to"'
SLOTS = 'slot IO, S in ["Mary", "John", "Tom"]'
CORRUPT = "corrupt S2 -> IO"
ANSWER = 'answer " {IO}" vs " {S}"'
PAIR = 'pair "Ann went to" -> "Bob went to" { answer " Rome" vs " Paris" }'


def prompts(*lines: str) -> str:
    return "prompts {\n" + "\n".join(f"  {line}" for line in lines) + "\n}"


def whole(*more: str, template=TEMPLATE, slots=SLOTS, corrupt=CORRUPT, answer=ANSWER) -> str:
    return prompts(template, slots, corrupt, answer, *more)


def part_of(text: str) -> TemplatePrompts:
    (part,) = experiment_of(text).prompts.parts
    assert isinstance(part, TemplatePrompts)
    return part


def corruption_of(line: str, **changes: str) -> Corruption:
    (corruption,) = part_of(whole(corrupt=line, **changes)).corruptions
    return corruption


def test_templates_slots_corruptions_and_answers_are_read():
    part = part_of(whole("count = 8"))

    assert [text.text for text in part.templates] == [
        "When {IO} and {S} went, {S as S2} gave it to"
    ]
    assert [(slot.names, slot.values) for slot in part.slots] == [
        (("IO", "S"), ("Mary", "John", "Tom"))
    ]
    assert (part.corruptions[0].target, part.corruptions[0].slot) == ("S2", "IO")
    assert part.answer is not None
    assert [text.text for text in part.answer.right] == [" {IO}"]
    assert [text.text for text in part.answer.wrong] == [" {S}"]
    assert part.count == 8


def test_defaults_are_filled_in():
    prompts_ = experiment_of(whole()).prompts

    assert part_of(whole()).count == 32
    assert prompts_.name == "prompts"
    assert prompts_.align is Align.STRICT
    assert prompts_.bos
    assert prompts_.positions == ()


def test_settings_of_the_block_are_read():
    prompts_ = experiment_of(whole("align = end", "bos = off")).prompts

    assert prompts_.align is Align.END
    assert not prompts_.bos


def test_several_templates_share_slots():
    part = part_of(whole('template "{S} and {IO} sat, {S as S2} gave it to"'))

    assert len(part.templates) == 2


def test_a_slot_may_be_a_range_with_or_without_leading_zeros():
    part = part_of(
        whole("slot a in 9..11", "slot b in 08..11", template=TEMPLATE.replace("it", "{a}{b}"))
    )

    assert part.slots[1].values == ("9", "10", "11")
    assert part.slots[2].values == ("08", "09", "10", "11")


def test_a_slot_may_list_words_numbers_and_ranges():
    part = part_of(whole('slot a in ["x", 7, 1..3]', template=TEMPLATE.replace("it", "{a}")))

    assert part.slots[1].values == ("x", "7", "1", "2", "3")


def test_a_slot_may_come_from_a_file(tmp_path):
    (tmp_path / "words.txt").write_text("Mary\n\n  John \r\nTom", encoding="utf-8")
    lines = whole(slots='slot IO, S in lines("words.txt")')

    (part,) = experiment_of(lines, base=tmp_path).prompts.parts

    assert isinstance(part, TemplatePrompts)
    assert part.slots[0].values == ("Mary", "John", "Tom")


def test_a_corruption_may_be_a_text_a_number_or_another_word():
    assert corruption_of('corrupt S2 -> "{IO}na"').text == "{IO}na"
    assert corruption_of("corrupt S2 -> 01").formula is not None
    assert corruption_of("corrupt S2 -> other").redraw
    assert corruption_of("corrupt S -> IO").target == "S"


def test_one_line_may_corrupt_several_places():
    part = part_of(whole(corrupt="corrupt S, S2 -> other"))

    assert [corruption.target for corruption in part.corruptions] == ["S", "S2"]


def test_answers_may_be_lists_and_ranges():
    part = part_of(whole(answer='answer [" a", " b"] vs 08..10'))

    assert part.answer is not None
    assert [text.text for text in part.answer.right] == [" a", " b"]
    assert [text.text for text in part.answer.wrong] == ["08", "09", "10"]


def test_pairs_have_their_own_answer_and_alignment():
    pairs = experiment_of(
        prompts(PAIR, PAIR.replace("Paris", "Bonn").replace("}", "; align = end }"))
    )
    first, second = pairs.prompts.parts

    assert isinstance(first, InlinePair)
    assert isinstance(second, InlinePair)
    assert first.clean == Text(text="Ann went to", span=first.clean.span)
    assert first.align is Align.STRICT
    assert second.align is Align.END
    assert second.answer is not None
    assert second.answer.wrong[0].text == " Bonn"


def test_pairs_take_the_blocks_answer_and_alignment():
    text = prompts('pair "a b" -> "c d"', 'answer " x" vs " y"', "align = start")
    (pair,) = experiment_of(text).prompts.parts

    assert isinstance(pair, InlinePair)
    assert pair.answer is not None
    assert pair.align is Align.START


def test_an_answer_with_slots_does_not_fit_a_pair():
    assert found(whole('pair "a" -> "b"')) == [("ATP207", 'pair "a" -> "b"')]


def test_a_raw_string_has_no_slots():
    (pair,) = experiment_of(
        prompts('pair r"a {b} \\n" -> "b" { answer " x" vs " y" }')
    ).prompts.parts

    assert isinstance(pair, InlinePair)
    assert pair.clean.text == "a {{b}} \\n"


def test_templates_come_before_pairs():
    kinds = [type(part) for part in experiment_of(whole(PAIR)).prompts.parts]

    assert kinds == [TemplatePrompts, InlinePair]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (whole(template=TEMPLATE.replace("{IO}", "{OI}")), [("ATP241", "{OI}")]),
        (whole(template=TEMPLATE.replace("{IO}", "{IO")), [("ATP241", "{")]),
        (whole(template=TEMPLATE.replace("{IO}", "{row.x}")), [("ATP241", "{row.x}")]),
        (whole(answer='answer " {IO}" vs " {X}"'), [("ATP241", "{X}")]),
        (whole(corrupt="corrupt S2 -> OI"), [("ATP241", "OI")]),
        (whole(corrupt="corrupt S2 -> S2"), [("ATP241", "S2")]),
        (whole(corrupt='corrupt S2 -> "{X}"'), [("ATP241", "{X}")]),
        (whole(corrupt="corrupt S2 -> S"), [("ATP212", "S")]),
        (whole(corrupt="corrupt S -> S"), [("ATP212", "S")]),
        (whole(corrupt="corrupt S3 -> IO"), [("ATP244", "S3")]),
        (whole(corrupt="corrupt S2 -> [1]"), [("ATP108", "[1]")]),
        (whole(corrupt="corrupt S2, S2 -> IO"), [("ATP211", "S2")]),
        (whole(corrupt=""), [("ATP209", TEMPLATE)]),
        (whole(answer=""), [("ATP207", "prompts")]),
        (whole(answer='answer " {IO}"'), [("ATP208", 'answer " {IO}"')]),
        (whole(answer="answer [] vs []"), [("ATP204", "[]"), ("ATP204", "[]")]),
        (whole(answer='answer " {IO}" vs " {S"'), [("ATP241", "{")]),
        (whole(answer=f"{ANSWER}\n{ANSWER}"), [("ATP104", "answer")]),
        (whole(slots='slot IO, IO in ["a", "b"]; slot S in ["c"]'), [("ATP205", "IO")]),
        (whole("slot row in [1]"), [("ATP205", "row"), ("ATP214", "row")]),
        (whole(slots="slot IO, S in []"), [("ATP204", "[]")]),
        (whole(slots="slot IO, S in [Mary, Tom]"), [("ATP108", "Mary"), ("ATP108", "Tom")]),
        (whole(slots="slot IO, S in 5%"), [("ATP108", "5%")]),
        (whole(slots="slot IO, S in 9..1"), [("ATP225", "9..1")]),
        (whole(slots="slot IO, S in 1.."), [("ATP225", "1..")]),
        (whole(slots="slot IO, S in 0..999999999"), [("ATP225", "0..999999999")]),
        (whole('slot place in ["store"]'), [("ATP214", "place")]),
        (whole("count = 0"), [("ATP109", "0")]),
        (whole("count = 3; count = 4"), [("ATP106", "count")]),
        (whole("cuont = 3"), [("ATP105", "cuont")]),
        (whole("split = 3"), [("ATP105", "split")]),
        (whole("let x = 3"), [("ATP218", "let x = 3")]),
        (whole("heads.z at last"), [("ATP107", "heads.z")]),
        (whole(template="template 3"), [("ATP108", "3")]),
        (prompts(), [("ATP251", "prompts")]),
        (prompts(PAIR, "count = 3"), [("ATP213", "count")]),
        (prompts(PAIR, "corrupt S -> other"), [("ATP213", "corrupt")]),
        (prompts(PAIR, 'slot S in ["a"]'), [("ATP213", "slot")]),
        (prompts('pair "{a}" -> "b" { answer " a" vs " b" }'), [("ATP241", "{a}")]),
        (prompts('pair "a" -> "b" { answer " {a}" vs " b" }'), [("ATP241", "{a}")]),
        (prompts('pair "a" -> "b" { answer " a" vs " b"; count = 3 }'), [("ATP105", "count")]),
        (prompts(PAIR.replace("}", '; template "x" }')), [("ATP107", "template")]),
        (prompts('pair 3 -> "b" { answer " a" vs " b" }'), [("ATP108", "3")]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_prompts_is_told_at_its_place(lines, expected):
    assert found(lines) == expected


def test_a_misspelled_slot_gets_a_suggestion():
    twisted = whole("slot place in [1]", template=TEMPLATE.replace("it", "{palce} {place}"))

    assert helps(twisted) == ["did you mean `place`?"]
    assert helps(whole(corrupt="corrupt S2 -> S2")) == ["`S2` is a place; its slot is `S`"]


def test_a_mistake_in_one_line_of_prompts_hides_no_other_line():
    lines = whole("count 3", slots='slot IO, S ["Mary"]', answer='answer " {IO" vs " {S}"')

    assert found(lines) == [("ATP007", "["), ("ATP006", "3"), ("ATP241", "{")]


def test_a_metric_without_answers_needs_none():
    experiment_of("metric kl\n" + whole(answer=""))


def test_a_metric_of_right_answers_needs_no_wrong_ones():
    experiment_of("metric nll\n" + whole(answer='answer " {IO}"'))


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("missing.txt", "ATP246"),
        ("../words.txt", "ATP117"),
        ("/etc/passwd", "ATP117"),
        ("latin.txt", "ATP246"),
        ("empty.txt", "ATP204"),
        ("large.txt", "ATP247"),
        (".", "ATP246"),
    ],
)
def test_word_lists_that_cannot_be_read_are_a_problem(tmp_path, path, code):
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9\n")
    (tmp_path / "empty.txt").write_text("\n \n")
    (tmp_path / "large.txt").write_text("x" * (1 << 20) + "y")

    problems = found(whole(slots=f'slot IO, S in lines("{path}")'), base=tmp_path)

    assert [code for code, _ in problems] == [code]


YEARS = 'template "The war of {cc}{yy:02 as YY}"'
NUMBERS = "slot cc in 11..19; slot yy in 2..98"
BEFORE = "corrupt YY -> 1"
AFTER = "answer two_digits(yy + 1 .. 99) vs two_digits(0 .. yy)"


def years(
    *more: str, template: str = YEARS, slots: str = NUMBERS, corrupt: str = BEFORE, answer=AFTER
) -> str:
    return prompts(template, slots, corrupt, answer, *more)


def test_words_written_as_numbers_are_numbers():
    slots = (
        'slot a in [1, 02, 3..5]; slot b in [1, "2"]; slot c in two_digits(2..3);'
        " slot d in -1..1; slot e in [2..3] + [-7]; slot f in 2..4 - 1"
    )
    part = part_of(
        years(
            template='template "{cc}{yy as YY}{a}{b}{c}{d}{e}{f}"', slots=f"{NUMBERS}; {slots}"
        )
    )

    assert [(slot.values, slot.numbers == slot.names) for slot in part.slots[2:]] == [
        (("1", "02", "3", "4", "5"), True),
        (("1", "2"), False),
        (("02", "03"), False),
        (("-1", "0", "1"), True),
        (("2", "3", "-7"), True),
        (("2", "3"), True),
    ]


def test_lists_of_words_can_be_added(tmp_path):
    (tmp_path / "words.txt").write_text("Tom\nAnn\n")
    slots = 'slot IO, S in ["Mary", ["John"]] + lines("words.txt") + ["Bob"]'

    (part,) = experiment_of(whole(slots=slots), base=tmp_path).prompts.parts

    assert isinstance(part, TemplatePrompts)
    assert part.slots[0].values == ("Mary", "John", "Tom", "Ann", "Bob")


def test_values_conditions_and_computed_answers_are_read():
    part = part_of(
        years(
            "let next = yy + 1",
            "keep = next < 90",
            slots='slot cc in 11..19; slot yy in 2..98 where single_token("{yy:02}")',
        )
    )

    assert [let.name for let in part.lets] == ["next"]
    assert part.keep is not None
    assert [slot.where is None for slot in part.slots] == [True, False]
    assert part.answer is not None
    assert all(isinstance(item, Formula) for item in part.answer.right + part.answer.wrong)


def test_answers_mix_texts_and_formulas():
    part = part_of(years(answer='answer [" {yy}", yy + 1] vs [02..03, YY]'))

    assert part.answer is not None
    assert [type(item) for item in part.answer.right] == [Text, Formula]
    assert [type(item) for item in part.answer.wrong] == [Text, Text, Formula]


def test_corruptions_may_be_computed():
    part = part_of(
        years("let next = yy + 1", corrupt="corrupt YY -> next; corrupt cc -> cc - 1")
    )

    assert part.corruptions[0].slot == "next"
    assert part.corruptions[1].formula is not None


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (years(slots=NUMBERS + " where cc > 3"), [("ATP215", "cc")]),
        (years(slots=NUMBERS + " where 3 > 2"), [("ATP215", "3 > 2")]),
        (years(slots=NUMBERS + " where yyy > 2"), [("ATP230", "yyy")]),
        (whole(template=TEMPLATE.replace("{IO}", "{IO:02}")), [("ATP216", "{IO:02}")]),
        (whole(template=TEMPLATE.replace("{IO}", "{IO:uper}")), [("ATP241", "uper")]),
        (years("let yy = 3; keep = yy > 3"), [("ATP217", "yy")]),
        (years("let YY = 3"), [("ATP203", "{yy:02 as YY}")]),
        (years("let last = 3; keep = yy > 3"), [("ATP217", "last")]),
        (years("let a = 3; let a = 4; keep = a > 3"), [("ATP217", "a")]),
        (years("let a = b; let b = 4"), [("ATP230", "b")]),
        (years("let a = a + 1"), [("ATP230", "a")]),
        (years("let a = yy + 1"), [("ATP218", "let a = yy + 1")]),
        (years("let a = yy + 1; keep = a > b"), [("ATP230", "b")]),
        (years("keep = yy > row.x"), [("ATP230", "row.x")]),
        (years("let a = yy", template='template "{a as YY}{cc}"', corrupt="corrupt a -> other"),
            [("ATP219", "other")]),
        (years(answer="answer two_digit(yy) vs yyy"),
            [("ATP231", "two_digit"), ("ATP230", "yyy")]),
        (years(corrupt="corrupt YY -> yyy - 1"), [("ATP230", "yyy")]),
        (years(corrupt="corrupt YY -> 5%"), [("ATP108", "5%")]),
        (years(slots="slot cc in [1]; slot yy in two_digits(2..100)"), [("ATP233", "2..100")]),
        (prompts(PAIR, "let x = 3"), [("ATP213", "let")]),
        (prompts(PAIR, "keep = 3 > 2"), [("ATP213", "keep")]),
        (prompts(PAIR, "answer yy vs 3"), [("ATP230", "yy")]),
        (prompts(PAIR.replace('" Rome"', "yy")), [("ATP230", "yy")]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_formulas_of_prompts_is_told_at_its_place(lines, expected):
    assert found(lines) == expected


def test_a_name_that_a_list_or_range_lacks_is_to_be_defined():
    assert helps(whole(slots="slot IO, S in people")) == [
        'write `"people"`, or for a list `let people = ["...", "..."]` before'
    ]
    assert helps(years(slots="slot cc in [1]; slot yy in 2..limit")) == [
        "define `limit` first, as `let limit = 98`"
    ]


def test_a_value_that_only_the_metric_uses_is_used():
    lines = years("let next = yy + 1")
    text = "metric prob(two_digits(next .. 99)) at last\n" + lines

    assert found(text) == []


def test_the_names_of_pairs_are_those_of_all_templates():
    part = years("let next = yy + 1", 'template "{yy as YY} {cc as CC}"', "keep = next > 3")

    assert pair_names(experiment_of(part).prompts) == ("cc", "yy", "YY", "next")
    assert pair_names(experiment_of(prompts(PAIR)).prompts) == ()
    assert pair_names(experiment_of(whole(PAIR)).prompts) == ()


def test_a_number_is_written_without_the_strokes_between_its_digits():
    numbers = ("slot n in [1_000, -2_000]", "slot m in 1_000..1_001")
    template = 'template "{n} {m} {IO} and {S}, {S as S2}"'
    part = part_of(whole(*numbers, template=template))

    assert [slot.values for slot in part.slots[1:]] == [("1000", "-2000"), ("1000", "1001")]
