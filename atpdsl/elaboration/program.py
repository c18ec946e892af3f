"""What elaboration gives: the trees of all points of a spec, and what its names are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from atpdsl.problems import Problem, Source, Span
from atpdsl.syntax import tree as t


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One point of a sweep; a spec without `sweep` has one.

    Attributes:
        values: the sweep's names (and `prompts`, if several sets are measured) with their
            values as text, in the order of the spec.
        tree: the spec at this point, without `include`, `let`, `param` and `sweep`, and with
            the one set of prompts that is measured.
    """

    values: tuple[tuple[str, str], ...] = ()
    tree: t.SpecFile


class Kind(StrEnum):
    """What a name of a file stands for."""

    LET = "let"
    PARAM = "param"
    SWEEP = "sweep"
    PROMPTS = "prompts"
    INCLUDE = "include"


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A name that stands for something in the whole of a file.

    Attributes:
        name: with the name of the `include` before it, where that has one: `common.names`.
        span: where the name is written first.
        statement: the whole statement.
        value: what stands behind the `=` or the `in`, as it is written.
        uses: every place where the name stands for that, in all files; of `common.names` and
            `{names}` the name alone.
        doc: its `##` comment.
    """

    name: str
    kind: Kind
    span: Span
    statement: Span
    value: str = ""
    uses: tuple[Span, ...] = ()
    doc: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A `param` of a spec.

    Attributes:
        name: as it is written after `-p`.
        default, value: as they are written, in the spec and now.
        help: what it is for.
    """

    name: str
    default: str
    value: str
    help: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class IncludedFile:
    """A file that was included.

    Attributes:
        written: its path in the first `include`.
        path: where it lies.
        span: that path in the text.
        offset: where its text begins among the offsets of the program's source.
    """

    written: str
    path: Path
    span: Span
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A spec, elaborated.

    Attributes:
        source: the spec's text, with the texts of included files as its parts.
        points: in the order of the spec, the last sweep's values changing fastest; where there
            are errors, as many as could be made of the rest, and always one.
        variables: the names that differ from point to point.
        files: included files by path as written, for editors and locks.
        included: the same files with their places, in the order of the source's parts.
        definitions: the names of the spec and of included files, in the order of the text.
        params: the values that can be set from outside.
    """

    source: Source
    points: tuple[Point, ...]
    problems: tuple[Problem, ...] = ()
    variables: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    included: tuple[IncludedFile, ...] = ()
    definitions: tuple[Definition, ...] = ()
    params: tuple[Parameter, ...] = ()
