"""docs/reference.md, from the same topics as `atpdsl docs`."""

from __future__ import annotations

from collections.abc import Iterator

from atpdsl.reference.topic import Chapter, Example, Table, Topic
from atpdsl.reference.topics import chapters, problems_topic

HEAD = """\
# Reference

Every statement and setting of the language, and every name that a spec may use. This page is
made by `atpdsl docs --markdown`, from the same tables that check a spec; the guide to read
first is [language.md](language.md). In forms, capitals are to be filled in, and what stands in
`[ ]` may be left out.
"""
FENCES = {
    Example.SPEC: "atp",
    Example.PROMPTS: "atp-prompts",
    Example.NODES: "atp-nodes",
    Example.EXPECT: "atp-expect",
}


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for chapter in chapters():
        parts += _chapter(chapter)
    parts += ["## Problems\n", *_contents(problems_topic(), level=3)]
    return "\n".join(parts)


def _chapter(chapter: Chapter) -> Iterator[str]:
    yield f"## {chapter.title}\n"
    if not chapter.open:
        rows = tuple(_row(topic) for topic in chapter.topics)
        yield _table(Table(title="", headings=("name", "written", "what it is"), rows=rows))
        return
    for topic in chapter.topics:
        yield f"### `{topic.name}`\n"
        yield from _contents(topic, level=4)


def _row(topic: Topic) -> tuple[str, str, str]:
    name = topic.name.removeprefix("expect.")
    doc = f"{topic.doc} (not in this version)" if topic.later else topic.doc
    return f"`{name}`", f"`{topic.form}`", doc


def _contents(topic: Topic, *, level: int) -> Iterator[str]:
    yield f"{_sentence(topic.doc)}\n"
    if topic.form:
        yield f"```text\n{topic.form}\n```\n"
    for paragraph in topic.about:
        yield f"{paragraph}\n"
    if topic.example:
        yield f"```{FENCES[topic.place]}\n{topic.example}\n```\n"
    for table in topic.tables:
        if table.title:
            yield from (f"{'#' * level} {table.title}\n",) if len(topic.tables) > 1 else ()
        yield _table(table)


def _sentence(doc: str) -> str:
    first = doc[:1].upper() + doc[1:]
    return first if first.endswith(".") else f"{first}."


def _table(table: Table) -> str:
    lines = [_line(table.headings), _line(tuple("---" for _ in table.headings))]
    lines += [_line(row) for row in table.rows]
    return "\n".join(lines) + "\n"


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
