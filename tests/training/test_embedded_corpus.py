"""The texts that the embedded models learn."""

import re
from itertools import combinations
from pathlib import Path

import pytest

from training import corpus
from training.tasks import TASKS, ask

GUIDE = Path(__file__).parents[2] / "training" / "README.md"
WORD_LISTS = {
    "NAMES": corpus.NAMES,
    "PLACES": corpus.PLACES,
    "OBJECTS": corpus.OBJECTS,
    "EVENTS": corpus.EVENTS,
    "COUNTRIES": corpus.COUNTRIES,
    "CITIES": corpus.CITIES,
    "NOUNS": corpus.NOUNS,
    "ADJECTIVES": corpus.ADJECTIVES,
    "DAYS": corpus.DAYS,
    "MONTHS": corpus.MONTHS,
    "NUMBERS": corpus.NUMBERS,
}


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return ["".join(pieces) for pieces in corpus.sample_texts(seed=0, count=20_000)]


def frame(template: str) -> re.Pattern[str]:
    """What a filled template looks like, whatever fills it."""
    return re.compile(re.sub(r"\\\{\w+\\\}", r"\\w+", re.escape(template)))


@pytest.mark.parametrize("words", WORD_LISTS.values(), ids=WORD_LISTS)
def test_word_list_has_no_repeats(words):
    assert len(set(words)) == len(words)


@pytest.mark.parametrize("words", [corpus.NAMES, corpus.PLACES, corpus.OBJECTS])
def test_slot_lists_of_ioi_have_thirty_words(words):
    assert len(words) >= 30


def test_slot_lists_of_ioi_share_no_word():
    for first, second in combinations([corpus.NAMES, corpus.PLACES, corpus.OBJECTS], 2):
        assert not set(first) & set(second)


def test_no_name_is_both_male_and_female():
    assert not set(corpus.MALE_NAMES) & set(corpus.FEMALE_NAMES)


@pytest.mark.parametrize("template", corpus.HELD_OUT_IOI_TEMPLATES.values())
def test_held_out_template_is_in_no_training_text(template, texts):
    pattern = frame(template)

    assert template not in corpus.IOI_TEMPLATES
    assert not any(pattern.search(text) for text in texts)


@pytest.mark.parametrize("template", corpus.IOI_TEMPLATES)
def test_training_template_is_in_training_texts(template, texts):
    pattern = frame(template)

    assert any(pattern.search(text) for text in texts)


def test_same_seed_gives_the_same_texts():
    texts = corpus.sample_texts(seed=3, count=200)

    assert corpus.sample_texts(seed=3, count=200) == texts
    assert corpus.sample_texts(seed=4, count=200) != texts


@pytest.mark.parametrize("task", TASKS)
def test_same_seed_asks_the_same_questions(task):
    questions = ask(task, count=20, seed=3)

    assert ask(task, count=20, seed=3) == questions
    assert ask(task, count=20, seed=4) != questions


@pytest.mark.parametrize("task", TASKS)
def test_no_word_is_right_and_wrong(task):
    for question in ask(task, count=50, seed=0):
        assert question.right
        assert question.wrong
        assert not set(question.right) & set(question.wrong)


def test_guide_lists_every_template():
    guide = GUIDE.read_text(encoding="utf-8")

    assert [t for t in corpus.all_templates() if t.strip() not in guide] == []


@pytest.mark.parametrize("words", WORD_LISTS.values(), ids=WORD_LISTS)
def test_guide_lists_every_word(words):
    guide = GUIDE.read_text(encoding="utf-8")

    assert [word for word in words if not re.search(rf"\b{word}\b", guide)] == []
