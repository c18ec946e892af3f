"""All topics of the reference, in chapters, and how one is found."""

from __future__ import annotations

from functools import cache

from atpdsl.problems.codes import GROUPS
from atpdsl.reference import names
from atpdsl.reference.grammar_topics import FORM_TOPICS
from atpdsl.reference.statements import (
    diagnostic_topics,
    key_topics,
    line_topics,
    statement_topics,
)
from atpdsl.reference.topic import Chapter, Table, Topic
from atpdsl.registry import closest

# Other words for topics and chapters.
SYNONYMS = {
    "operators": "values",
    "numbers": "values",
    "strings": "values",
    "lists": "values",
    "ranges": "values",
    "readings": "computed metrics",
    "where": "conditions",
    "slots": "texts",
    "at": "positions",
    "kinds": "node kinds",
    "expectations": "expect functions",
    "codes": "problems",
    "errors": "problems",
    "flags": "diagnostics",
    "bounds": "subset_sampling",
    "graddrop": "atp*",
    "tasks": "library",
    "lib": "library",
    "sources": "origins",
}


@cache
def chapters() -> tuple[Chapter, ...]:
    """The reference in the order of its page."""
    return (
        Chapter(name="statements", title="Statements", topics=statement_topics()),
        Chapter(name="lines", title="Lines of `prompts`", topics=line_topics()),
        Chapter(
            name="diagnostics", title="Diagnostics of `diagnose`", topics=diagnostic_topics()
        ),
        Chapter(name="form", title="Form", topics=FORM_TOPICS),
        Chapter(
            name="origins",
            title="Where words and pairs come from",
            topics=names.origin_topics(),
            open=False,
        ),
        Chapter(name="node kinds", title="Kinds of nodes", topics=names.kind_topics()),
        Chapter(name="metrics", title="Metrics", topics=names.metric_topics()),
        Chapter(
            name="computed metrics",
            title="Readings of computed metrics",
            topics=names.reading_topics(),
        ),
        Chapter(name="methods", title="Methods", topics=names.method_topics()),
        Chapter(
            name="functions",
            title="Functions of formulas",
            topics=names.function_topics(),
            open=False,
        ),
        Chapter(
            name="expect functions",
            title="What `expect` can ask",
            topics=names.expectation_topics(),
            open=False,
        ),
        Chapter(name="exports", title="Exports", topics=names.export_topics(), open=False),
        Chapter(name="models", title="Models", topics=names.model_topics(), open=False),
        Chapter(name="library", title="Library", topics=names.task_file_topics(), open=False),
    )


def problems_topic() -> Topic:
    """The codes of problems, group by group."""
    tables = tuple(
        Table(
            title=group,
            headings=("code", "problem"),
            rows=tuple((f"`{code.code}`", code.title) for code in codes),
        )
        for group, codes in GROUPS
    )
    return Topic(
        name="problems",
        doc="mistakes and obstacles by their codes; `atpdsl explain CODE` tells more about one",
        tables=tables,
    )


@cache
def all_topics() -> dict[str, Topic]:
    """Every topic by its name; a statement comes before something else of the same name."""
    found: dict[str, Topic] = {}
    for chapter in chapters():
        for topic in chapter.topics:
            found.setdefault(topic.name, topic)
            found.setdefault(topic.name.removesuffix("(...)"), topic)
    for topic in key_topics():
        found.setdefault(topic.name, topic)
    found.setdefault("problems", problems_topic())
    return found


def find(word: str) -> Topic | Chapter | None:
    """What a word asks for; None if nothing is called that."""
    word = SYNONYMS.get(word, word)
    topic = all_topics().get(word) or all_topics().get(f"prompts.{word}")
    if topic is not None:
        return topic
    return next((chapter for chapter in chapters() if chapter.name == word), None)


def of_same_name(topic: Topic) -> tuple[Topic, ...]:
    """Everything that is called so: `atp` is a statement and a method."""
    name = topic.name.removesuffix("(...)")
    named = tuple(
        other
        for chapter in chapters()
        for other in chapter.topics
        if other.name.removesuffix("(...)") == name
    )
    return named or (topic,)


def suggestion(word: str) -> str | None:
    """The name of the topic that was probably meant."""
    known = (*all_topics(), *SYNONYMS, *(chapter.name for chapter in chapters()))
    # `top` may be a setting, which is known as `verify.top`.
    settings = [name for name in all_topics() if name.endswith(f".{word}")]
    return settings[0] if settings else closest(word, known)
