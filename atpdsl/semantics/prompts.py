"""`prompts { ... }`: templates with slots and corruptions, and pairs written out."""

from __future__ import annotations

from pathlib import Path

from atpdsl.problems import Span
from atpdsl.semantics.answers import AnswerRead
from atpdsl.semantics.experiment import (
    Align,
    InlinePair,
    Prompts,
    TemplatePrompts,
)
from atpdsl.semantics.findings import Findings
from atpdsl.semantics.positions import Positions
from atpdsl.semantics.prompt_lines import Lines, lines_of
from atpdsl.semantics.schema import PAIR, PROMPTS
from atpdsl.semantics.settings import Settings, read_settings
from atpdsl.semantics.template_prompts import one_answer, read_templates
from atpdsl.semantics.texts import Holds, read_text
from atpdsl.syntax import tree as t

__all__ = ["NAME", "Lines", "head_span", "lines_of", "one_answer", "read_prompts"]

NAME = "prompts"


def head_span(statement: t.PromptSet) -> Span:
    """The words before the body; what a set took over from another stands elsewhere."""
    first, body = statement.word.span, statement.body.span
    parts = [part.span for part in (statement.name, statement.origin) if part is not None]
    ends = [span for span in parts if first.start < span.start and span.end <= body.start]
    return first.to(ends[-1]) if ends else first


def read_prompts(
    statement: t.PromptSet, base: Path, findings: Findings
) -> tuple[Prompts, Positions]:
    """A `prompts` block without `from`, and the positions that it names."""
    body = statement.body
    lines = lines_of(body)
    positions = Positions(findings, complete=not body.broken)
    settings = read_settings(body, PROMPTS, findings)
    templates = read_templates(lines, settings, base, positions, findings)
    pairs = (_pair(pair, settings, templates.answer, findings) for pair in lines.pairs)
    written = tuple(pair for pair in pairs if pair is not None)
    for line in lines.positions:
        positions.add_rule(line)
    parts: tuple[TemplatePrompts | InlinePair, ...] = written
    if templates.part is not None:
        parts = (templates.part, *written)
    if not lines.templates and not lines.pairs and not body.broken:
        findings.error(
            "ATP251",
            "these prompts have no pairs",
            head_span(statement),
            advice="add a `template`, a `pair` or a file",
        )
    name = statement.name
    prompts = Prompts(
        name=name.text if name else NAME,
        parts=parts,
        positions=(),
        align=Align(settings.text("align")),
        bos=bool(settings["bos"]),
        span=head_span(statement),
    )
    return prompts, positions


def _pair(
    pair: t.Pair, settings: Settings, shared: AnswerRead | None, findings: Findings
) -> InlinePair | None:
    own = read_settings(pair.body, PAIR, findings)
    clean = read_text(pair.clean, Holds.NOTHING, findings)
    corrupted = read_text(pair.corrupted, Holds.NOTHING, findings)
    statements = pair.body.statements if pair.body else ()
    answers = tuple(line for line in statements if isinstance(line, t.AnswerLine))
    answer = one_answer(answers, Holds.NOTHING, findings)
    if answer is None and shared is not None and shared.plain:
        answer = shared
    if clean is None or corrupted is None:
        return None
    align = own if "align" in own.given else settings
    return InlinePair(
        clean=clean.text,
        corrupted=corrupted.text,
        answer=answer.answer if answer else None,
        align=Align(align.text("align")),
        span=pair.word.span.to(pair.corrupted.span),
    )
