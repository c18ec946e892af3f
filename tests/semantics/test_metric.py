"""The `metric` statement."""

from __future__ import annotations

import pytest

from atpdsl.semantics.experiment import MetricCall, Text
from atpdsl.semantics.formulas import Formula, evaluate
from atpdsl.semantics.metric_formula import Arithmetic, Constant, Reading, TokenSet
from tests.semantics.words import complete, experiment_of, found, helps, resolved

YEARS = """\
prompts {
  template "The war lasted from 17{yy} to 17"
  slot yy in 11..98
  corrupt yy -> "01"
}
"""


def metric(text: str, prompts: str = "") -> MetricCall:
    call = experiment_of(f"{prompts}metric {text}").metric
    assert call.formula is not None
    return call


def term(text: str):
    formula = metric(text).formula
    assert formula is not None
    return formula.term


def sets(text: str, prompts: str = "") -> list[TokenSet]:
    formula = metric(text, prompts).formula
    assert formula is not None
    return list(formula.sets)


def test_a_name_alone_is_a_metric_of_that_name():
    call = experiment_of("metric logit_diff at S2").metric

    assert (call.name, call.position, call.formula, call.normalize) == (
        "logit_diff",
        "S2",
        None,
        False,
    )


def test_a_label_is_the_name_of_the_metric():
    assert metric("gap = logit_diff").name == "gap"
    assert term("gap = logit_diff") == Reading(reading="logit_diff")
    assert metric("gap = logit(right) - 1").name == "gap"
    assert metric("logit(right) - 1").name == "metric"


def test_a_label_that_is_the_metrics_own_name_changes_nothing():
    labelled = experiment_of("metric logit_diff = logit_diff").metric

    assert (labelled.name, labelled.formula) == ("logit_diff", None)


def test_readings_keep_the_order_and_the_brackets_of_arithmetic():
    one = Reading(reading="logit", tokens=0)
    other = Reading(reading="prob", tokens=1)

    assert term("logit(right) - prob(wrong) * 2") == Arithmetic(
        operator="-",
        left=one,
        right=Arithmetic(operator="*", left=other, right=Constant(value=2.0)),
    )
    assert term("(logit(right) - prob(wrong)) / 2") == Arithmetic(
        operator="/",
        left=Arithmetic(operator="-", left=one, right=other),
        right=Constant(value=2.0),
    )


def test_a_minus_is_a_factor_and_numbers_are_added_up_at_once():
    assert term("-logit_diff") == Arithmetic(
        operator="*", left=Constant(value=-1.0), right=Reading(reading="logit_diff")
    )
    assert term("logit_diff * (2 + 3 * 4 - 8 / 4)") == Arithmetic(
        operator="*", left=Reading(reading="logit_diff"), right=Constant(value=12.0)
    )
    assert term("logit_diff + -2").right == Constant(value=-2.0)


def test_tokens_are_a_side_of_the_answers_or_texts():
    right, wrong = sets("logit(right) - logit(wrong)")

    assert (right.side, right.texts) == ("right", ())
    assert (wrong.side, wrong.texts) == ("wrong", ())


def test_numbers_keep_the_form_in_which_they_are_written():
    (years,) = sets("prob(07..10)")
    (mixed,) = sets("prob([05, 7])")

    assert [part.text for part in years.texts] == ["07", "08", "09", "10"]
    assert [part.text for part in mixed.texts] == ["05", "7"]
    assert all(isinstance(part, Text) for part in years.texts)


def test_texts_and_formulas_are_computed_in_every_pair():
    (words,) = sets('logit([" {S}", IO])')
    (later,) = sets("prob(two_digits(yy + 1 .. 99))", YEARS)
    values = {"S": "John", "IO": "Mary", "yy": 96}

    assert all(isinstance(part, Formula) for part in (*words.texts, *later.texts))
    assert [evaluate(part, values, None) for part in words.texts] == [" John", "Mary"]
    assert evaluate(later.texts[0], values, None) == ("97", "98", "99")


def test_the_text_of_a_metric_is_on_one_line_without_comments():
    call = metric("logit( # first\n  right\n) - (\n  logit(wrong) # second\n) at last")

    assert call.formula is not None
    assert call.formula.text == "logit( right ) - ( logit(wrong) )"


