"""Rows of CSV and JSONL files."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

Value = str | dict[str, "Value"] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row: its first line's number in the file, from 1, and its columns.

    A value is a text (numbers as they are written), an object of values, or None for what
    cannot stand in a prompt (null, true, a list).
    """

    line: int
    columns: dict[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    """A row that cannot be read, why, and what helps if that is not the format's usual help."""

    line: int
    reason: str
    advice: str = ""


def read_csv(text: str) -> Iterator[Row | BadRow]:
    """Rows of a CSV text whose first row names the columns; empty lines are passed over."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    line = 1
    try:
        for cells in reader:
            first, line = line, reader.line_num + 1
            if not cells:
                continue
            if header is None:
                header = cells
                if repeated := [name for name, n in Counter(cells).items() if n > 1]:
                    reason = f"it names `{repeated[0]}` twice"
                    advice = "give every column a name of its own"
                    yield BadRow(line=first, reason=reason, advice=advice)
                    return
            elif len(cells) != len(header):
                reason = f"it has {len(cells)} cells, and the header has {len(header)}"
                yield BadRow(line=first, reason=reason)
            else:
                yield Row(line=first, columns=dict(zip(header, cells, strict=True)))
    except csv.Error as error:
        # The reader cannot find its way back into the text after this.
        yield BadRow(line=line, reason=str(error))


def read_jsonl(text: str) -> Iterator[Row | BadRow]:
    """Rows of a text with one JSON object per line; empty lines are passed over."""
    for line, content in enumerate(text.split("\n"), 1):
        if not content.strip():
            continue
        try:
            value = json.loads(
                content,
                parse_int=str,
                parse_float=str,
                parse_constant=_no_constant,
                object_pairs_hook=_object,
            )
            columns = _clean(value)
        except json.JSONDecodeError as error:
            yield BadRow(line=line, reason=f"{error.msg} at column {error.colno}".lower())
        except _RowError as error:
            yield BadRow(line=line, reason=error.reason, advice=error.advice)
        except RecursionError:
            yield BadRow(line=line, reason="it is nested too deeply")
        else:
            if isinstance(columns, dict):
                yield Row(line=line, columns=columns)
            else:
                yield BadRow(line=line, reason="it is no JSON object")


class _RowError(Exception):
    """A JSON text that the module takes and we do not: why, and what helps."""

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.advice = advice


def _no_constant(name: str) -> str:
    raise _RowError(f"`{name}` is no JSON", "write texts in double quotes")


def _object(items: list[tuple[str, object]]) -> dict[str, object]:
    """An object, in which nothing is said twice."""
    counts = Counter(name for name, _ in items)
    if repeated := [name for name, count in counts.items() if count > 1]:
        raise _RowError(f"it has `{repeated[0]}` twice", "give every column a name of its own")
    return dict(items)


def _clean(value: object) -> Value:
    if isinstance(value, str):
        return _whole(value)
    if isinstance(value, dict):
        return {str(key): _clean(item) for key, item in value.items()}
    return None


def _whole(text: str) -> str:
    """The text, if all of it can be written; an escape may be half of a character."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(text[error.start]):04x}"
        advice = "write the character itself, or both halves"
        raise _RowError(f"`{half}` is half of a character", advice) from error
    return text


def look_up(columns: dict[str, Value], path: tuple[str, ...]) -> Value:
    """The value at a path; a column may also be called by the whole path with its dots.

    Raises:
        KeyError: when there is none; it holds the name looked for and the names there are.
    """
    whole = ".".join(path)
    if whole in columns:
        return columns[whole]
    value: Value = columns
    for name in path:
        names = tuple(value) if isinstance(value, dict) else ()
        if not isinstance(value, dict) or name not in value:
            raise KeyError(name, names)
        value = value[name]
    return value
