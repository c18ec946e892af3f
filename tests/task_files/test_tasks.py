"""The tasks of the library: sound on the embedded models, and on a real one."""

from __future__ import annotations

from pathlib import Path

import pytest

import atpdsl
from atpdsl import driver
from atpdsl.problems import Source
from atpdsl.problems.render import plain
from atpdsl.syntax import tree as t
from atpdsl.syntax.parse import parse

LIBRARY = Path(atpdsl.__file__).parent / "library"
FILES = sorted(LIBRARY.glob("*.atp"))


def sets_of(path: Path) -> list[str]:
    """The names of the sets of prompts that a file has."""
    tree, _ = parse(Source(path.name, path.read_text(encoding="utf-8")))
    named = (s.name for s in tree.statements if isinstance(s, t.PromptSet))
    return [name.text for name in named if name is not None]


SETS = [(path.stem, name) for path in FILES for name in sets_of(path)]
# The embedded models' words and contexts are small: no fruit, no code.
TOO_LONG_FOR_TINY = {"a_an", "docstring"}
# It reads and writes two digits at once; other models do one after the other.
TWO_DIGITS, ONE_DIGIT = ("greater_than", "greater_than"), ("greater_than", "by_digit")
ON_TINY = [one for one in SETS if one[0] not in TOO_LONG_FOR_TINY and one != ONE_DIGIT]

# It was trained on other forms of the rest.
KNOWN_TO_TINY = [one for one in ON_TINY if one[0] not in ("induction", "capitals")]


def spec(folder: Path, model: str, task: tuple[str, str], count: int = 8) -> Path:
    file, name = task
    metric = "prob_diff" if file == "greater_than" else "logit_diff"
    path = folder / "task.atp"
    path.write_text(
        f'atp 1\nmodel "{model}"\ninclude "lib:{file}"\n'
        f"prompts from {name} {{ count = {count} }}\n"
        f"metric {metric} at last\nnodes {{ heads.z at last }}\nmethod atp\n"
    )
    return path


def test_every_task_that_is_promised_is_there():
    wanted = {"ioi", "greater_than", "gender", "agreement", "capitals", "induction"}
    wanted |= {"docstring", "a_an", "successor", "names"}

    assert wanted == {path.stem for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_task_says_what_it_is_about(path):
    tree, problems = parse(Source(path.name, path.read_text(encoding="utf-8")))
    sets = [s for s in tree.statements if isinstance(s, t.PromptSet)]

    assert problems == ()
    assert tree.doc
    assert all(one.doc for one in sets)
    assert path.stem in [one.name.text for one in sets if one.name] or path.stem == "names"


@pytest.mark.parametrize("task", ON_TINY, ids="-".join)
def test_a_task_has_no_problems_on_the_embedded_model(tmp_path, task):
    study = driver.check(spec(tmp_path, "tiny", task))
    errors = plain(study.errors, study.source)

    assert study.errors == (), errors
    assert study.bound is not None
    assert len(study.bound.pairs) == 8


@pytest.mark.parametrize("seed", range(3))
def test_pairs_of_a_task_differ_in_what_the_task_says(tmp_path, seed):
    path = spec(tmp_path, "tiny", ("capitals", "capitals"), count=20)
    study = driver.check_source(
        Source("task.atp", f"{path.read_text()}run {{ seed = {seed} }}\n"), tmp_path
    )
    assert study.bound is not None
    for pair in study.bound.pairs.pairs:
        values = pair.text.values
        assert pair.text.clean == f"The capital of {values['country']} is"
        assert pair.text.corrupted == f"The capital of {values['another']} is"
        assert pair.text.answers == (f" {values['city']}",)
        assert pair.text.foils == (f" {values['another_city']}",)
        assert values["country"] != values["another"]


@pytest.mark.slow
@pytest.mark.parametrize("task", KNOWN_TO_TINY, ids="-".join)
def test_the_embedded_model_knows_the_task(tmp_path, task):
    result = atpdsl.run(spec(tmp_path, "tiny", task, count=24), out=tmp_path / "out")
    metric = result.record.metric

    assert metric.clean is not None
    assert metric.corrupted is not None
    assert metric.clean > 0
    assert metric.corrupted < metric.clean
