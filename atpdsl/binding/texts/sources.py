"""Opening what rows come from: CSV and JSONL files, as far as they are read."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from atpdsl.binding.texts.rows import BadRow, Row, read_csv, read_jsonl
from atpdsl.problems import Label, Problem, Span
from atpdsl.registry import closest
from atpdsl.semantics.paths import in_project, why_unreadable

LARGEST_READ = 64 * 2**20
READERS = {"csv": read_csv, "jsonl": read_jsonl}


class UnreadableError(Exception):
    """A file or data set that rows cannot be read from; it holds the problem."""

    def __init__(self, code: str, message: str, at: Span, advice: str = "") -> None:
        super().__init__(message)
        self.problem = Problem(code=code, message=message, at=Label(at), help=advice)


def read_rows(path: Path, form: str, name: str, at: Span) -> Iterator[Row | BadRow]:
    """The rows of a CSV or JSONL file; no more of it is read than is asked for.

    Args:
        path: the file.
        form: a key of `READERS`.
        name: what the spec calls the file.
        at: where it does.

    Raises:
        UnreadableError: when the file cannot be read, from the first row that is asked for.
    """
    try:
        with path.open("rb", buffering=0) as raw:
            bounded = io.BufferedReader(_Bounded(raw, name, at))
            lines = io.TextIOWrapper(bounded, encoding="utf-8-sig", newline="")
            yield from READERS[form](lines, f"`{name}`")
    except FileNotFoundError as error:
        near = closest(path.name, _files_beside(path))
        advice = f"did you mean `{near}`? " if near else ""
        raise UnreadableError(
            "ATP246",
            f"there is no file `{name}`",
            at,
            f"{advice}a path starts at the spec's folder",
        ) from error
    except UnicodeDecodeError as error:
        message = f"`{name}` is not UTF-8 text: byte {_bad_byte(path)} cannot be read"
        raise UnreadableError("ATP246", message, at, "save it again as UTF-8") from error
    except (OSError, ValueError) as error:
        reason = why_unreadable(error) if isinstance(error, OSError) else str(error)
        message = f"`{name}` cannot be read: {reason}"
        raise UnreadableError("ATP246", message, at, "name a text file") from error


def check_inside(path: Path, base: Path, name: str, at: Span) -> None:
    """A file of the project, also behind links.

    Raises:
        UnreadableError: when a link leads out of the project of the folder `base`.
    """
    if not in_project(str(path.absolute()), base):
        raise UnreadableError(
            "ATP246",
            f"`{name}` is a link that leads out of the project",
            at,
            "copy what it leads to into the spec's folder",
        )


class _Bounded(io.RawIOBase):
    """A file of which only so much may be read."""

    def __init__(self, raw: io.FileIO, name: str, at: Span) -> None:
        self.raw = raw
        self.name = name
        self.at = at
        self.left = LARGEST_READ

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        count = self.raw.readinto(buffer)
        self.left -= count
        if self.left < 0:
            raise too_large(self.name, self.at)
        return count


def too_large(name: str, at: Span) -> UnreadableError:
    """The problem of rows that do not end."""
    return UnreadableError(
        "ATP247",
        f"more than {LARGEST_READ // 2**20} MiB of `{name}` would have to be read",
        at,
        "read fewer rows with `limit`, or keep only those that are needed in the file",
    )


def _bad_byte(path: Path) -> int:
    """The offset of the first byte that is not UTF-8; a character never spans lines."""
    offset = 0
    with path.open("rb") as file:
        for line in file:
            try:
                line.decode()
            except UnicodeDecodeError as error:
                return offset + error.start
            offset += len(line)
    return offset


def _files_beside(path: Path) -> tuple[str, ...]:
    if not path.parent.is_dir():
        return ()
    return tuple(entry.name for entry in path.parent.iterdir() if entry.is_file())
