"""What is wrong with a spec, file by file, as an editor shows it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from atpdsl.editor.reading import parsed
from atpdsl.editor.rename import Edit
from atpdsl.problems import Label, Problem, Severity, Source, Span

if TYPE_CHECKING:
    from atpdsl.checked import Study

MISSING = "ATP103"
# The editor never asks the network; a run may, and then find the model.
NOT_ASKED = "ATP312"
UNUSED = "ATP151"
# A file with none of these is there to be included, and need not be complete.
OF_A_WHOLE_SPEC = frozenset(("model", "metric", "nodes", "edges", "method"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something said about another place; `path` is None for the text itself."""

    message: str
    span: Span
    text: str
    path: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mend:
    """A change that mends a problem."""

    title: str
    edit: Edit


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """A problem at its place in one file."""

    code: str
    message: str
    span: Span
    error: bool
    notes: tuple[Note, ...] = ()
    mend: Mend | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDiagnostics:
    """The problems of one file; `path` is None for the text itself."""

    path: Path | None
    text: str
    diagnostics: tuple[Diagnostic, ...]


def diagnostics_of(study: Study) -> tuple[FileDiagnostics, ...]:
    """The problems of a spec and of the files that it includes: the spec first, then each."""
    files = _Files(study)
    found: dict[Path | None, dict[Diagnostic, None]] = {path: {} for path in files.texts}
    for problem in _told(study):
        path, diagnostic = files.diagnostic(problem)
        found[path][diagnostic] = None
    return tuple(
        FileDiagnostics(path=path, text=text, diagnostics=tuple(found[path]))
        for path, text in files.texts.items()
    )


def _told(study: Study) -> Iterable[Problem]:
    """The problems, without those that only a whole spec has."""
    text = study.source.text
    if not _is_part(study):
        return study.problems
    return tuple(
        problem
        for problem in study.problems
        if not (problem.code in (MISSING, UNUSED) and _in(problem, text))
    )


def _in(problem: Problem, text: str) -> bool:
    return problem.at is None or problem.at.span.start <= len(text)


def _is_part(study: Study) -> bool:
    """Whether a file seems to be there for others to include."""
    tree = parsed(study.source.text).tree
    words = {statement.word.text for statement in tree.statements}
    words |= {broken.text for broken in tree.broken}
    return bool(words & {"let", "param", "prompts"}) and not words & OF_A_WHOLE_SPEC


class _Files:
    """The files of a study, and the places of labels in them."""

    def __init__(self, study: Study) -> None:
        self.source = study.source
        self.paths: dict[Source, Path] = {
            part: file.path
            for part, file in zip(study.source.parts, study.program.included, strict=True)
        }
        self.texts: dict[Path | None, str] = {None: study.source.text}
        self.texts |= {path: part.text for part, path in self.paths.items()}

    def diagnostic(self, problem: Problem) -> tuple[Path | None, Diagnostic]:
        """A problem and the file that it is in."""
        path, span = self._place(problem.at)
        shown, extra = self._labels(problem.also)
        first = problem.at.text if problem.at is not None else ""
        lines = [f"{problem.message} ({first})" if first else problem.message, *extra]
        lines += ["(the editor never asks the network)"] if problem.code == NOT_ASKED else []
        lines += [f"help: {problem.help}"] if problem.help else []
        return path, Diagnostic(
            code=problem.code,
            message="\n".join(lines),
            span=span,
            error=problem.severity is Severity.ERROR and problem.code != NOT_ASKED,
            notes=shown,
            mend=self._mend(problem, path),
        )

    def _place(self, label: Label | None) -> tuple[Path | None, Span]:
        """A label's file and place; what is in no file is told at the beginning."""
        if label is None or label.source is not None:
            return None, Span(0, 0)
        part, span = self.source.locate(label.span)
        return self.paths.get(part), span

    def _labels(self, labels: Iterable[Label]) -> tuple[tuple[Note, ...], list[str]]:
        """Labels in files as notes, and texts that are in no file, as tokens under another."""
        notes: list[Note] = []
        texts: dict[str, str] = {}
        for label in labels:
            if label.source is not None:
                texts[label.source.name] = label.source.text
                continue
            path, span = self._place(label)
            message = label.text or "see here"
            notes.append(Note(message=message, span=span, text=self.texts[path], path=path))
        return tuple(notes), [f"{name}:\n{text}" for name, text in texts.items()]

    def _mend(self, problem: Problem, path: Path | None) -> Mend | None:
        if problem.fix is None:
            return None
        part, span = self.source.locate(problem.fix.span)
        if self.paths.get(part) != path:
            return None
        return Mend(title=problem.fix.title, edit=Edit(span=span, text=problem.fix.text))


def mends_at(diagnostics: Iterable[Diagnostic], span: Span) -> tuple[Diagnostic, ...]:
    """The problems that touch a stretch of the text and can be mended."""
    return tuple(
        one
        for one in diagnostics
        if one.mend is not None and one.span.start <= span.end and span.start <= one.span.end
    )


def all_mends(diagnostics: Iterable[Diagnostic]) -> tuple[Edit, ...]:
    """The changes that mend all that can be mended at once; of two that overlap, the first."""
    taken: list[Edit] = []
    edits = (one.mend.edit for one in diagnostics if one.mend is not None)
    for edit in sorted(edits, key=lambda edit: (edit.span.start, edit.span.end)):
        if not taken or edit.span.start > taken[-1].span.end:
            taken.append(edit)
    return tuple(taken)
