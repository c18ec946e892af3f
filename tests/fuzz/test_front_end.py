"""Whatever the text is, problems come of it, and nothing else.

`ATPDSL_FUZZ=50000 pytest tests/fuzz` takes that many texts instead of 2,000. A failure names
the seeds of its texts: `text_of(seed)` is the text.
"""

from __future__ import annotations

import os
import traceback
from pathlib import Path

import pytest

from tests.fuzz.front_end import Reached, go_through, prepare
from tests.fuzz.inputs import KINDS, MUTATIONS, examples, shipped_specs, text_of
from tests.semantics.words import complete

FEW = 2_000
TEXTS = int(os.environ.get("ATPDSL_FUZZ", str(FEW)))
PARTS = 10


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare(tmp_path_factory.mktemp("fuzz"))


def where(error: BaseException) -> str:
    """What tells two bugs apart."""
    frames = [
        f"{Path(frame.filename).name}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    return f"{type(error).__name__}: {str(error)[:300]} at {' '.join(frames[-3:])}"


@pytest.mark.parametrize("part", range(PARTS))
def test_any_text_gives_problems_at_most(folder, part):
    bugs: dict[str, list[int]] = {}
    for seed in range(part, TEXTS, PARTS):
        try:
            go_through(text_of(seed), folder, formatting=seed % 3 == 0 or TEXTS > FEW)
        except Exception as error:  # noqa: BLE001 - any of them is a bug
            bugs.setdefault(where(error), []).append(seed)

    assert bugs == {}


def reached(texts: tuple[str, ...], folder: Path) -> list[Reached]:
    return [go_through(text, folder, formatting=False) for text in texts]


def test_the_texts_that_are_mutated_come_far(folder):
    whole = reached((*shipped_specs(), *examples()[::3]), folder)

    assert sum(one.bound for one in whole) > len(whole) / 4


def test_the_mutated_texts_come_to_every_stage(folder):
    some = reached(tuple(map(text_of, range(150))), folder)

    assert sum(one.parsed for one in some) > 50
    assert sum(not one.parsed for one in some) > 50
    assert sum(one.bound for one in some) > 5


def test_a_seed_gives_a_text_again():
    texts = [text_of(seed) for seed in range(200)]

    assert texts == [text_of(seed) for seed in range(200)]
    assert len(set(texts)) > 150


def test_every_kind_and_mutation_is_there_once_by_name():
    names = [function.__name__ for function in {*KINDS, *MUTATIONS}]

    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "text",
    [
        # A computed metric over slots of which no template is known.
        'prompts {\nslot S in ["a", "b"]\ncorrupt S -> other\nanswer " a" vs " b"\n}\n'
        "metric m = prob(S) at last",
        # Names longer than a file's can be.
        f'model "{"x" * 5_000}"',
        f'model "./{"x" * 5_000}"',
    ],
)
def test_what_was_found_once_is_not_found_again(folder, text):
    go_through(complete(text), folder)
