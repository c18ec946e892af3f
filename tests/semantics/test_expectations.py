from __future__ import annotations

import pytest

from atpdsl.semantics.claims import Amount, Asked, Calculated, Compared, Denied, Joined
from atpdsl.semantics.experiment import Expectation
from atpdsl.semantics.result_functions import RESULT_FUNCTIONS
from atpdsl.syntax.words import STATEMENTS
from tests.semantics.words import experiment_of, found, helps

RICH = """\
method fast = atp
method star = stepped
method back = atp { direction = denoising }
verify { top = 20; random = 20; method = [fast, star] }
circuit { from = star; keep = top(40) }
diagnose { cancellation; uncertainty; subset_sampling { confidence = 95% } }
"""
ONE = """\
verify { top = 20; random = 20 }
circuit { }
diagnose { cancellation; subset_sampling }
"""


def expectations(lines: str, before: str = ONE) -> tuple[Expectation, ...]:
    return experiment_of(f"{before}expect {{\n{lines}\n}}").expectations


def asked(line: str, before: str = ONE) -> Asked:
    (one,) = expectations(f"{line} > 0", before)
    assert isinstance(one.condition, Compared)
    assert isinstance(one.condition.left, Asked)
    return one.condition.left


def problems(line: str, before: str = ONE) -> list[tuple[str, str]]:
    return found(f"{before}expect {{ {line} }}")


def test_each_line_is_an_expectation_as_it_is_written():
    lines = "gap > 1   # large\n\nclean_metric   >\n  2, gap < 9; has(L1H2 at last)"

    assert [one.text for one in expectations(lines)] == [
        "gap > 1",
        "clean_metric > 2",
        "gap < 9",
        "has(L1H2 at last)",
    ]


def test_several_blocks_are_one_list():
    text = "expect { gap > 1 }\nexpect { gap < 9 }"

    assert [one.text for one in experiment_of(text).expectations] == ["gap > 1", "gap < 9"]


def test_conditions_are_joined_and_denied():
    (one,) = expectations("gap > 1 and not has(L1H2 at last) or gap < -1")
    condition = one.condition

    assert isinstance(condition, Joined)
    assert condition.operator == "or"
    both = condition.operands[0]
    assert isinstance(both, Joined)
    assert both.operator == "and"
    assert isinstance(both.operands[1], Denied)


def test_numbers_are_counted_with_and_percentages_are_shares():
    (one,) = expectations("-gap / 2 < 50% * clean_metric")
    condition = one.condition

    assert isinstance(condition, Compared)
    assert isinstance(condition.left, Calculated)
    assert isinstance(condition.right, Calculated)
    assert condition.right.left == Amount(value=0.5)


def test_a_top_is_a_number_or_a_share_or_that_of_verify():
    assert asked("recall(top = 7)").top == 7
    assert asked("recall(top = 5%)").top_share == 0.05
    assert (asked("recall").top, asked("recall()").top_share) == (None, None)


def test_nodes_are_selected_as_in_nodes():
    (heads,) = asked("effect(L9H6 at S2 + 1)").nodes
    neurons = asked("score(neurons[L0N3] at last)").nodes

    assert (heads.kind, heads.positions[0].text) == ("heads.z", "S2+1")
    assert neurons[0].kind == "neurons"


def test_a_method_is_settled_where_there_is_only_one():
    assert asked("recall").methods == ("atp",)
    assert asked("recall(method = star)", RICH).methods == ("star",)
    assert asked("score(L1H2 at last)").methods == ("atp",)


def test_an_effect_is_that_of_any_method_that_measured_it():
    assert asked("effect(L1H2 at last)", RICH).methods == ("fast", "star")


def test_truth_stands_for_measured_effects_unless_a_method_is_called_so():
    assert asked("spearman(star, truth)", RICH).methods == ("star", None)
    assert asked("spearman(truth, star)", RICH).methods == (None, "star")
    assert asked("spearman(star, back)", RICH).methods == ("star", "back")
    assert asked("spearman(atp, truth)", "method truth = ap\nmethod atp\n").methods == (
        "atp",
        "truth",
    )


