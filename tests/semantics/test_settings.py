from __future__ import annotations

import pytest

from atpdsl.semantics.experiment import RunSettings
from tests.semantics.words import experiment_of, found, helps


def test_run_settings_have_defaults():
    assert experiment_of("").run == RunSettings()
    assert experiment_of("run { }").run == RunSettings()


def test_run_settings_are_read():
    text = (
        "run { device = mps; seed = 7; batch = 4; threads = 2; per_pair = on; executor = null }"
    )

    assert experiment_of(text).run == RunSettings(
        device="mps", seed=7, batch=4, threads=2, per_pair=True, executor="null"
    )


@pytest.mark.parametrize("word", ["auto", "cpu", "cuda", "mps", '"cuda:1"', '"cpu"'])
def test_devices_are_words_or_strings(word):
    assert experiment_of(f"run {{ device = {word} }}").run.device == word.strip('"')


@pytest.mark.parametrize(
    ("word", "value"), [("on", True), ("off", False), ("true", True), ("false", False)]
)
def test_switches_are_on_and_off(word, value):
    assert experiment_of(f"run {{ per_pair = {word} }}").run.per_pair is value


def test_a_model_has_a_revision_and_a_dtype():
    model = experiment_of('model "gpt2" { revision = "main"; dtype = bfloat16 }').model

    assert (model.name, model.revision, model.dtype) == ("gpt2", "main", "bfloat16")
    assert experiment_of('model "x"').model.dtype == "float32"
    assert experiment_of('model "x"').model.revision is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("run { sede = 1 }", [("ATP105", "sede")]),
        ("run { seed = 1; batch = 2; seed = 3 }", [("ATP106", "seed")]),
        ("run { seed = -1 }", [("ATP109", "-1")]),
        ("run { batch = 99999999999999999999 }", [("ATP017", "99999999999999999999")]),
        ("run { seed = 1.5 }", [("ATP108", "1.5")]),
        ("run { seed = 1e3 }", [("ATP108", "1e3")]),
        ("run { seed = 5% }", [("ATP108", "5%")]),
        ("run { seed = x }", [("ATP108", "x")]),
        ("run { seed = - x }", [("ATP108", "- x")]),
        ("run { batch = 0 }", [("ATP109", "0")]),
        ("run { threads = 5000 }", [("ATP109", "5000")]),
        ("run { per_pair = 1 }", [("ATP108", "1")]),
        ("run { per_pair = yes }", [("ATP108", "yes")]),
        ("run { device = gpu }", [("ATP321", "gpu")]),
        ('run { device = "cuda:x" }', [("ATP321", '"cuda:x"')]),
        ("run { device = [cpu] }", [("ATP108", "[cpu]")]),
        ("run { executor = nul }", [("ATP109", "nul")]),
        ("run { budget = 30min }", [("ATP110", "budget")]),
        ("run { seed == 3 }", [("ATP107", "seed == 3")]),
        ("run { seed }", [("ATP107", "seed")]),
        ("run { sed }", [("ATP107", "sed")]),
        ("run { 3 }", [("ATP107", "3")]),
        ("run { seed = 3 { x = 1 } }", [("ATP107", "{ x = 1 }")]),
        ('run { pair "a" -> "b" }', [("ATP107", "pair")]),
        ("run { let x = 3 }", [("ATP110", "let")]),
        ("run fast { seed = 3 }", [("ATP110", "fast")]),
        ('model gpt = "gpt2"', [("ATP110", "gpt")]),
        ("model gpt2", [("ATP108", "gpt2")]),
        ('model " "', [("ATP108", '" "')]),
        ('model "x" { dtype = fp16 }', [("ATP322", "fp16")]),
        ('model "x" { revision = "" }', [("ATP109", '""')]),
        ('model "x" { revision = 3 }', [("ATP108", "3")]),
        ("metric logit_dif", [("ATP112", "logit_dif")]),
        ("metric prob(3) - prob(4)", [("ATP110", "prob(3) - prob(4)")]),
        ("metric gap = logit_diff", [("ATP110", "gap")]),
        ("metric logit_diff { normalize = true }", [("ATP110", "normalize")]),
        ("metric logit_diff { scale = 3 }", [("ATP105", "scale")]),
    ],
)
def test_what_is_wrong_with_a_setting_is_told_at_its_place(text, expected):
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("run { sede = 1 }", "did you mean `seed`?"),
        ("run { device = gpu }", "did you mean `cuda`?"),
        ('model "x" { dtype = fp16 }', "did you mean `float16`?"),
        ("prompts { align = pad_left }", "did you mean `end`?"),
        ("run { seed }", "write `seed = ...`"),
        ("run { seed == 3 }", "write `seed = ...`"),
        ("run { sed }", "did you mean `seed = ...`?"),
        ("metric logit_dif", "did you mean `logit_diff`?"),
    ],
)
def test_the_help_says_what_was_meant(text, advice):
    assert advice in helps(text)
