from __future__ import annotations

import pytest

from atpdsl.semantics.experiment import Direction, VerifyCall
from tests.semantics.words import experiment_of, found, helps


def verify(text: str) -> VerifyCall:
    call = experiment_of(text).verify
    assert call is not None
    return call


def test_a_method_is_called_like_itself_unless_it_has_a_name():
    calls = experiment_of("method ap\nmethod back = atp { direction = denoising }").methods

    assert [(call.label, call.method, call.direction) for call in calls] == [
        ("ap", "ap", Direction.NOISING),
        ("back", "atp", Direction.DENOISING),
    ]


def test_settings_of_a_method_have_its_defaults():
    (call,) = experiment_of("method stepped").methods

    assert dict(call.settings) == {"steps": 5, "over": "all", "scale": 1.0, "exact": False}


def test_settings_of_a_method_are_read():
    lines = "steps = 7; over = one; scale = -0.5; exact = on; direction = denoising"
    (call,) = experiment_of(f"method s = stepped {{ {lines} }}").methods

    assert dict(call.settings) == {"steps": 7, "over": "one", "scale": -0.5, "exact": True}
    assert call.direction is Direction.DENOISING


def test_verify_takes_all_estimates_unless_it_names_some():
    methods = "method ap\nmethod atp\nmethod s = stepped\n"

    assert verify(methods + "verify { }").methods == ("atp", "s")
    assert verify(methods + "verify { method = s }").methods == ("s",)
    assert verify(methods + "verify { method = [s, atp, s] }").methods == ("s", "atp")


def test_numbers_to_verify_may_be_shares_of_all_nodes():
    call = verify("verify { top = 5%; random = 0.1% }")

    assert (call.top_share, call.random_share) == (0.05, 0.001)
    assert (call.top, call.random) == (0, 0)
    assert verify("verify { top = 7 }").top_share is None


def test_verify_has_defaults():
    assert (verify("verify { }").top, verify("verify { }").random) == (20, 0)
    assert (
        verify("verify { top = 0; random = 9 }").top,
        verify("verify { random = 9 }").random,
    ) == (0, 9)
    assert experiment_of("").verify is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("method apt", [("ATP111", "apt")]),
        ("method atp*\nmethod atp*", [("ATP113", "method atp*")]),
        ("method atp* { qk_fix = 1 }", [("ATP108", "1")]),
        ("method atp* { grad_drop = layers }", [("ATP109", "layers")]),
        ("method subsampling { grad_drop = on }", [("ATP105", "grad_drop")]),
        ("method subsampling { inclusion = 60% }", [("ATP109", "60%")]),
        ("method subsampling { inclusion = 3 }", [("ATP109", "3")]),
        ("method subsampling { inclusion = 0% }", [("ATP109", "0%")]),
        ("method subsampling { inclusion = few }", [("ATP108", "few")]),
        ("method hierarchical { most = 0 }", [("ATP109", "0")]),
        ("method eap_ig", [("ATP110", "eap_ig")]),
        ('method "atp"', [("ATP108", '"atp"')]),
        ("method atp\nmethod atp", [("ATP113", "method atp")]),
        ("method a = ap\nmethod a = atp", [("ATP113", "method a = atp")]),
        ("method atp { direction = up }", [("ATP109", "up")]),
        ("method atp { steps = 3 }", [("ATP105", "steps")]),
        ("method atp { ig_steps = 3 }", [("ATP110", "ig_steps")]),
        ("method stepped { steps = 0 }", [("ATP109", "0")]),
        ("method stepped { over = two }", [("ATP109", "two")]),
        ("method ap\nverify { }", [("ATP114", "verify")]),
        ("verify { method = apt }", [("ATP115", "apt")]),
        ("method ap\nmethod atp\nverify { method = ap }", [("ATP116", "ap")]),
        ("verify { method = [] }", [("ATP204", "[]")]),
        ('verify { method = "atp" }', [("ATP108", '"atp"')]),
        ("verify { top = 101% }", [("ATP109", "101%")]),
        ("verify { top = 5kg }", [("ATP108", "5kg")]),
        ("verify { budget = 10min }", [("ATP110", "budget")]),
        ("verify { method = atp* }", [("ATP115", "atp*")]),
        ("verify { cancellation }", [("ATP107", "cancellation")]),
        ("verify all { }", [("ATP110", "all")]),
    ],
)
def test_what_is_wrong_with_methods_is_told_at_its_place(text, expected):
    assert found(text) == expected


def test_one_mistake_in_a_method_is_not_told_again_by_verify():
    assert found("method apt\nverify { method = apt }") == [("ATP111", "apt")]
    assert found("method apt\nverify { }") == [("ATP111", "apt")]


def test_a_method_with_a_star_has_settings_and_can_be_named_everywhere():
    text = "method atp* { grad_drop = on }\nmethod atp { qk_fix = on }\n"
    star, plain = experiment_of(text).methods

    assert (star.label, star.method, dict(star.settings)) == (
        "atp*",
        "atp*",
        {"qk_fix": True, "grad_drop": "on"},
    )
    assert dict(plain.settings) == {"qk_fix": True, "grad_drop": "off"}
    assert verify(text + "verify { method = atp* }").methods == ("atp*",)
    assert verify(text + "verify { method = [atp*, atp] }").methods == ("atp*", "atp")
    circuit = experiment_of(text + "circuit { from = atp* }").circuit
    assert circuit is not None
    assert circuit.method == "atp*"


def test_the_name_of_a_method_may_come_from_a_sweep_or_a_let():
    text = "let best = atp*\nmethod atp\nmethod atp*\nverify { method = best }"

    assert verify(text).methods == ("atp*",)


def test_a_second_use_of_a_method_is_told_a_name_that_can_be_written():
    (told,) = helps("method atp*\nmethod atp*")

    assert told == "name one of them: `method atp_star_2 = atp*`"
    assert experiment_of("method atp*\nmethod atp_star_2 = atp*")


@pytest.mark.parametrize(("written", "share"), [("3%", 0.03), ("0.03", 0.03), ("50%", 0.5)])
def test_a_share_is_a_percentage_or_a_number(written, share):
    (call,) = experiment_of(f"method subsampling {{ inclusion = {written} }}").methods

    assert call.settings["inclusion"] == share
    assert call.node_shares == ()


def test_an_amount_of_a_method_is_a_count_or_a_share_of_all_nodes():
    few, some, all_of_them = experiment_of(
        "method a = hierarchical { most = 9 }\n"
        "method b = hierarchical { most = 5% }\n"
        "method hierarchical"
    ).methods

    assert (few.settings["most"], few.node_shares) == (9, ())
    assert (some.settings["most"], some.node_shares) == (0.05, ("most",))
    assert (all_of_them.settings["most"], all_of_them.node_shares) == (None, ())


def test_a_switch_of_words_has_other_words():
    told = ["did you mean `on`?"]

    assert helps("method atp* { grad_drop = true }") == told
    assert helps("method atp* { grad_drop = none }") == ["did you mean `off`?"]


def test_a_misspelled_method_gets_a_suggestion():
    assert helps("method attp") == ["did you mean `atp`?"]
    assert helps("method fast = atp\nverify { method = fats }") == ["did you mean `fast`?"]