def test_an_exact_method_is_the_truth_of_its_direction():
    exact = "method ap\nmethod atp\n"

    assert asked("recall(top = 5)", exact).methods == ("atp",)
    assert problems("recall > 0", "method ap { direction = denoising }\nmethod atp\n") == [
        ("ATP162", "recall")
    ]


@pytest.mark.parametrize(
    "function", [f for f in RESULT_FUNCTIONS if not f.later], ids=lambda f: f.name
)
def test_the_example_of_a_function_is_right(function):
    (one,) = expectations(function.example)

    assert one.text == function.example


@pytest.mark.parametrize(
    "function", [f for f in RESULT_FUNCTIONS if f.later], ids=lambda f: f.name
)
def test_functions_of_later_versions_are_refused(function):
    assert problems(function.example) == [("ATP110", function.name)]


def test_functions_are_told_apart_from_statements():
    assert not {function.name for function in RESULT_FUNCTIONS} & set(STATEMENTS)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("recal(top = 20) > 0", [("ATP161", "recal")]),
        ("3(4) > 0", [("ATP161", "3")]),
        ("recall(tpo = 20) > 0", [("ATP164", "tpo")]),
        ("recall(20) > 0", [("ATP164", "20")]),
        ("recall(atp) > 0", [("ATP164", "atp")]),
        ("recall(top = 0) > 0", [("ATP164", "0")]),
        ("recall(top = 2.5) > 0", [("ATP164", "2.5")]),
        ("recall(top = 5, top = 6) > 0", [("ATP164", "top = 6")]),
        ("recall(top = 5 at last) > 0", [("ATP164", "last")]),
        ("recall(method = apt) > 0", [("ATP115", "apt")]),
        ("recall(method = 3) > 0", [("ATP108", "3")]),
        ("gap(3) > 0", [("ATP164", "3")]),
        ("spearman(atp) > 0", [("ATP164", "spearman(atp)")]),
        ("spearman(atp, atp) > 0", [("ATP164", "spearman(atp, atp)")]),
        ("spearman(truth, truth) > 0", [("ATP164", "spearman(truth, truth)")]),
        ("spearman(atp, trth) > 0", [("ATP115", "trth")]),
        ("spearman(atp at last, truth) > 0", [("ATP164", "last")]),
        ("spearman(atp, truth, atp) > 0", [("ATP164", "spearman(atp, truth, atp)")]),
        ("has(L1H2)", [("ATP221", "L1H2")]),
        ("has()", [("ATP164", "has()")]),
        ("has(L1H2 at last, L1H3 at last)", [("ATP164", "has(L1H2 at last, L1H3 at last)")]),
        ("has(heds.z at last)", [("ATP220", "heds.z")]),
        ("has(heads.z[9.6] at last)", [("ATP222", "9.6")]),
        ("has(L1H2 at lst)", [("ATP262", "lst")]),
        ("has(L1H2 at last) > 3", [("ATP163", "has(L1H2 at last)")]),
        ("has(L1H2) at last", [("ATP107", "last")]),
        ("gap > 3 where layer > 3", [("ATP107", "layer > 3")]),
        ("gap > 3 { x = 3 }", [("ATP107", "{ x = 3 }")]),
        ("gap", [("ATP163", "gap")]),
        ("not gap", [("ATP163", "gap")]),
        ("gap + 3", [("ATP163", "gap + 3")]),
        ("3 > 2", [("ATP163", "3 > 2")]),
        ('gap > "a"', [("ATP163", '"a"')]),
        ("gap in [1, 2]", [("ATP163", "gap in [1, 2]")]),
        ("gap = 3", [("ATP107", "gap")]),
        ("gap > 3kg", [("ATP109", "3kg")]),
        ("misses < 5%", [("ATP109", "5%")]),
        ("upper_bound < 1", [("ATP164", "upper_bound")]),
        ("upper_bound(missed) < 1", [("ATP164", "missed")]),
        (
            "upper_bound(missed_effect, 99%) < 1",
            [("ATP164", "upper_bound(missed_effect, 99%)")],
        ),
        ("upper_bound(missed_effect, top = 5) < 1", [("ATP164", "top")]),
        ("upper_bound(missed_effect at last) < 1", [("ATP164", "last")]),
        ("upper_bound(missed_effect, confidence = 97%) < 1", [("ATP164", "97%")]),
        ("upper_bound(missed_effect, confidence = high) < 1", [("ATP164", "high")]),
        ("upper_bound(missed_effect, method = apt) < 1", [("ATP115", "apt")]),
        ("upper_bound(missed_effect)", [("ATP163", "upper_bound(missed_effect)")]),
        ("flagged(cancelation) < 1", [("ATP164", "cancelation")]),
        ("flagged(subset_sampling) < 1", [("ATP164", "subset_sampling")]),
        ("flagged(cancellation) < 5%", [("ATP109", "5%")]),
        ("flagged(saturation) < 1", [("ATP185", "flagged(saturation)")]),
        ("5% > misses", [("ATP109", "5%")]),
        ('template "x"', [("ATP107", "template")]),
        ("", [("ATP163", "expect")]),
    ],
)
def test_what_is_wrong_with_an_expectation_is_told_at_its_place(line, expected):
    assert problems(line) == expected


