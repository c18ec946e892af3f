"""Rows of CSV and JSONL texts, and the values in their columns."""

from __future__ import annotations

import csv
import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

Value = bool | str | tuple["Value", ...] | dict[str, "Value"] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row and its columns.

    A value is a text (numbers as they are written), an object of values, a list of them, true
    or false, or None for what is nothing of this (null, a date, an image).

    Attributes:
        number: its first line in the file, from 1; in a data set its index, from 0.
        unit: what `number` counts, `line` or `row`.
        source: what it is from, as messages call it.
    """

    number: int
    columns: dict[str, Value]
    source: str
    unit: str = "line"

    @property
    def place(self) -> str:
        """Where it is found, in words."""
        return f"{self.unit} {self.number} of {self.source}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    """A row that cannot be read, why, and what helps."""

    line: int
    source: str
    reason: str
    advice: str


CSV_ADVICE = "put a cell that holds a comma or a line end in double quotes"
JSONL_ADVICE = "a file has one JSON object per line"


def read_csv(lines: Iterable[str], source: str) -> Iterator[Row | BadRow]:
    """Rows of a CSV text whose first row names the columns; empty lines are passed over.

    Args:
        lines: the text, each line with its end.
        source: what messages call the text.
    """
    reader = csv.reader(lines, strict=True)
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
                    yield BadRow(line=first, source=source, reason=reason, advice=advice)
                    return
            elif len(cells) != len(header):
                reason = f"it has {_cells(len(cells))}, and the header has {len(header)}"
                yield BadRow(line=first, source=source, reason=reason, advice=CSV_ADVICE)
            else:
                columns: dict[str, Value] = dict(zip(header, cells, strict=True))
                yield Row(number=first, columns=columns, source=source)
    except csv.Error as error:
        # The reader cannot find its way back into the text after this.
        yield BadRow(line=line, source=source, reason=str(error), advice=CSV_ADVICE)


def _cells(number: int) -> str:
    return "1 cell" if number == 1 else f"{number} cells"


def read_jsonl(lines: Iterable[str], source: str) -> Iterator[Row | BadRow]:
    """Rows of a text with one JSON object per line; empty lines are passed over."""
    for line, content in enumerate(lines, 1):
        if not content.strip():
            continue
        try:
            columns = clean_value(_read_object(content))
        except json.JSONDecodeError as error:
            reason = f"{error.msg} at column {error.colno}".lower()
            yield BadRow(line=line, source=source, reason=reason, advice=JSONL_ADVICE)
        except _RowError as error:
            yield BadRow(line=line, source=source, reason=error.reason, advice=error.advice)
        except RecursionError:
            reason = "it is nested too deeply"
            yield BadRow(line=line, source=source, reason=reason, advice=JSONL_ADVICE)
        else:
            if isinstance(columns, dict):
                yield Row(number=line, columns=columns, source=source)
            else:
                reason = "it is no JSON object"
                yield BadRow(line=line, source=source, reason=reason, advice=JSONL_ADVICE)


def _read_object(content: str) -> object:
    return json.loads(
        content,
        parse_int=str,
        parse_float=str,
        parse_constant=_no_constant,
        object_pairs_hook=_object,
    )


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


def clean_value(value: object) -> Value:
    """A value of a file as prompts and formulas use it."""
    match value:
        case bool():
            return value
        case str():
            return _whole(value)
        case int():
            return str(value)
        case float():
            return str(value) if math.isfinite(value) else None
        case dict():
            return {str(key): clean_value(item) for key, item in value.items()}
        case list():
            return tuple(clean_value(item) for item in value)
        case _:
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
