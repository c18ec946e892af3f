"""`atpdsl docs`."""

from __future__ import annotations

import argparse
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from atpdsl.cli.failures import DONE, USAGE
from atpdsl.cli.spec_docs import spec_docs
from atpdsl.cli.terminal import WIDTH, columns, say, say_json, show, tell
from atpdsl.problems.clean import clean
from atpdsl.reference.topic import Chapter, Table, Topic
from atpdsl.reference.topics import chapters, find, of_same_name, suggestion

if TYPE_CHECKING:
    from rich.console import RenderableType

INDENT = "  "


def docs(chosen: argparse.Namespace) -> int:
    """Tell what a word means; without one, what there is to ask about."""
    if chosen.json:
        from atpdsl.reference.words import SCHEMA, words

        say_json(SCHEMA, **words())
    elif chosen.markdown:
        from atpdsl.reference.page import page

        say(page().rstrip("\n"))
    elif not chosen.topic:
        show(*_index())
    else:
        return _look_up(" ".join(chosen.topic))
    return DONE


def _look_up(word: str) -> int:
    found = find(word.strip("` "))
    if isinstance(found, Topic):
        for number, topic in enumerate(of_same_name(found)):
            show(*([""] if number else []), *_topic(topic))
    elif isinstance(found, Chapter):
        show(*_chapter(found))
    elif word.endswith(".atp") or Path(word).is_file():
        show(*spec_docs(Path(word)))
    elif re.fullmatch(r"ATP\d+", word, re.IGNORECASE):
        tell(f"problems are told by another command: `atpdsl explain {clean(word)}`")
        return USAGE
    else:
        meant = suggestion(word)
        advice = f"did you mean `{meant}`?" if meant else "`atpdsl docs` says what there is"
        tell(f"atpdsl docs: there is nothing called `{clean(word)}`; {advice}")
        return USAGE
    return DONE


def _index() -> Iterator[RenderableType]:
    """The chapters with the names in them."""
    for chapter in chapters():
        names = ", ".join(topic.name for topic in chapter.topics)
        yield f"{chapter.name}:"
        yield _wrapped(names, INDENT)
        yield ""
    yield "problems:"
    yield _wrapped("`atpdsl explain` lists them, `atpdsl explain CODE` tells more", INDENT)
    yield ""
    yield _wrapped(
        "`atpdsl docs TOPIC` tells more about a name or a group of them, `atpdsl docs"
        " verify.top` about a setting, `atpdsl docs SPEC.atp` about a spec."
    )


def _chapter(chapter: Chapter) -> Iterator[RenderableType]:
    yield f"{chapter.title.replace('`', '')}:"
    table = columns("name", "what it is", fixed=("name",))
    for topic in chapter.topics:
        doc = f"{topic.doc} (not in this version)" if topic.later else topic.doc
        table.add_row(_call(topic), clean(doc))
    yield table
    yield ""
    yield _wrapped(f"`atpdsl docs {chapter.topics[0].name}` tells more about one.")


def _call(topic: Topic) -> str:
    """How a function is called, else the name."""
    called = topic.form.startswith(f"{topic.name}(") and topic.form.endswith(")")
    return topic.form if called else topic.name.removeprefix("expect.")


def _topic(topic: Topic) -> Iterator[RenderableType]:
    from rich.text import Text

    yield Text(topic.name, style="bold")
    yield _wrapped(topic.doc, INDENT)
    for word, text in (("form", topic.form), ("example", topic.example)):
        if text:
            yield ""
            yield f"{word}:"
            yield textwrap.indent(text, INDENT * 2)
    for paragraph in topic.about:
        yield ""
        yield _wrapped(paragraph)
    for table in topic.tables:
        yield ""
        if table.title:
            yield f"{table.title}:"
        yield _table(table)


def _table(table: Table) -> RenderableType:
    """The table without columns that are empty throughout."""
    used = [
        number
        for number in range(len(table.headings))
        if any(row[number] for row in table.rows)
    ]
    first = table.headings[used[0]]
    shown = columns(*(table.headings[number] for number in used), fixed=(first,))
    shown.show_header = any(table.headings)
    for row in table.rows:
        shown.add_row(*(_bare(row[number]) for number in used))
    return shown


def _bare(cell: str) -> str:
    """A cell whose words are all in backticks, without them."""
    parts = cell.split("`")
    between = [part for part in parts[::2] if part.strip(", ")]
    return cell if between else cell.replace("`", "")


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,
    )
