"""`prompts { ... }`: templates with slots and corruptions, and pairs written out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from atpdsl.problems import Label, Span
from atpdsl.registry import closest
from atpdsl.semantics.answers import AnswerRead
from atpdsl.semantics.corruptions import read_corruptions
from atpdsl.semantics.experiment import (
    Align,
    InlinePair,
    Prompts,
    Slot,
    TemplatePrompts,
)
from atpdsl.semantics.findings import Findings, did_you_mean
from atpdsl.semantics.positions import Positions
from atpdsl.semantics.schema import PAIR, PROMPTS
from atpdsl.semantics.settings import Settings, read_settings
from atpdsl.semantics.slots import read_slots
from atpdsl.semantics.texts import Holds, Written, read_text, twice
from atpdsl.syntax import tree as t

NAME = "prompts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """The statements of a `prompts` body by their word."""

    templates: tuple[t.Template, ...]
    slots: tuple[t.SlotLine, ...]
    corrupts: tuple[t.CorruptLine, ...]
    answers: tuple[t.AnswerLine, ...]
    pairs: tuple[t.Pair, ...]
    positions: tuple[t.PositionLine, ...]


def lines_of(body: t.Body) -> Lines:
    """The statements of a body, sorted by kind."""
    found = body.statements
    return Lines(
        templates=tuple(line for line in found if isinstance(line, t.Template)),
        slots=tuple(line for line in found if isinstance(line, t.SlotLine)),
        corrupts=tuple(line for line in found if isinstance(line, t.CorruptLine)),
        answers=tuple(line for line in found if isinstance(line, t.AnswerLine)),
        pairs=tuple(line for line in found if isinstance(line, t.Pair)),
        positions=tuple(line for line in found if isinstance(line, t.PositionLine)),
    )


def head_span(statement: t.PromptSet) -> Span:
    """The words before the body."""
    ends = [part.span for part in (statement.name, statement.origin) if part is not None]
    return statement.word.span.to(ends[-1]) if ends else statement.word.span


def read_prompts(
    statement: t.PromptSet, base: Path, findings: Findings
) -> tuple[Prompts, Positions]:
    """A `prompts` block without `from`, and the positions that it names."""
    reader = _Reader(statement, base, findings)
    return reader.read()


class _Reader:
    def __init__(self, statement: t.PromptSet, base: Path, findings: Findings) -> None:
        self.statement = statement
        self.base = base
        self.findings = findings
        self.body = statement.body
        self.lines = lines_of(statement.body)
        self.positions = Positions(findings, complete=not self.body.broken)

    def read(self) -> tuple[Prompts, Positions]:
        settings = read_settings(self.body, PROMPTS, self.findings)
        answer = one_answer(self.lines.answers, Holds.SLOTS, self.findings)
        templates = self._templates(settings, answer)
        pairs = tuple(self._pair(pair, settings, answer) for pair in self.lines.pairs)
        for line in self.lines.positions:
            self.positions.add_rule(line)
        written = tuple(pair for pair in pairs if pair is not None)
        parts: tuple[TemplatePrompts | InlinePair, ...] = (*templates, *written)
        if not self.lines.templates and not self.lines.pairs and not self.body.broken:
            self.findings.error(
                "ATP251",
                "these prompts have no pairs",
                head_span(self.statement),
                advice="add a `template`, a `pair` or a file",
            )
        name = self.statement.name
        prompts = Prompts(
            name=name.text if name else NAME,
            parts=parts,
            positions=(),
            align=Align(settings.text("align")),
            bos=bool(settings["bos"]),
            span=head_span(self.statement),
        )
        return prompts, self.positions

    # ---- templates ----

    def _templates(
        self, settings: Settings, answer: AnswerRead | None
    ) -> tuple[TemplatePrompts, ...]:
        slots = read_slots(self.lines.slots, self.base, self.findings)
        texts = [
            written
            for line in self.lines.templates
            if (written := read_text(line.text, Holds.SLOTS, self.findings)) is not None
        ]
        names = tuple(name for slot in slots for name in slot.names)
        self.positions.add_texts(texts, names)
        labels = {
            piece.label: piece.slot
            for written in texts
            for piece in written.slots()
            if piece.label and piece.slot
        }
        complete = not self.body.broken and len(texts) == len(self.lines.templates)
        corruptions = read_corruptions(
            self.lines.corrupts, names, labels, self.findings, complete=complete
        )
        if not self.lines.templates:
            self._without_templates(settings)
            return ()
        if complete:
            self._check_slots(slots, texts, answer)
            self._check_targets(texts)
        return (
            TemplatePrompts(
                templates=tuple(written.text for written in texts),
                slots=slots,
                corruptions=corruptions,
                answer=answer.answer if answer else None,
                count=settings.integer("count"),
            ),
        )

    def _without_templates(self, settings: Settings) -> None:
        if self.body.broken:
            return
        unused = [line.word for line in self.lines.slots]
        unused += [line.word for line in self.lines.corrupts]
        if "count" in settings.given:
            unused.append(settings.given["count"].written.name)
        for word in unused:
            self.findings.error(
                "ATP213",
                f"`{word.text}` does nothing without a `template`",
                word.span,
                advice="remove it, or add a `template`",
            )

    def _check_slots(
        self, slots: tuple[Slot, ...], texts: list[Written], answer: AnswerRead | None
    ) -> None:
        """Slots that are used are declared, and the other way round."""
        declared = {name for slot in slots for name in slot.names}
        labels = {piece.label for written in texts for piece in written.slots() if piece.label}
        used = [*texts, *(answer.written if answer else ())]
        for written in used:
            known = declared if written in texts else declared | labels
            for piece in written.slots():
                if piece.slot not in known:
                    self._unknown_slot(str(piece.slot), written.place(piece), known)
        in_texts = {piece.slot for written in texts for piece in written.slots()}
        sources = {
            line.value.text for line in self.lines.corrupts if isinstance(line.value, t.Name)
        }
        for line in self.lines.slots:
            for name in line.names:
                if name.text not in in_texts | sources:
                    message = f"no template has the slot `{name.text}`"
                    advice = f"write `{{{name.text}}}` in one, or remove the slot"
                    self.findings.warning("ATP214", message, name.span, advice=advice)

    def _unknown_slot(self, name: str, place: Span, known: set[str]) -> None:
        self.findings.error(
            "ATP241",
            f"there is no slot `{name}`",
            place,
            advice=did_you_mean(closest(name, known), f'add `slot {name} in ["...", "..."]`'),
        )

    def _check_targets(self, texts: list[Written]) -> None:
        """Every template has what is corrupted, and something is."""
        if not self.lines.corrupts:
            self.findings.error(
                "ATP209",
                "nothing is corrupted in these templates",
                self.lines.templates[0].span,
                advice="say what is different in the corrupted prompt, as `corrupt S2 -> IO`",
            )
        for written in texts:
            present = {name for p in written.pieces for name in (p.label, p.slot) if name}
            for line in self.lines.corrupts:
                for target in line.targets:
                    if target.text not in present:
                        self._missing_target(target, written, present)

    def _missing_target(self, target: t.Name, written: Written, present: set[str]) -> None:
        naming = f"name a place in it: `{{... as {target.text}}}`"
        self.findings.error(
            "ATP244",
            f"the template has no position `{target.text}` to corrupt",
            target.span,
            advice=did_you_mean(closest(target.text, present), naming),
            also=(Label(written.text.span, "this template"),),
        )

    # ---- pairs ----

    def _pair(
        self, pair: t.Pair, settings: Settings, shared: AnswerRead | None
    ) -> InlinePair | None:
        own = read_settings(pair.body, PAIR, self.findings)
        clean = read_text(pair.clean, Holds.NOTHING, self.findings)
        corrupted = read_text(pair.corrupted, Holds.NOTHING, self.findings)
        statements = pair.body.statements if pair.body else ()
        answers = tuple(line for line in statements if isinstance(line, t.AnswerLine))
        answer = one_answer(answers, Holds.NOTHING, self.findings)
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


def one_answer(
    lines: tuple[t.AnswerLine, ...], holds: Holds, findings: Findings
) -> AnswerRead | None:
    """The `answer` of a body; a second one is a problem."""
    for line in lines[1:]:
        twice("`answer`", line.word.span, lines[0].word.span, findings)
    return AnswerRead(lines[0], holds, findings) if lines else None
