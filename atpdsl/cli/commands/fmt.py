"""`atpdsl fmt`."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from atpdsl import driver
from atpdsl.cli.failures import DONE, SPEC
from atpdsl.cli.rewriting import replace_file
from atpdsl.cli.terminal import count, say, tell, tell_problems
from atpdsl.formatting.text import format_text
from atpdsl.problems import Problem, SpecError
from atpdsl.problems.clean import clean

STDIN = Path("-")


@dataclass(frozen=True, slots=True)
class Formatted:
    """A spec and its canonical text.

    Attributes:
        path: its file; `-` for the one from stdin.
        before: its text, as it is in the file.
    """

    path: Path
    before: str
    after: str

    @property
    def changes(self) -> bool:
        """Whether formatting changes anything, the line ends included."""
        return self.before != self.after

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return "<stdin>" if self.path == STDIN else clean(str(self.path))


def fmt(chosen: argparse.Namespace) -> int:
    """Write specs in their canonical layout, or say which are not."""
    done: list[Formatted] = []
    broken = 0
    for path in _files(chosen.files):
        try:
            formatted = _format(path)
        except SpecError as error:
            tell_problems(error.problems, error.source, json=False)
            broken += 1
            continue
        done.append(formatted)
        _settle(formatted, check=chosen.check, diff=chosen.diff)
    changed = sum(one.changes for one in done)
    _summarize(changed, len(done) - changed, broken, only_look=chosen.check or chosen.diff)
    differs = changed and (chosen.check or chosen.diff)
    return SPEC if broken or differs else DONE


def _settle(formatted: Formatted, *, check: bool, diff: bool) -> None:
    """Shows or writes what has come of a spec."""
    if diff:
        sys.stdout.writelines(_difference(formatted))
    if check and formatted.changes and not diff:
        say(formatted.name)
    if check or diff:
        return
    if formatted.path == STDIN:
        _write_stdout(formatted.after)
    elif formatted.changes:
        replace_file(formatted.path, formatted.after)
        say(f"formatted {formatted.name}")


def _summarize(changed: int, alike: int, broken: int, *, only_look: bool) -> None:
    parts = []
    if changed and only_look:
        parts.append(f"{count(changed, 'file')} would change")
    if alike:
        parts.append(f"{count(alike, 'file')} well laid out already")
    if broken:
        parts.append(f"{count(broken, 'file')} with mistakes left alone")
    if parts and (broken or only_look or not changed):
        tell(", ".join(parts))


# ---- reading ----


def _files(given: Iterable[Path]) -> list[Path]:
    """The files to format: folders stand for the specs below them; each file once."""
    found: dict[Path, None] = {}
    for path in given:
        found.update(dict.fromkeys(_below(path) if path.is_dir() else [path]))
    return list(found)


def _below(folder: Path) -> list[Path]:
    """The specs in a folder and the folders below it, but for hidden ones."""
    found = [
        path
        for path in sorted(folder.rglob("*.atp"))
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    if not found:
        message = f"there are no specs in `{folder}`"
        advice = "specs are files that end in `.atp`"
        raise SpecError([Problem(code="ATP420", message=message, help=advice)])
    return found


def _format(path: Path) -> Formatted:
    if path == STDIN:
        before = _read_stdin()
        return Formatted(path, before, format_text(before, "<stdin>"))
    # `read_source` knows what to say of a file that cannot be read.
    source = driver.read_source(path)
    after = format_text(source.text, source.name)
    return Formatted(path, path.read_bytes().decode("utf-8"), after)


def _read_stdin() -> str:
    raw = sys.stdin.buffer.read() if hasattr(sys.stdin, "buffer") else sys.stdin.read()
    if isinstance(raw, str):
        return raw
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"stdin is not UTF-8 text (byte {error.start})"
        advice = "save the spec as UTF-8"
        raise SpecError([Problem(code="ATP420", message=message, help=advice)]) from error


# ---- writing ----


def _write_stdout(text: str) -> None:
    """A spec as it is, whatever the encoding of stdout, whose characters are not to change."""
    if hasattr(sys.stdout, "buffer"):
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8"))
    else:
        sys.stdout.write(text)


def _difference(formatted: Formatted) -> Iterator[str]:
    lines = (formatted.before.split("\n"), formatted.after.split("\n"))
    before, after = ([line + "\n" for line in part[:-1]] + part[-1:] for part in lines)
    for line in difflib.unified_diff(
        [line for line in before if line],
        [line for line in after if line],
        formatted.name,
        formatted.name,
    ):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
