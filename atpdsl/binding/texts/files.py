"""Pairs from CSV and JSONL files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from atpdsl.binding.findings import Finding, gathered, has_errors
from atpdsl.binding.pairs import TextPair
from atpdsl.binding.texts.rows import BadRow, Row, look_up, read_csv, read_jsonl
from atpdsl.binding.texts.written import Pieces, marks_of, pieces_of, write
from atpdsl.problems import Label, Problem, Span
from atpdsl.registry import closest
from atpdsl.semantics.experiment import FilePrompts, Text
from atpdsl.semantics.template import Piece

LARGEST_FILE = 64 * 2**20


class _CellError(Exception):
    """A cell that a text needs cannot be had; it holds the finding."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.problem.message)
        self.finding = finding


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """The texts of a `FilePrompts`, parsed, each with its place in the spec."""

    clean: tuple[Pieces, Span]
    corrupted: tuple[Pieces, Span]
    right: tuple[tuple[Pieces, Span], ...]
    wrong: tuple[tuple[Pieces, Span], ...]


def expand_file(
    part: FilePrompts, align: str, base: Path
) -> tuple[tuple[TextPair, ...], tuple[Problem, ...]]:
    """A pair per row, in the file's order; a relative path starts at `base`."""
    columns, problems = _parse(part)
    content = _read(part, base)
    if isinstance(content, Problem):
        return (), (*problems, content)
    if has_errors(problems):
        return (), problems
    pairs: list[TextPair] = []
    findings: list[Finding] = []
    for row in _rows(part, content):
        try:
            pairs.append(_pair(part, columns, row, align, len(pairs)))
        except _CellError as error:
            findings.append(error.finding)
    if not pairs and not findings:
        findings.append(Finding(problem=_no_rows(part)))
    return tuple(pairs), (*problems, *gathered(findings))


def _parse(part: FilePrompts) -> tuple[_Columns, tuple[Problem, ...]]:
    problems: list[Problem] = []

    def parsed(text: Text) -> tuple[Pieces, Span]:
        pieces, found = pieces_of(text)
        problems.extend(found)
        problems.extend(
            Problem(
                code="ATP241",
                message=f"there is no slot `{piece.slot}` in prompts that come from a file",
                at=Label(text.span),
                help=f"for a column of the file write `{{row.{piece.slot}}}`",
            )
            for piece in pieces
            if piece.slot
        )
        return pieces, text.span

    answer = part.answer
    columns = _Columns(
        clean=parsed(part.clean),
        corrupted=parsed(part.corrupted),
        right=tuple(parsed(text) for text in answer.right) if answer else (),
        wrong=tuple(parsed(text) for text in answer.wrong) if answer else (),
    )
    return columns, tuple(dict.fromkeys(problems))


def _read(part: FilePrompts, base: Path) -> str | Problem:
    path = base / part.path
    at = Label(part.span)
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            return Problem(
                code="ATP247",
                message=f"`{part.path}` has {size / 2**20:.0f} MiB, and"
                f" {LARGEST_FILE // 2**20} MiB is the most that is read",
                at=at,
                help="keep only the rows that are needed",
            )
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        near = closest(path.name, _files_beside(path))
        advice = f"did you mean `{near}`? " if near else ""
        return Problem(
            code="ATP246",
            message=f"there is no file `{part.path}`",
            at=at,
            help=f"{advice}it is looked for in `{path.parent}`",
        )
    except UnicodeDecodeError as error:
        return Problem(
            code="ATP246",
            message=f"`{part.path}` is not UTF-8 text: byte {error.start} cannot be read",
            at=at,
            help="save it again as UTF-8",
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return Problem(code="ATP246", message=f"`{part.path}` cannot be read: {reason}", at=at)


def _files_beside(path: Path) -> tuple[str, ...]:
    if not path.parent.is_dir():
        return ()
    return tuple(entry.name for entry in path.parent.iterdir() if entry.is_file())


def _rows(part: FilePrompts, content: str) -> Iterator[Row | BadRow]:
    reader = read_csv if part.format == "csv" else read_jsonl
    for number, row in enumerate(reader(content)):
        if part.limit is not None and number >= part.limit:
            return
        yield row


def _pair(
    part: FilePrompts, columns: _Columns, row: Row | BadRow, align: str, number: int
) -> TextPair:
    if isinstance(row, BadRow):
        raise _CellError(_bad_row(part, row))

    def written(text: tuple[Pieces, Span]) -> str:
        return write(text[0], lambda piece: _cell(part, row, piece, text[1])).text

    clean = write(columns.clean[0], lambda piece: _cell(part, row, piece, columns.clean[1]))
    corrupted = write(
        columns.corrupted[0], lambda piece: _cell(part, row, piece, columns.corrupted[1])
    )
    return TextPair(
        clean=clean.text,
        corrupted=corrupted.text,
        answers=tuple(written(text) for text in columns.right),
        foils=tuple(written(text) for text in columns.wrong),
        marks=marks_of(clean, corrupted),
        align=align,
        origin=part.span,
        row=number,
        answer_at=part.answer.span if part.answer else None,
    )


def _cell(part: FilePrompts, row: Row, piece: Piece, span: Span) -> str:
    path = piece.row or ()
    name = ".".join(path)
    try:
        value = look_up(row.columns, path)
    except KeyError as error:
        raise _CellError(_no_column(part, row, span, error)) from error
    if isinstance(value, str):
        return value
    problem = Problem(
        code="ATP248",
        message=f"`{name}` is no text or number in line {row.line} of `{part.path}`",
        at=Label(span),
        help="a prompt is made of texts and numbers; for a part of an object write"
        f" `{{row.{name}.part}}`",
    )
    raise _CellError(Finding(problem=problem, cause=name, unit="line", number=row.line))


def _no_column(part: FilePrompts, row: Row, span: Span, error: KeyError) -> Finding:
    name, names = error.args
    near = closest(name, names)
    listed = ", ".join(f"`{other}`" for other in names[:10])
    advice = f"did you mean `{near}`?" if near else f"there are {listed or 'none there'}"
    spaced = next((other for other in names if other.strip() == name), "")
    if spaced:
        advice = f"in the file it is `{spaced}`: take the space away there"
    problem = Problem(
        code="ATP249",
        message=f"there is no column `{name}` in line {row.line} of `{part.path}`",
        at=Label(span),
        help=advice,
    )
    return Finding(problem=problem, cause=name, unit="line", number=row.line)


def _bad_row(part: FilePrompts, row: BadRow) -> Finding:
    problem = Problem(
        code="ATP248",
        message=f"line {row.line} of `{part.path}` cannot be read: {row.reason}",
        at=Label(part.span),
        help=row.advice
        or (
            "a file has one JSON object per line"
            if part.format == "jsonl"
            else "put a cell that holds a comma or a line end in double quotes"
        ),
    )
    return Finding(problem=problem, cause=row.reason, unit="line", number=row.line)


def _no_rows(part: FilePrompts) -> Problem:
    return Problem(
        code="ATP250",
        message=f"`{part.path}` has no rows",
        at=Label(part.span),
        help="the first line of a CSV file names the columns; rows follow it"
        if part.format == "csv"
        else "write one JSON object per line",
    )
