"""The templates of a `prompts` block with their slots, values, corruptions and answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from atpdsl.problems import Label, Span
from atpdsl.registry import closest
from atpdsl.semantics.answers import AnswerRead
from atpdsl.semantics.corruptions import OTHER, read_corruptions
from atpdsl.semantics.experiment import PairLet, TemplatePrompts
from atpdsl.semantics.findings import Findings, did_you_mean
from atpdsl.semantics.formulas import Formula
from atpdsl.semantics.pair_lets import read_lets
from atpdsl.semantics.positions import Positions
from atpdsl.semantics.prompt_lines import Lines
from atpdsl.semantics.read_formulas import names_in, read_formula
from atpdsl.semantics.settings import Settings
from atpdsl.semantics.slots import read_slots
from atpdsl.semantics.tables import is_table
from atpdsl.semantics.texts import Holds, Written, read_text, twice, unknown_slot
from atpdsl.syntax import tree as t

_DIGITS = re.compile(r"-?[0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplatesRead:
    """The templates of a block, None if it has none, and its `answer`."""

    part: TemplatePrompts | None
    answer: AnswerRead | None


def read_templates(
    lines: Lines, settings: Settings, base: Path, positions: Positions, findings: Findings
) -> TemplatesRead:
    """The templates of a block; `positions` takes the names that they give to places.

    Its `complete` says whether all of the block could be read.
    """
    return _Reader(lines, settings, base, positions, findings).read()


class _Reader:
    def __init__(
        self,
        lines: Lines,
        settings: Settings,
        base: Path,
        positions: Positions,
        findings: Findings,
    ) -> None:
        self.lines = lines
        self.settings = settings
        self.positions = positions
        self.findings = findings
        self.slots = read_slots(lines.slots, base, findings)
        self.texts = [
            written
            for line in lines.templates
            if (written := read_text(line.text, Holds.SLOTS, findings)) is not None
        ]
        self.readable = positions.complete
        self.complete = self.readable and len(self.texts) == len(lines.templates)
        positions.complete = self.complete
        self.slot_names = tuple(name for slot in self.slots for name in slot.names)
        self.let_names = tuple(dict.fromkeys(line.name.text for line in lines.lets))
        self.labels = {
            piece.label: piece.slot
            for written in self.texts
            for piece in written.slots()
            if piece.label and piece.slot
        }

    @property
    def names(self) -> tuple[str, ...]:
        """What answers and formulas may use."""
        names = (*self.slot_names, *self.labels, *self.let_names)
        return tuple(dict.fromkeys(names))

    def read(self) -> TemplatesRead:
        self.positions.add_texts(self.texts, self.slot_names, self.let_names)
        if not self.lines.templates:
            known: tuple[str, ...] | None = () if self.readable else None
            answer = one_answer(self.lines.answers, Holds.SLOTS, self.findings, names=known)
            self._without_templates()
            return TemplatesRead(part=None, answer=answer)
        lets = self._lets()
        corruptions = read_corruptions(
            self.lines.corrupts,
            self.slot_names,
            self.labels,
            self.findings,
            lets=self.let_names,
            complete=self.complete,
        )
        keep = self._keep()
        known = self.names if self.complete else None
        answer = one_answer(self.lines.answers, Holds.SLOTS, self.findings, names=known)
        if self.complete:
            self._check_slots()
            self._check_formats()
            self._check_targets()
            self._check_labels(answer, keep)
        part = TemplatePrompts(
            templates=tuple(written.text for written in self.texts),
            slots=self.slots,
            corruptions=corruptions,
            answer=answer.answer if answer else None,
            count=self.settings.integer("count"),
            lets=lets,
            keep=keep,
        )
        return TemplatesRead(part=part, answer=answer)

    def _lets(self) -> tuple[PairLet, ...]:
        taken = dict.fromkeys(self.slot_names, "a slot")
        # A place of a computed value has none before that is computed.
        labels = (one for one, name in self.labels.items() if name not in self.let_names)
        lets = read_lets(
            self.lines.lets,
            taken,
            (*self.slot_names, *labels),
            self.findings,
            complete=self.complete,
        )
        if len(lets) < len(self.lines.lets):
            self.positions.complete = False
        return lets

    def _keep(self) -> Formula | None:
        given = self.settings.given.get("keep")
        if given is None:
            return None
        value = given.written.value
        return read_formula(value, self.names, self.findings, complete=self.complete)

    def _without_templates(self) -> None:
        if not self.readable:
            return
        unused = [line.word for line in self.lines.slots]
        unused += [line.word for line in self.lines.corrupts]
        unused += [line.word for line in self.lines.lets]
        for name in ("count", "keep"):
            if name in self.settings.given:
                unused.append(self.settings.given[name].written.name)
        for word in unused:
            self.findings.error(
                "ATP213",
                f"`{word.text}` does nothing without a `template`",
                word.span,
                advice="remove it, or add a `template`",
            )

    # ---- checks of all templates together ----

    def _check_slots(self) -> None:
        """Slots that are used are declared, and the other way round."""
        declared = {*self.slot_names, *self.let_names}
        for written in self.texts:
            for piece in written.slots():
                if piece.slot not in declared:
                    unknown_slot(str(piece.slot), written.place(piece), declared, self.findings)
        drawn_for = {str(piece.slot) for written in self.texts for piece in written.slots()}
        drawn_for |= {name for name, _ in self._used_in_lines()}
        for line in self.lines.slots:
            # The other columns of a table come with the one that is used.
            together = is_table(line.values) and any(n.text in drawn_for for n in line.names)
            for name in line.names:
                if name.text not in drawn_for and not together:
                    message = f"no template has the slot `{name.text}`"
                    advice = f"write `{{{name.text}}}` in one, or remove the slot"
                    self.findings.warning("ATP214", message, name.span, advice=advice)

    def _used_in_lines(self) -> Iterator[tuple[str, Span]]:
        """The names that corruptions and values are made of."""
        for line in self.lines.corrupts:
            for value in line.values:
                if not (isinstance(value, t.Name) and value.text == OTHER):
                    yield from names_in(value)
        for let in self.lines.lets:
            yield from names_in(let.value)

    def _check_formats(self) -> None:
        """Formats for numbers stand at slots of numbers."""
        slot_of = {name: slot for slot in self.slots for name in slot.names}
        for written in self.texts:
            for piece in written.slots():
                slot = slot_of.get(str(piece.slot))
                if not piece.format.startswith("0") or slot is None:
                    continue
                words = (
                    word
                    for word in slot.words_of(str(piece.slot))
                    if not _DIGITS.fullmatch(word)
                )
                word = next(words, None)
                if word is not None:
                    self.findings.error(
                        "ATP216",
                        f"`:{piece.format}` is for whole numbers, and `{word}` is none",
                        written.place(piece),
                        advice=f"write `{{{piece.slot}}}`",
                        also=(Label(slot.span, "the words of this list"),),
                    )

    def _check_targets(self) -> None:
        """Every template has what is corrupted, and something is."""
        if not self.lines.corrupts:
            self.findings.error(
                "ATP209",
                "nothing is corrupted in these templates",
                self.lines.templates[0].span,
                advice="say what is different in the corrupted prompt, as `corrupt S2 -> IO`",
            )
        for written in self.texts:
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

    def _check_labels(self, answer: AnswerRead | None, keep: Formula | None) -> None:
        """Places whose words are used are in every template."""
        used: list[tuple[str, Span]] = [*self._used_in_lines()]
        used += answer.used if answer else ()
        used += names_in(keep.expression) if keep else ()
        for name, place in _first_uses(used):
            if name not in self.labels:
                continue
            for written in self.texts:
                if all(piece.label != name for piece in written.pieces):
                    self.findings.error(
                        "ATP241",
                        f"a template has no place `{name}`, whose word is used here",
                        place,
                        advice=f"name the place in every template, or write"
                        f" `{self.labels[name]}`",
                        also=(Label(written.text.span, "this template"),),
                    )


def _first_uses(used: Iterable[tuple[str, Span]]) -> Iterable[tuple[str, Span]]:
    first: dict[str, Span] = {}
    for name, place in used:
        first.setdefault(name, place)
    return first.items()


def one_answer(
    lines: tuple[t.AnswerLine, ...],
    holds: Holds,
    findings: Findings,
    *,
    names: Iterable[str] | None = None,
) -> AnswerRead | None:
    """The `answer` of a body; a second one is a problem.

    Args:
        lines: the statements.
        holds: what may stand in braces.
        findings: takes the problems.
        names: what texts and formulas may use, None where it is not known.
    """
    for line in lines[1:]:
        twice("`answer`", line.word.span, lines[0].word.span, findings)
    known = None if names is None else tuple(names)
    return AnswerRead(lines[0], holds, findings, known) if lines else None
