from __future__ import annotations

import pytest

from atpdsl.semantics.experiment import RunSettings
from tests.semantics.words import complete, experiment_of, found, helps, resolved


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


@pytest.mark.parametrize(
    ("written", "number"),
    [
        *(("4GB", 4 * 10**9), ("1.5GiB", 3 * 2**29), ("500MB", 5 * 10**8), ("64kB", 64_000)),
        *(("2TiB", 2**41), ("0.1GB", 10**8)),
    ],
)
def test_memory_has_units(written, number):
    assert experiment_of(f"run {{ memory = {written} }}").run.memory == number


@pytest.mark.parametrize(
    ("written", "seconds"), [("30s", 30), ("10min", 600), ("1.5h", 5400), ("0.1s", 0.1)]
)
def test_a_budget_has_units(written, seconds):
    assert experiment_of(f"run {{ budget = {written} }}").run.budget == seconds


@pytest.mark.parametrize(
    "word",
    ["auto", "cpu", "cuda", "mps", "all", "split", '"cuda:1"', '"cpu"', '"cuda:0,cuda:12"'],
)
def test_devices_are_words_or_strings(word):
    assert experiment_of(f"run {{ device = {word} }}").run.device == word.strip('"')


@pytest.mark.parametrize(("word", "value"), [("on", True), ("off", False)])
def test_a_run_may_have_to_be_reproducible(word, value):
    assert experiment_of(f"run {{ deterministic = {word} }}").run.deterministic is value


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
        ('run { device = "cuda:0,cpu" }', [("ATP321", '"cuda:0,cpu"')]),
        ('run { device = "cuda:0," }', [("ATP321", '"cuda:0,"')]),
        ("run { deterministic = yes }", [("ATP108", "yes")]),
        ("run { device = [cpu] }", [("ATP108", "[cpu]")]),
        ("run { executor = nul }", [("ATP109", "nul")]),
        ("run { memory = 4 }", [("ATP108", "4")]),
        ("run { memory = 4gb }", [("ATP108", "4gb")]),
        ("run { memory = 4min }", [("ATP108", "4min")]),
        ("run { memory = 0GB }", [("ATP109", "0GB")]),
        ('run { memory = "4GB" }', [("ATP108", '"4GB"')]),
        ("run { memory = - 4GB }", [("ATP108", "- 4GB")]),
        ("run { budget = 5% }", [("ATP108", "5%")]),
        ("run { budget = 10m }", [("ATP108", "10m")]),
        ("run { cache = on }", [("ATP110", "cache")]),
        ("run { seed == 3 }", [("ATP107", "seed == 3")]),
        ("run { seed }", [("ATP107", "seed")]),
        ("run { sed }", [("ATP107", "sed")]),
        ("run { 3 }", [("ATP107", "3")]),
        ("run { seed = 3 { x = 1 } }", [("ATP107", "{ x = 1 }")]),
        ('run { pair "a" -> "b" }', [("ATP107", "pair")]),
        ("run { let x = 3 }", [("ATP107", "let")]),
        ("run fast { seed = 3 }", [("ATP110", "fast")]),
        ('model gpt = "gpt2"', [("ATP110", "gpt")]),
        ("model gpt2", [("ATP108", "gpt2")]),
        ('model " "', [("ATP108", '" "')]),
        ('model "x" { dtype = fp16 }', [("ATP322", "fp16")]),
        ('model "x" { revision = "" }', [("ATP109", '""')]),
        ('model "x" { revision = 3 }', [("ATP108", "3")]),
        ("metric logit_dif", [("ATP112", "logit_dif")]),
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


@pytest.mark.parametrize(
    ("text", "message", "advice"),
    [
        ("verify { top = 5px }", "`top` has no unit", "write `top = 5`"),
        ("run { batch = 8MB }", "`batch` has no unit", "write `batch = 8`"),
        ("run { seed = 5% }", "`seed` is a whole number, not a percentage", None),
        ("run { memory = 4gb }", "the unit `gb` is written `GB`", "write `memory = 4GB`"),
        ("run { memory = 4m }", "the unit `m` is written `MB`", "write `memory = 4MB`"),
        ("run { budget = 10m }", "the unit `m` is written `min`", "write `budget = 10min`"),
        ("run { budget = 2hours }", "the unit `hours` is written `h`", None),
        ("run { budget = 10 }", "`budget` needs a unit", "the units are `s`, `min` or `h`"),
        ("run { budget = 4GB }", "`budget` has no unit `GB`", None),
        ("run { budget = long }", "`budget` is a time as `10min`", None),
        ('verify { top = "20" }', None, "write `top = 20`"),
        ("run { per_pair = yes }", "`per_pair` is `on` or `off`", "write `per_pair = on`"),
        ("run { per_pair = False }", None, "write `per_pair = off`"),
        ("run { threads = 5000 }", "`threads` is at most 4,096, not 5,000", None),
        ("verify { top = 120% }", "`top` is at most 100%", None),
        ("verify { seed = 1 }", None, "`seed` belongs into `run`: `run { seed = ... }`"),
        ("run { top = 1 }", None, "`top` belongs into `verify`: `verify { top = ... }`"),
        (
            *("nodes { mlp at last; keep = 5% }", "`nodes` has no setting `keep`"),
            "`keep` belongs into `prompts` or `circuit`: `prompts { keep = ... }`",
        ),
        ('verify { template "x" }', None, "`template` belongs into `prompts`"),
        ('model "tiny" { precision = float32 }', None, "did you mean `dtype`?"),
        ("verify { k = 3 }", None, "did you mean `top`?"),
        ("model tiny", "a model's name is wanted here", 'write it in quotes: `model "tiny"`'),
    ],
)
def test_what_to_do_about_a_setting_is_said(text, message, advice):
    (problem,) = resolved(complete(text))[1]

    assert message in (None, problem.message)
    assert advice in (None, problem.help)


def test_what_is_not_in_this_version_comes_with_advice():
    (problem,) = resolved(complete("run { cache = on }"))[1]

    assert problem.code == "ATP110"
    assert problem.help
