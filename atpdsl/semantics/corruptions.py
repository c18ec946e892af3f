"""`corrupt` lines: what is different in the corrupted prompt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from atpdsl.problems import Label, Span
from atpdsl.registry import closest
from atpdsl.semantics.experiment import Corruption
from atpdsl.semantics.findings import Findings, did_you_mean
from atpdsl.semantics.texts import Holds, read_text
from atpdsl.syntax import tree as t

OTHER = "other"


def read_corruptions(
    lines: Iterable[t.CorruptLine],
    slots: tuple[str, ...],
    labels: Mapping[str, str],
    findings: Findings,
    *,
    complete: bool,
) -> tuple[Corruption, ...]:
    """The corruptions of a `prompts` block.

    Args:
        lines: the statements.
        slots: the names of slots.
        labels: the `as` names of the templates, each with its slot.
        findings: takes the problems.
        complete: whether all slots and templates could be read.
    """
    reader = _Reader(slots, labels, findings, complete=complete)
    return tuple(corruption for line in lines for corruption in reader.read(line))


class _Reader:
    def __init__(
        self,
        slots: tuple[str, ...],
        labels: Mapping[str, str],
        findings: Findings,
        *,
        complete: bool,
    ) -> None:
        self.slots = slots
        self.labels = labels
        self.findings = findings
        self.complete = complete
        self.targets: dict[str, Span] = {}

    def read(self, line: t.CorruptLine) -> Iterable[Corruption]:
        for target in line.targets:
            if target.text in self.targets:
                self.findings.error(
                    "ATP211",
                    f"`{target.text}` is corrupted twice",
                    target.span,
                    advice="remove one of the two",
                    also=(Label(self.targets[target.text], "the first is here"),),
                )
                continue
            self.targets[target.text] = target.span
            corruption = self._corruption(target, line)
            if corruption is not None:
                yield corruption

    def _corruption(self, target: t.Name, line: t.CorruptLine) -> Corruption | None:
        match line.value:
            case t.Name(text=text) if text == OTHER:
                return Corruption(target=target.text, redraw=True, span=line.span)
            case t.Name() as name:
                return self._from_slot(target, name, line)
            case t.Number(text=text, unit=""):
                return Corruption(target=target.text, text=text, span=line.span)
            case t.String() as string:
                return self._from_text(target, string, line)
            case value:
                self.findings.error(
                    "ATP108",
                    "a corruption is a slot, a text or `other`",
                    value.span,
                    advice='write `corrupt S2 -> IO`, `-> "Mary"` or `-> other`',
                )
                return None

    def _from_slot(
        self, target: t.Name, name: t.Name, line: t.CorruptLine
    ) -> Corruption | None:
        if name.text not in self.slots:
            if self.complete:
                self._unknown(name)
            return None
        if self.labels.get(target.text, target.text) == name.text:
            self.findings.error(
                "ATP212",
                f"`{target.text}` is the slot `{name.text}` already, so this changes nothing",
                name.span,
                advice="name another slot, a text, or `other` for another word of its list",
            )
            return None
        return Corruption(target=target.text, slot=name.text, span=line.span)

    def _unknown(self, name: t.Name) -> None:
        if name.text in self.labels:
            advice = f"`{name.text}` is a place; its slot is `{self.labels[name.text]}`"
        else:
            meant = closest(name.text, (*self.slots, OTHER))
            advice = did_you_mean(meant, f'for a fixed text write `"{name.text}"`')
        message = f"there is no slot `{name.text}`"
        self.findings.error("ATP241", message, name.span, advice=advice)

    def _from_text(
        self, target: t.Name, string: t.String, line: t.CorruptLine
    ) -> Corruption | None:
        written = read_text(string, Holds.SLOTS, self.findings)
        if written is None:
            return None
        known = {*self.slots, *self.labels}
        for piece in written.slots():
            if self.complete and piece.slot not in known:
                self.findings.error(
                    "ATP241",
                    f"there is no slot `{piece.slot}`",
                    written.place(piece),
                    advice=did_you_mean(closest(str(piece.slot), known)),
                )
        return Corruption(target=target.text, text=written.text.text, span=line.span)