@pytest.mark.parametrize(
    ("before", "line", "expected"),
    [
        ("", "recall > 0", [("ATP162", "recall")]),
        ("", "spearman(atp, truth) > 0", [("ATP162", "atp")]),
        ("", "misses > 0", [("ATP162", "misses")]),
        ("", "effect(L1H2 at last) > 0", [("ATP162", "effect(L1H2 at last)")]),
        ("", "has(L1H2 at last)", [("ATP167", "has(L1H2 at last)")]),
        ("method ap\n", "recall > 0", [("ATP162", "recall")]),
        ("method ap\nmethod atp\n", "spearman(ap, truth) > 0", [("ATP116", "ap")]),
        ("method ap\nmethod atp\n", "recall(method = ap) > 0", [("ATP116", "ap")]),
        ("verify { top = 9 }\n", "recall(top = 9) > 0", [("ATP162", "recall(top = 9)")]),
        ("verify { top = 9 }\n", "misses > 0", [("ATP162", "misses")]),
        (RICH, "recall > 0", [("ATP165", "recall")]),
        (RICH, "score(L1H2 at last) > 0", [("ATP165", "score(L1H2 at last)")]),
        (RICH, "recall(method = back) > 0", [("ATP162", "back")]),
        (RICH, "effect(L1H2 at last, method = back) > 0", [("ATP162", "back")]),
        ("", "upper_bound(missed_effect) < 1", [("ATP185", "upper_bound(missed_effect)")]),
        ("", "flagged(cancellation) < 1", [("ATP185", "flagged(cancellation)")]),
        (RICH, "upper_bound(missed_effect, method = back) < 1", [("ATP162", "back")]),
        (RICH, "flagged(cancellation) < 1", [("ATP165", "flagged(cancellation)")]),
    ],
)  # fmt: skip
def test_what_could_never_be_decided_is_a_problem(before, line, expected):
    assert problems(line, before) == expected


def test_a_bound_is_the_same_for_all_estimates_that_verify_measures():
    bound = asked("upper_bound(missed_effect)", RICH)

    assert (bound.word, bound.confidence, bound.methods) == (
        "missed_effect",
        None,
        ("fast", "star"),
    )
    assert asked("upper_bound(missed_effect, method = star)", RICH).methods == ("star",)


@pytest.mark.parametrize(("written", "confidence"), [("99.9%", 0.999), ("0.9", 0.9)])
def test_a_bound_has_the_confidences_of_every_result(written, confidence):
    line = f"upper_bound(missed_effect, confidence = {written})"

    assert asked(line).confidence == confidence


def test_a_bound_may_have_the_confidence_of_subset_sampling():
    line = "upper_bound(missed_effect, confidence = 95%)"

    assert asked(line, RICH).confidence == 0.95
    assert problems(f"{line} < 1") == [("ATP164", "95%")]


def test_a_bound_is_also_that_of_a_verification_that_goes_on():
    before = "verify { top = 20; stop_when = misses(top = 20) < 5% }\n"

    assert asked("upper_bound(missed_effect)", before).methods == ("atp",)


