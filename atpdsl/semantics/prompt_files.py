"""`prompts from csv("pairs.csv") { ... }`: pairs from the rows of a file or data set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from atpdsl.problems import Span
from atpdsl.registry import closest
from atpdsl.semantics.experiment import Align, FilePrompts, PairLet, Prompts, Text
from atpdsl.semantics.findings import Findings, did_you_mean, listed
from atpdsl.semantics.formulas import Formula
from atpdsl.semantics.origins import HF, PAIR_ORIGINS
from atpdsl.semantics.pair_lets import read_lets
from atpdsl.semantics.positions import Positions
from atpdsl.semantics.prompts import NAME, head_span, lines_of, one_answer
from atpdsl.semantics.read_formulas import ROW, read_formula
from atpdsl.semantics.schema import PROMPTS_FROM_FILE
from atpdsl.semantics.settings import Settings, read_settings
from atpdsl.semantics.slots import path_argument
from atpdsl.semantics.template import parse_template
from atpdsl.semantics.texts import Holds, Written, read_text
from atpdsl.syntax import tree as t

DATA_SET = HF.name


@dataclass(frozen=True, slots=True, kw_only=True)
class _Origin:
    """The format and the path of what rows come from."""

    format: str
    path: str
    span: Span


def read_file_prompts(
    statement: t.PromptSet, origin: t.Expression, base: Path, findings: Findings
) -> tuple[Prompts, Positions]:
    """A `prompts` block with `from`, and the positions that it names."""
    positions = Positions(findings, complete=not statement.body.broken)
    source = _origin(origin, base, findings)
    if source is None:
        positions.complete = False
        return _prompts(statement, (), None), positions
    reader = _Reader(statement, source, positions, findings)
    return _prompts(statement, (reader.part(),), reader.settings), positions


class _Reader:
    """Reads the body of a block; `positions` takes the names that its texts give to places."""

    def __init__(
        self,
        statement: t.PromptSet,
        source: _Origin,
        positions: Positions,
        findings: Findings,
    ) -> None:
        self.statement = statement
        self.source = source
        self.positions = positions
        self.findings = findings
        self.lines = lines_of(statement.body)
        self.let_names = tuple(dict.fromkeys(line.name.text for line in self.lines.lets))
        self.settings = read_settings(
            statement.body, PROMPTS_FROM_FILE, findings, owner="`prompts from`"
        )

    def part(self) -> FilePrompts:
        """What is read of the file, and how."""
        clean, corrupted = self._side("clean"), self._side("corrupted")
        texts = [written for written in (clean, corrupted) if written is not None]
        self.positions.add_texts(texts, (), self.let_names)
        for line in self.lines.positions:
            self.positions.add_rule(line)
        answer = one_answer(
            self.lines.answers, Holds.COLUMNS, self.findings, names=self.let_names
        )
        nothing = Text(text="", span=self.source.span)
        split = self.settings.given.get("split")
        return FilePrompts(
            path=self.source.path,
            format=self.source.format,
            clean=clean.text if clean else nothing,
            corrupted=corrupted.text if corrupted else nothing,
            answer=answer.answer if answer else None,
            limit=self.settings.optional_integer("limit"),
            split=self._split(),
            split_at=split.written.value.span if split else None,
            lets=self._lets(),
            keep=self._keep(),
            span=self.source.span,
        )

    def _side(self, name: str) -> Written | None:
        """The clean or the corrupted text, which a file has to have."""
        given = self.settings.given.get(name)
        if given is None:
            if not self.statement.body.broken:
                self.findings.error(
                    "ATP122",
                    f"`{name}` is missing: which column has the {name} prompts?",
                    head_span(self.statement),
                    advice=f"write `{name} = row.{name}`",
                )
            return None
        value = given.written.value
        if isinstance(value, t.Name) and value.text in self.let_names:
            template = f"{{{value.text}}}"
            text = Text(text=template, span=value.span)
            return Written(text=text, pieces=parse_template(template), origin=value)
        return read_text(value, Holds.COLUMNS, self.findings, names=self.let_names)

    def _lets(self) -> tuple[PairLet, ...]:
        return read_lets(self.lines.lets, {}, (ROW,), self.findings)

    def _keep(self) -> Formula | None:
        given = self.settings.given.get("keep")
        if given is None:
            return None
        return read_formula(given.written.value, (ROW, *self.let_names), self.findings)

    def _split(self) -> str | None:
        given = self.settings.given.get("split")
        if given is None or given.value is None:
            return None
        if self.source.format != DATA_SET:
            self.findings.error(
                "ATP105",
                f"`{self.source.format}(...)` has no splits to choose from",
                given.written.name.span,
                advice=f'a file has none; data sets do: `from {DATA_SET}("folder")`',
            )
        return str(given.value)


def _prompts(
    statement: t.PromptSet, parts: tuple[FilePrompts, ...], settings: Settings | None
) -> Prompts:
    name = statement.name
    return Prompts(
        name=name.text if name else NAME,
        parts=parts,
        positions=(),
        align=Align(settings.text("align")) if settings else Align.STRICT,
        bos=bool(settings["bos"]) if settings else True,
        span=head_span(statement),
    )


def _origin(origin: t.Expression, base: Path, findings: Findings) -> _Origin | None:
    """What the rows come from; None (and a problem) if it is nothing of the kind."""
    if isinstance(origin, t.String):
        ending = origin.value.rpartition(".")[2]
        form = ending if ending in PAIR_ORIGINS else DATA_SET
        _not_a_source(origin.span, f'write `from {form}("{origin.value}")`', findings)
        return None
    function = origin.function if isinstance(origin, t.Call) else None
    if not isinstance(origin, t.Call) or not isinstance(function, t.Name):
        _not_a_source(origin.span, 'write `from csv("pairs.csv")`', findings)
        return None
    if function.text not in PAIR_ORIGINS:
        advice = did_you_mean(
            closest(function.text, PAIR_ORIGINS), f"there are {listed(PAIR_ORIGINS)}"
        )
        _not_a_source(function.span, advice, findings)
        return None
    path = path_argument(origin, function.text, findings, base)
    if path is None:
        return None
    return _Origin(format=function.text, path=path.value, span=origin.span)


def _not_a_source(at: Span, advice: str, findings: Findings) -> None:
    findings.error("ATP120", "prompts cannot come from this", at, advice=advice)
