from __future__ import annotations

from dataclasses import fields

import pytest

from atpdsl.problems import Severity
from atpdsl.semantics import diagnosis as d
from atpdsl.semantics.diagnosis_schema import DIAGNOSE
from atpdsl.semantics.flags import DEFAULT_FLAGS, columns_of
from tests.semantics.words import complete, experiment_of, found, helps, resolved

HEADS = "nodes { heads.q at every }\n"
QUANTITIES = [(part, name) for part, names in d.FLAG_QUANTITIES.items() for name in names]


def diagnosis(body: str, before: str = HEADS) -> d.Diagnosis:
    return experiment_of(f"{before}diagnose {{ {body} }}").diagnosis


def problems(body: str, before: str = HEADS) -> list[tuple[str, str]]:
    return found(f"{before}diagnose {{ {body} }}")


def condition(text: str) -> d.FlagCondition:
    cancellation = diagnosis(f"cancellation {{ flag = {text} }}").cancellation
    assert cancellation is not None
    return cancellation.flag.condition


def column(operator: str, number: float, name: str = "index") -> d.Test:
    return d.Test(operator=operator, left=d.Column(name=name), right=d.Number(value=number))


# ---- the diagnostics ----


def test_without_diagnose_nothing_is_diagnosed():
    assert experiment_of("").diagnosis == d.Diagnosis()


@pytest.mark.parametrize("body", ["cancellation; uncertainty", "cancellation, uncertainty"])
def test_diagnostics_stand_alone_or_together(body):
    asked = diagnosis(body)

    assert asked.cancellation == d.Cancellation(flag=DEFAULT_FLAGS["cancellation"])
    assert asked.uncertainty is not None
    assert asked.saturation is None
    assert asked.subset_sampling is None


def test_all_settings_are_read():
    asked = diagnosis(
        "cancellation { direct_effect = on }; uncertainty { bootstrap = 500; confidence = 0.9 }"
        "; subset_sampling { samples = 2000; inclusion = 3%; partition = independent;"
        " confidence = 99.9%; min_effect = 0.05 }",
        HEADS + "verify { }\n",
    )

    assert asked.cancellation is not None
    assert asked.cancellation.direct_effect
    assert asked.uncertainty is not None
    assert (asked.uncertainty.bootstrap, asked.uncertainty.confidence) == (500, 0.9)
    sampling = asked.subset_sampling
    assert sampling == d.SubsetSampling(
        samples=2000,
        inclusion=0.03,
        partition=d.Partition.INDEPENDENT,
        confidence=0.999,
        min_effect=0.05,
        span=sampling.span if sampling is not None else None,
    )


@pytest.mark.parametrize("part", DIAGNOSE.parts, ids=lambda part: part.word)
def test_settings_that_are_left_out_have_the_defaults_of_the_schema_and_of_the_type(part):
    asked = getattr(diagnosis(part.word), part.word)
    without = {
        "flag": DEFAULT_FLAGS.get(part.word),
        "span": asked and getattr(asked, "span", 0),
    }
    plain = type(asked)(**{f.name: without[f.name] for f in fields(asked) if f.name in without})

    assert asked == plain
    for key in part.keys:
        if key.name != "flag":
            assert getattr(asked, key.name) == key.default


def test_values_may_be_names_of_the_file():
    text = "let limit = 4\nlet many = 800\n" + HEADS
    asked = diagnosis(
        "cancellation { flag = index > limit }; subset_sampling { samples = many }", text
    )

    assert asked.cancellation == d.Cancellation(
        flag=d.Flag(condition=column(">", 4.0), text="index > 4")
    )
    assert asked.subset_sampling is not None
    assert asked.subset_sampling.samples == 800


# ---- flags ----


@pytest.mark.parametrize("part", DEFAULT_FLAGS)
def test_a_default_flag_is_what_its_text_says(part):
    default = DEFAULT_FLAGS[part]
    asked = getattr(diagnosis(f"{part} {{ flag = {default.text} }}"), part)

    assert asked.flag == default


def test_every_diagnostic_with_quantities_has_a_default_flag():
    assert set(DEFAULT_FLAGS) == set(d.FLAG_QUANTITIES)


