"""What `atpdsl docs TOPIC` and the reference page are made of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Example(StrEnum):
    """Where an example can stand."""

    SPEC = "spec"
    PROMPTS = "prompts"
    NODES = "nodes"
    EXPECT = "expect"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of texts below headings; texts have words of the language in backticks."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """Something that can be asked about.

    Attributes:
        name: as it is asked for.
        doc: what it is, in one line.
        form: how it is written; "" where there is nothing to say.
        example: something that can be run, as the lines of a spec, or lines of the block that
            `place` names.
        about: paragraphs.
        later: part of the language, but not of this version.
    """

    name: str
    doc: str
    form: str = ""
    example: str = ""
    place: Example = Example.SPEC
    about: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    later: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """Topics of one kind; on the page each topic of an `open` one has a section of its own."""

    name: str
    title: str
    topics: tuple[Topic, ...]
    open: bool = True
