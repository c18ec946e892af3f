from __future__ import annotations

import pytest

from atpdsl.reference.task_files import library, tasks
from atpdsl.reference.topic import Chapter, Topic
from atpdsl.reference.topics import (
    SYNONYMS,
    all_topics,
    chapters,
    find,
    of_same_name,
    suggestion,
)
from atpdsl.semantics.schema import DIAGNOSE, LINES, PROMPTS_FROM_FILE, SHAPES
from atpdsl.syntax.parse import parse
from atpdsl.syntax.tree import PromptSet


def test_every_statement_line_and_key_is_a_topic():
    wanted = {shape.word for shape in (*SHAPES, *LINES)}
    wanted |= {
        f"{shape.word}.{key.name}"
        for shape in (*SHAPES, PROMPTS_FROM_FILE, *LINES, *DIAGNOSE.parts)
        for key in shape.keys
    }

    assert wanted <= set(all_topics())


def test_a_topic_says_something_in_a_line():
    for topic in all_topics().values():
        assert topic.doc, topic.name
        assert "\n" not in topic.doc
        for table in topic.tables:
            assert table.rows
            assert all(len(row) == len(table.headings) for row in table.rows)


@pytest.mark.parametrize("word", [*SYNONYMS, "metrics", "node kinds", "library", "problems"])
def test_groups_and_other_words_for_them_are_found(word):
    assert find(word) is not None


def test_a_statement_comes_before_a_group_of_the_same_name():
    nodes = find("nodes")

    assert isinstance(nodes, Topic)
    assert nodes.form.startswith("nodes {")
    assert isinstance(find("methods"), Chapter)


@pytest.mark.parametrize(
    ("word", "meant"),
    [("verfy", "verify"), ("top", "verify.top"), ("heads.x", "heads.k"), ("metrcs", "metrics")],
)
def test_a_misspelled_topic_is_guessed(word, meant):
    assert find(word) is None
    assert suggestion(word) in (meant, "heads.q", "heads.z", "heads.v")


def test_nothing_is_guessed_of_nonsense():
    assert suggestion("qqqqqqqq") is None


def test_names_of_a_chapter_are_different():
    for chapter in chapters():
        names = [topic.name for topic in chapter.topics]
        assert len(set(names)) == len(names)


def test_the_sets_of_library_files_are_those_that_the_parser_finds(monkeypatch):
    from atpdsl.elaboration.including import library_path
    from atpdsl.problems import Source

    for file in library():
        text = library_path(file.name).read_text(encoding="utf-8")
        tree, problems = parse(Source(file.name, text))
        sets = [s for s in tree.statements if isinstance(s, PromptSet)]

        assert problems == ()
        assert [s.name.text for s in sets if s.name] == list(file.sets)
        assert file.title


def test_every_task_has_a_main_set_and_a_metric():
    for task in tasks():
        assert task.main in task.sets
        assert " at " in task.metric


def test_all_that_has_one_name_is_found():
    atp = find("atp")

    assert isinstance(atp, Topic)
    assert [topic.form for topic in of_same_name(atp)] == ["atp 1", ""]
    assert len(of_same_name(all_topics()["let"])) == 2
    assert len(of_same_name(all_topics()["logprob"])) == 2
    assert of_same_name(all_topics()["verify.top"]) == (all_topics()["verify.top"],)