@pytest.mark.parametrize(("part", "name"), QUANTITIES)
def test_a_flag_may_ask_for_every_quantity(part, name):
    before = HEADS + "verify { }\n"
    asked = getattr(diagnosis(f"{part} {{ flag = {name} != 0 }}", before), part)

    assert columns_of(asked.flag.condition) == {name}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("index >= 5", column(">=", 5.0)),
        ("index != 25%", column("!=", 0.25)),
        ("index > -2", column(">", -2.0)),
        ("not index < 2", d.Not(operand=column("<", 2.0))),
        (
            "index < 1 or index > 2 and index > 3",
            d.Several(
                operator="or",
                operands=(
                    column("<", 1.0),
                    d.Several(operator="and", operands=(column(">", 2.0), column(">", 3.0))),
                ),
            ),
        ),
        (
            "index < 1 and (index < 2 and index < 3)",
            d.Several(
                operator="and",
                operands=(column("<", 1.0), column("<", 2.0), column("<", 3.0)),
            ),
        ),
        (
            "direct * indirect < 0",
            d.Test(
                operator="<",
                left=d.Arithmetic(
                    operator="*",
                    left=d.Column(name="direct"),
                    right=d.Column(name="indirect"),
                ),
                right=d.Number(value=0.0),
            ),
        ),
        (
            "-(direct) == index",
            d.Test(
                operator="==",
                left=d.Arithmetic(
                    operator="-", left=d.Number(value=0.0), right=d.Column(name="direct")
                ),
                right=d.Column(name="index"),
            ),
        ),
    ],
)
def test_a_flag_is_a_condition(text, expected):
    assert condition(text) == expected


@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        ("index", [("ATP180", "index")]),
        ("5", [("ATP180", "5")]),
        ("3 > 2", [("ATP180", "3 > 2")]),
        ("index + 1", [("ATP180", "index + 1")]),
        ("index > 1 and direct", [("ATP180", "direct")]),
        ("not direct", [("ATP180", "direct")]),
        ("abs(direct) > 1", [("ATP180", "abs(direct)")]),
        ("index in [1, 2]", [("ATP180", "index in [1, 2]")]),
        ("index in 1..2", [("ATP180", "index in 1..2")]),
        ('index == "large"', [("ATP180", '"large"')]),
        ("index > 1 or (1 < 2)", [("ATP180", "1 < 2")]),
        ("index > 5kg", [("ATP109", "5kg")]),
        ("indx > 5", [("ATP181", "indx")]),
        ("indx > 5 and dirct < 0", [("ATP181", "indx"), ("ATP181", "dirct")]),
        ("change > 0.1", [("ATP181", "change")]),
        ("-x > 0.1", [("ATP181", "x")]),
    ],
)
def test_what_is_wrong_with_a_flag_is_told_at_its_place(flag, expected):
    assert problems(f"cancellation {{ flag = {flag} }}") == expected


def test_helps_of_flags_say_what_there_is():
    def told(flag: str) -> list[str]:
        return helps(f"diagnose {{ cancellation {{ flag = {flag} }} }}")

    assert told("indx > 5") == ["did you mean `index`?"]
    assert told("size > 5") == ["there are `index`, `direct`, `indirect`, `direct_ratio`"]
    assert told("change > 5") == [
        "`change` belongs to `saturation`; here are `index`, `direct`, `indirect`,"
        " `direct_ratio`"
    ]
    assert told("index") == ["write a comparison, as in `flag = index >= 5`"]


def test_the_bounds_of_a_result_have_the_confidences_that_can_be_asked_for():
    from atpdsl.results import bounds

    assert bounds.CONFIDENCES == d.CONFIDENCES


