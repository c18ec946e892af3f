"""Pairs from the rows of files and data sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from atpdsl.binding.findings import Finding, gathered, has_errors
from atpdsl.binding.pairs import TextPair
from atpdsl.binding.texts.rows import BadRow, Row
from atpdsl.binding.texts.sides import NO_ANSWERS, Answers, Parsed, Side
from atpdsl.binding.texts.sources import UnreadableError, check_inside, read_rows
from atpdsl.binding.texts.written import Written, marks_of, pieces_of, write
from atpdsl.problems import Label, Problem, Span
from atpdsl.semantics.experiment import FilePrompts, Text
from atpdsl.semantics.formulas import (
    Formula,
    FormulaError,
    Tokens,
    Value,
    evaluate,
    fill_piece,
)
from atpdsl.semantics.template import Piece
from atpdsl.semantics.values import RefusedError, described, look_up

T = TypeVar("T")


class _CellError(Exception):
    """A value that a row should have cannot be had; it holds the problem and its cause."""

    def __init__(
        self, code: str, message: str, span: Span, advice: str, cause: str = ""
    ) -> None:
        super().__init__(message)
        self.problem = Problem(code=code, message=message, at=Label(span), help=advice)
        self.cause = cause


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """The texts of a `FilePrompts`, parsed."""

    clean: Parsed
    corrupted: Parsed
    right: Side
    wrong: Side


def expand_file(
    part: FilePrompts, align: str, base: Path, tokens: Tokens | None = None
) -> tuple[tuple[TextPair, ...], tuple[Problem, ...]]:
    """A pair per row that is kept, in the file's order; no row after the last is read.

    Args:
        part: what is read, and how.
        align: that of the pairs.
        base: the folder from which a relative path starts.
        tokens: for formulas that ask the tokenizer.
    """
    columns, problems = _parse(part)
    if has_errors(problems):
        return (), problems
    pairs: list[TextPair] = []
    findings: list[Finding] = []
    number = 0
    try:
        for number, row in enumerate(_rows(part, base), 1):
            if isinstance(row, BadRow):
                findings.append(_finding(_bad_row(part, row), row, number))
                continue
            reader = _Reader(part, columns, row, tokens)
            pair = reader.pair(align, len(pairs))
            findings += (_finding(error, row, number) for error in reader.errors)
            pairs += () if pair is None or reader.errors else (pair,)
            if len(pairs) == part.limit:
                break
    except UnreadableError as error:
        findings.append(Finding(problem=error.problem))
    if not pairs and not findings:
        findings.append(Finding(problem=_nothing_kept(part, number)))
    return tuple(pairs), (*problems, *gathered(findings))


def _rows(part: FilePrompts, base: Path) -> Iterator[Row | BadRow]:
    if part.format == "hf":
        from atpdsl.binding.texts.datasets import DataSet, read_dataset

        wanted = DataSet(
            name=part.path, split=part.split, span=part.span, split_at=part.split_at
        )
        return read_dataset(wanted, base)
    return _file_rows(part, base)


def _file_rows(part: FilePrompts, base: Path) -> Iterator[Row | BadRow]:
    path = base / part.path
    check_inside(path, base, part.path, part.span)
    yield from read_rows(path, part.format, part.path, part.span)


def _finding(error: _CellError, row: Row | BadRow, number: int) -> Finding:
    unit = row.unit if isinstance(row, Row) else "line"
    return Finding(problem=error.problem, cause=error.cause, unit=unit, number=number)


def _parse(part: FilePrompts) -> tuple[_Columns, tuple[Problem, ...]]:
    problems: list[Problem] = []
    lets = {let.name for let in part.lets}

    def parsed(text: Text) -> Parsed:
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
            if piece.slot and piece.slot not in lets
        )
        return Parsed(pieces=pieces, span=text.span)

    def side(answers: tuple[Text | Formula, ...]) -> Side:
        items = (
            answer if isinstance(answer, Formula) else parsed(answer) for answer in answers
        )
        return Side(items=tuple(items))

    answer = part.answer
    columns = _Columns(
        clean=parsed(part.clean),
        corrupted=parsed(part.corrupted),
        right=side(answer.right) if answer else Side(),
        wrong=side(answer.wrong) if answer else Side(),
    )
    return columns, tuple(dict.fromkeys(problems))


def _bad_row(part: FilePrompts, row: BadRow) -> _CellError:
    message = f"line {row.line} of {row.source} cannot be read: {row.reason}"
    return _CellError("ATP248", message, part.span, row.advice, row.reason)


class _Reader:
    """Makes a pair of one row.

    Attributes:
        errors: all that is wrong with the row.
    """

    def __init__(
        self, part: FilePrompts, columns: _Columns, row: Row, tokens: Tokens | None
    ) -> None:
        self.part = part
        self.columns = columns
        self.row = row
        self.tokens = tokens
        self.values: dict[str, Value] = {"row": row.columns}
        self.errors: list[_CellError] = []

    def pair(self, align: str, number: int) -> TextPair | None:
        """The pair; None if the row is not to be kept, or something is wrong with it."""
        if not self._tried(self._kept, otherwise=False):
            return None
        nothing = Written(text="", places=())
        clean = self._tried(lambda: self._write(self.columns.clean), otherwise=nothing)
        corrupted = self._tried(lambda: self._write(self.columns.corrupted), otherwise=nothing)
        right, wrong = self.columns.right, self.columns.wrong
        answers, answer_spans = self._tried(lambda: self._answers(right), otherwise=NO_ANSWERS)
        foils, foil_spans = self._tried(lambda: self._answers(wrong), otherwise=NO_ANSWERS)
        return TextPair(
            clean=clean.text,
            corrupted=corrupted.text,
            answers=answers,
            foils=foils,
            answer_spans=answer_spans,
            foil_spans=foil_spans,
            marks=marks_of(clean, corrupted),
            align=align,
            origin=self.part.span,
            row=number,
            answer_at=self.part.answer.span if self.part.answer else None,
            values=self.values,
            place=self.row.place,
        )

    def _tried(self, make: Callable[[], T], *, otherwise: T) -> T:
        """What is made; where it cannot be, `errors` takes the reason."""
        try:
            return make()
        except _CellError as error:
            self.errors.append(error)
        except FormulaError as error:
            message = f"{error.message}, in {self.row.place}"
            self.errors.append(_CellError("ATP267", message, error.span, error.advice))
        return otherwise

    def _kept(self) -> bool:
        """Computes the `let`s, and whether the row is kept.

        A `let` without a value matters only in rows that are kept.
        """
        broken: FormulaError | None = None
        for let in self.part.lets:
            try:
                self.values[let.name] = evaluate(let.formula, self.values, self.tokens)
            except FormulaError as error:
                broken = broken or error
        keep = self.part.keep
        try:
            kept = True if keep is None else evaluate(keep, self.values, self.tokens)
        except FormulaError as error:
            raise broken or error from error
        if keep is not None and not isinstance(kept, bool):
            advice = 'compare it, as in `keep = row.label == "1"`'
            message = f"{described(kept)} is neither true nor false"
            raise FormulaError(message, keep.span, advice)
        if kept and broken is not None:
            raise broken
        return bool(kept)

    def _answers(self, side: Side) -> Answers:
        return side.answers(self.values, self.tokens, lambda text: self._write(text).text)

    def _write(self, text: Parsed) -> Written:
        return write(text.pieces, lambda piece: self._cell(piece, text.span))

    def _cell(self, piece: Piece, span: Span) -> str:
        if piece.row is not None:
            self._check_column(piece.row, span)
        return fill_piece(piece, self.values, span)

    def _check_column(self, path: tuple[str, ...], span: Span) -> None:
        name = ".".join(path)
        try:
            value = look_up(self.row.columns, path)
        except RefusedError as error:
            advice = self._header_advice(path[0]) or error.advice
            message = f"{error.message} in {self.row.place}"
            raise _CellError("ATP249", message, span, advice, name) from error
        if not isinstance(value, str):
            message = f"`{name}` is {described(value)} in {self.row.place}"
            raise _CellError("ATP248", message, span, _how_to_write(name, value), name)

    def _header_advice(self, name: str) -> str:
        """The advice for a header with spaces at its ends, or without commas."""
        only = next(iter(self.row.columns), "")
        mark = next((mark for mark in ";\t|" if mark in only), "")
        if len(self.row.columns) == 1 and mark and self.part.format == "csv":
            shown = "tabs" if mark == "\t" else f"`{mark}`"
            return f"the file has {shown} between its cells; save it with commas"
        spaced = (other for other in self.row.columns if other.strip() == name != other)
        found = next(spaced, None)
        return (
            "" if found is None else f"in the file it is `{found}`: take the space away there"
        )


def _how_to_write(name: str, value: Value) -> str:
    if value is None:
        return "write a text there, or take the row out of the file"
    advice = "a prompt is made of texts and numbers"
    if isinstance(value, dict) and value:
        advice += f"; for a part of it write `{{row.{name}.{next(iter(value))}}}`"
    return advice


def _nothing_kept(part: FilePrompts, rows: int) -> Problem:
    if rows and part.keep is not None:
        every = "its only row does not" if rows == 1 else f"none of its {rows:,} rows does"
        return Problem(
            code="ATP281",
            message=f"`{part.path}` has no row that fulfils `keep`: {every}",
            at=Label(part.keep.span),
            help='ask for less; a column is a text, as in `keep = row.label == "1"`',
        )
    advice = {
        "csv": "the first line of a CSV file names the columns; rows follow it",
        "jsonl": "write one JSON object per line",
    }
    return Problem(
        code="ATP250",
        message=f"`{part.path}` has no rows",
        at=Label(part.span),
        help=advice.get(part.format, "a data set needs at least one"),
    )
