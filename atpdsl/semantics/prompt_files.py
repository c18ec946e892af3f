"""`prompts from csv("pairs.csv") { ... }`: pairs from the rows of a file."""

from __future__ import annotations

from atpdsl.problems import Span
from atpdsl.registry import closest
from atpdsl.semantics.experiment import Align, FilePrompts, Prompts, Text
from atpdsl.semantics.findings import Findings, did_you_mean, listed
from atpdsl.semantics.positions import Positions
from atpdsl.semantics.prompts import NAME, head_span, lines_of, one_answer
from atpdsl.semantics.schema import LATER_SOURCES, PROMPTS_FROM_FILE
from atpdsl.semantics.settings import Settings, read_settings
from atpdsl.semantics.slots import path_argument
from atpdsl.semantics.texts import Holds, Written, read_text
from atpdsl.syntax import tree as t

FORMATS = ("csv", "jsonl")


def read_file_prompts(
    statement: t.PromptSet, origin: t.Expression, findings: Findings
) -> tuple[Prompts, Positions]:
    """A `prompts` block with `from`, and the positions that it names."""
    positions = Positions(findings, complete=not statement.body.broken)
    lines = lines_of(statement.body)
    source = _source(origin, findings)
    if source is None:
        positions.complete = False
        return _prompts(statement, (), None), positions
    settings = read_settings(
        statement.body, PROMPTS_FROM_FILE, findings, owner="prompts from a file"
    )
    answer = one_answer(lines.answers, Holds.COLUMNS, findings)
    clean = _side("clean", settings, statement, findings)
    corrupted = _side("corrupted", settings, statement, findings)
    positions.add_texts((written for written in (clean, corrupted) if written), ())
    for line in lines.positions:
        positions.add_rule(line)
    nothing = Text(text="", span=origin.span)
    part = FilePrompts(
        path=source[1],
        format=source[0],
        clean=clean.text if clean else nothing,
        corrupted=corrupted.text if corrupted else nothing,
        answer=answer.answer if answer else None,
        limit=settings.optional_integer("limit"),
        span=origin.span,
    )
    return _prompts(statement, (part,), settings), positions


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


def _source(origin: t.Expression, findings: Findings) -> tuple[str, str] | None:
    """The format and the path of the file; None (and a problem) if there is none."""
    if isinstance(origin, t.Name | t.Attribute):
        findings.not_yet("a set of prompts made from another one", origin.span)
        return None
    if isinstance(origin, t.String):
        form = "jsonl" if origin.value.endswith(".jsonl") else "csv"
        _not_a_source(origin.span, f'write `from {form}("{origin.value}")`', findings)
        return None
    function = origin.function if isinstance(origin, t.Call) else None
    if not isinstance(origin, t.Call) or not isinstance(function, t.Name):
        _not_a_source(origin.span, 'write `from csv("pairs.csv")`', findings)
        return None
    if function.text in LATER_SOURCES:
        findings.not_yet(f"`{function.text}(...)`", function.span)
        return None
    if function.text not in FORMATS:
        advice = did_you_mean(closest(function.text, FORMATS), f"there are {listed(FORMATS)}")
        _not_a_source(function.span, advice, findings)
        return None
    path = path_argument(origin, function.text, findings)
    return None if path is None else (function.text, path.value)


def _not_a_source(at: Span, advice: str, findings: Findings) -> None:
    findings.error("ATP120", "prompts cannot come from this", at, advice=advice)


def _side(
    name: str, settings: Settings, statement: t.PromptSet, findings: Findings
) -> Written | None:
    """The clean or the corrupted text, which a file has to have."""
    given = settings.given.get(name)
    if given is not None:
        return read_text(given.written.value, Holds.COLUMNS, findings)
    if not statement.body.broken:
        findings.error(
            "ATP122",
            f"`{name}` is missing: which column has the {name} prompts?",
            head_span(statement),
            advice=f"write `{name} = row.{name}`",
        )
    return None