# ---- what is wrong ----


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", [("ATP168", "diagnose")]),
        ("cancelation", [("ATP168", "cancelation")]),
        ("3 + 4", [("ATP168", "3 + 4")]),
        ("cancellation; cancellation", [("ATP104", "cancellation")]),
        ("cancellation at last", [("ATP107", "last")]),
        ("cancellation, uncertainty { bootstrap = 5 }", [("ATP107", "{ bootstrap = 5 }")]),
        ("cancellation = on", [("ATP107", "cancellation")]),
        ("samples = 3", [("ATP105", "samples")]),
        ('template "x"', [("ATP107", "template")]),
        ("saturation { flg = change > 3 }", [("ATP105", "flg")]),
        ("subset_sampling { samples = many }", [("ATP108", "many")]),
        ("subset_sampling { samples = 0 }", [("ATP109", "0")]),
        ("subset_sampling { inclusion = 0 }", [("ATP109", "0")]),
        ("subset_sampling { inclusion = 51% }", [("ATP109", "51%")]),
        ("subset_sampling { inclusion = 3 }", [("ATP109", "3")]),
        ("subset_sampling { partition = even }", [("ATP109", "even")]),
        ("subset_sampling { confidence = 95 }", [("ATP109", "95")]),
        ("subset_sampling { confidence = 100% }", [("ATP109", "100%")]),
        ("subset_sampling { min_effect = -1 }", [("ATP109", "-1")]),
        (
            "subset_sampling { samples = 100; inclusion = 1%; partition = independent }",
            [("ATP109", "subset_sampling")],
        ),
        ("subset_sampling { samples = 100; inclusion = 1% }", []),
        ("uncertainty { bootstrap = -5 }", [("ATP109", "-5")]),
        ("cancellation { direct_effect = 3 }", [("ATP108", "3")]),
    ],
)
def test_what_is_wrong_with_diagnose_is_told_at_its_place(body, expected):
    assert problems(body) == expected


@pytest.mark.parametrize(
    ("before", "body", "expected"),
    [
        ("method ap\n", "cancellation", [("ATP182", "cancellation")]),
        ("method subsampling\n", "cancellation", [("ATP182", "cancellation")]),
        ("method subsampling\n", "saturation", [("ATP182", "saturation")] * 2),
        ("method subsampling\n", "uncertainty", []),
        ("nodes { heads.v, mlp at last }\n", "saturation", [("ATP182", "saturation")]),
        ("nodes { mlp at last\nheads.k at last }\n", "saturation", []),
        ("", "cancellation { direct_effect = on }", [("ATP182", "direct_effect = on")]),
        ("verify { }\n", "cancellation { direct_effect = on }", []),
        ("method ap\nmethod atp\n", "subset_sampling", [("ATP182", "subset_sampling")]),
        ("method ap\nmethod b = atp { direction = denoising }\n", "subset_sampling", []),
        (
            "",
            "uncertainty { flag = disagreement > 0.5 }",
            [("ATP182", "disagreement > 0.5")],
        ),
        ("method ap\n", "uncertainty { flag = disagreement > 0.5 }", []),
    ],
)
def test_a_diagnostic_that_has_nothing_to_look_at_is_a_problem(before, body, expected):
    assert problems(body, before) == expected


@pytest.mark.parametrize(
    "before",
    [
        f"{HEADS}method aptp\n",
        f"{HEADS}method = atp\n",
        "nodes { hads.q at last }\n",
        "nodes { heads.v at }\n",
    ],
)
def test_nothing_is_said_of_what_could_not_be_read(before):
    told = problems("saturation; cancellation", before)

    assert told
    assert "ATP182" not in {code for code, _ in told}


def test_that_nothing_is_left_to_bound_is_only_a_warning():
    text = "method ap\nmethod atp\ndiagnose { subset_sampling }"
    experiment, told = resolved(complete(text))

    assert [problem.severity for problem in told] == [Severity.WARNING]
    assert experiment is not None


def test_helps_say_where_things_belong():
    assert helps("diagnose { cancelation }") == ["did you mean `cancellation`?"]
    assert helps("diagnose { samples = 3 }") == [
        "`samples` belongs into `subset_sampling`: `subset_sampling { samples = ... }`"
    ]
    assert helps("diagnose { subset_sampling { partition = random } }") == [
        "did you mean `independent`?"
    ]
    (told,) = resolved(complete("diagnose { cancellation = on }"))[1]
    assert told.fix is not None
    assert told.fix.text == "cancellation"


@pytest.mark.parametrize(
    "name", ["index", "cancellation", "missed_effect", "balanced", "score"]
)
def test_no_value_can_be_called_like_what_flags_ask_for(name):
    assert found(f"let {name} = 3\nverify {{ top = {name} }}")[0][1] == name