def test_where_every_node_is_measured_there_is_no_bound():
    before = "method ap\nmethod atp\ndiagnose { subset_sampling }\n"

    assert problems("upper_bound(missed_effect) < 1", before) == [
        ("ATP182", "subset_sampling"),
        ("ATP162", "upper_bound(missed_effect)"),
    ]


def test_flags_are_counted_for_a_method_that_can_have_them():
    before = "method subsampling\nmethod atp\ndiagnose { cancellation; uncertainty }\n"

    assert asked("flagged(cancellation)", before).methods == ("atp",)
    assert asked("flagged(uncertainty, method = subsampling)", before).methods == (
        "subsampling",
    )
    assert problems("flagged(cancellation, method = subsampling) < 1", before) == [
        ("ATP182", "subsampling")
    ]


def test_nothing_is_said_of_a_diagnostic_that_could_not_be_read():
    before = "diagnose { cancelation; subset_samples }\n"
    line = "flagged(cancellation) < 1; upper_bound(missed_effect) < 1"

    assert problems(line, before) == [("ATP168", "cancelation"), ("ATP168", "subset_samples")]


def test_a_warning_about_diagnostics_does_not_swallow_a_question():
    before = "method ap\nmethod atp\ndiagnose { subset_sampling }\n"

    assert problems("flagged(cancellation) < 1", before) == [
        ("ATP182", "subset_sampling"),
        ("ATP185", "flagged(cancellation)"),
    ]


def test_a_method_with_a_star_is_called_by_its_name():
    before = "method atp\nmethod atp*\nverify { top = 20; random = 20; method = [atp, atp*] }\n"

    assert asked("recall(method = atp*)", before).methods == ("atp*",)
    assert asked("spearman(atp*, truth)", before).methods == ("atp*", None)
    assert asked("spearman(atp, atp*)", before).methods == ("atp", "atp*")


def test_a_shorter_top_than_was_verified_can_be_judged_without_random_nodes():
    assert expectations("recall(top = 8) > 0", "verify { top = 9 }\n")


def test_helps_say_what_to_write():
    assert helps("expect { recall > 0 }") == [
        "add `verify { top = 20; random = 20 }`, or `method ap`"
    ]
    assert helps(f"{ONE}expect {{ recall(20) > 0 }}") == ["write `top = 20`"]
    assert helps(f"{ONE}expect {{ recall(tpo = 20) > 0 }}") == ["did you mean `top`?"]
    assert helps(f"{ONE}expect {{ spearman(atp, trth) > 0 }}") == ["did you mean `truth`?"]
    assert helps(f"{RICH}expect {{ recall(method = back) > 0 }}") == [
        "add `back` to the methods of `verify`"
    ]


def test_nothing_is_said_of_a_method_that_could_not_be_read():
    text = "method star = atx\nexpect { recall(method = star) > 0; recall > 0 }"

    assert found(text) == [("ATP111", "atx")]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("recall(top=5%,method = star)>=90%", "recall(top = 5%, method = star) >= 0.9"),
        ("spearman(fast,  truth) > -0.25", "spearman(fast, truth) > -0.25"),
        (
            "not (gap > 1 or misses(method = fast) < 3)",
            "not (gap > 1 or misses(method = fast) < 3)",
        ),
        ("(gap > 1 or gap < 0) and gap != 2", "(gap > 1 or gap < 0) and gap != 2"),
        ("2 * (gap - 1) / 3 > 0", "(2 * (gap - 1)) / 3 > 0"),
        ("has( heads.z[L1H2]  at last )", "has( heads.z[L1H2] at last )"),
        ("upper_bound( missed_effect ) < 1", "upper_bound(missed_effect) < 1"),
        (
            "upper_bound(confidence=99%, method = star, missed_effect) < 1",
            "upper_bound(missed_effect, method = star, confidence = 99%) < 1",
        ),
        (
            "flagged(uncertainty, method = back) < 5",
            "flagged(uncertainty, method = back) < 5",
        ),
    ],
)
def test_a_result_says_an_expectation_with_its_names_settled(line, said):
    (one,) = expectations(line, RICH)

    assert one.as_json() == said
    assert expectations(said, RICH)[0].as_json() == said