def test_normalize_is_a_switch():
    for word, wanted in (("on", True), ("true", True), ("off", False)):
        call = experiment_of(f"metric logit_diff {{ normalize = {word} }}").metric
        assert call.normalize is wanted
    assert metric("prob(right) { normalize = on }").normalize


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("logit_dif / 2", [("ATP171", "logit_dif")]),
        ("porb(right)", [("ATP171", "porb")]),
        ("perplexity(right) + 1", [("ATP171", "perplexity")]),
        ("prob", [("ATP172", "prob")]),
        ("prob + 1", [("ATP172", "prob")]),
        ("prob()", [("ATP172", "prob()")]),
        ('prob(" a", " b")', [("ATP172", 'prob(" a", " b")')]),
        ("prob([])", [("ATP172", "[]")]),
        ('prob([right, " a"])', [("ATP172", "right")]),
        ("prob(of = right)", [("ATP172", "of")]),
        ("entropy(right)", [("ATP172", "entropy(right)")]),
        ("logit_diff() / 2", [("ATP172", "logit_diff()")]),
        ("logit(right at S2)", [("ATP174", "S2")]),
        ("right - wrong", [("ATP170", "right"), ("ATP170", "wrong")]),
        ("IO / 2", [("ATP170", "IO")]),
        ("logit_diff > 2", [("ATP170", "logit_diff > 2")]),
        ("logit_diff and kl", [("ATP170", "logit_diff and kl")]),
        ("[logit_diff]", [("ATP170", "[logit_diff]")]),
        ('"logit_diff"', [("ATP170", '"logit_diff"')]),
        ("50% * logit_diff", [("ATP170", "50%")]),
        ("heads.z(right)", [("ATP170", "heads.z")]),
        ("logit_diff / (3 - 3)", [("ATP173", "3 - 3")]),
        ("1e15 * 1e15 * logit_diff", []),
        ("1 + 1", [("ATP176", "1 + 1")]),
        ("-3", [("ATP176", "-3")]),
        ("kl = logit_diff", [("ATP175", "kl")]),
        ("prob = logit_diff + 1", [("ATP175", "prob")]),
        ("logit_dif", [("ATP112", "logit_dif")]),
        ('prob(" {IA}")', [("ATP230", "{IA}")]),
        ("prob(three_digits(5))", [("ATP231", "three_digits")]),
        (
            "prob(porb) + porb(right)",
            [("ATP230", "porb"), ("ATP171", "porb")],
        ),
        ("logit_diff at every", [("ATP226", "every")]),
        ("logit_diff { scale = 3 }", [("ATP105", "scale")]),
        ("logit(right) { normalise = on }", [("ATP105", "normalise")]),
    ],
)
def test_what_is_wrong_with_a_metric_is_told_at_its_place(text, expected):
    assert found(f"metric {text}") == expected


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("porb(right)", "did you mean `prob`?"),
        ("prob", "write `prob(right)`, or the words: `prob([...])`"),
        ('prob(" a", " b")', 'write a list, `prob([" a", " b"])`'),
        ("entropy(right)", "write `entropy`"),
        ("50% * logit_diff", "write `0.5`"),
        ("IO / 2", 'write `prob("{IO}")`, with a space before it if need be'),
        ("right - 1", "write `prob(right)`"),
        (
            "logit(right at S2)",
            "write `at` once, behind the whole metric: all of it is read there",
        ),
    ],
)
def test_the_help_says_what_to_write(text, advice):
    assert helps(f"metric {text}") == [advice]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("logit(right)", "ATP207"),
        ("loss(wrong)", "ATP207"),
        ("logit_diff / 2", "ATP207"),
        ("gap = logit_diff", "ATP207"),
    ],
)
def test_sides_of_the_answers_need_an_answer(text, code):
    assert [c for c, _ in found(f"{YEARS}metric {text}")] == [code]


def test_the_wrong_side_needs_a_wrong_answer():
    prompts = YEARS.replace('"01"\n', '"01"\n  answer 50..99\n')

    assert found(f"{prompts}metric prob(right)") == []
    assert found(f"{prompts}metric prob(right) - prob(wrong)") == [("ATP208", "answer 50..99")]


def test_metrics_of_texts_need_no_answer():
    assert found(f"{YEARS}metric prob(two_digits(yy + 1 .. 99))") == []
    assert found(f"{YEARS}metric entropy") == []


def test_estimates_of_a_rank_are_refused_and_exact_effects_are_not():
    assert found("metric rank(right)\nmethod atp\nmethod ap") == [("ATP177", "method atp")]
    assert found("metric logit_diff + rank(right)\nmethod ap") == []


def test_estimates_without_a_gradient_go_with_a_rank():
    assert found("metric rank(right)\nmethod subsampling\nmethod hierarchical") == []
    assert found("metric rank(right)\nmethod subsampling\nmethod atp*") == [
        ("ATP177", "method atp*")
    ]


def test_values_of_the_prompts_that_only_the_metric_uses_are_used():
    lines = YEARS.replace("  corrupt", "  let later = yy + 1\n  corrupt")

    assert found(f"{lines}metric prob(two_digits(later .. 99))") == []
    assert [code for code, _ in found(f"{lines}metric entropy")] == ["ATP218"]


def test_a_slot_that_is_called_like_a_side_is_not_guessed_about():
    lines = YEARS.replace("yy", "right")

    assert found(f"{lines}metric prob(right)") == [("ATP172", "right")]
    assert found(f'{lines}metric prob("{{right}}")') == []


def test_prompts_that_could_not_be_read_do_not_make_names_unknown():
    text = complete('prompts { templat "x" }\nmetric prob(" {IO}")')

    assert "ATP230" not in {problem.code for problem in resolved(text)[1]}
