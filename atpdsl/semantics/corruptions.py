"""`corrupt` lines: what is different in the corrupted prompt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sized

from atpdsl.problems import Label, Span
from atpdsl.registry import closest
from atpdsl.semantics.experiment import Corruption
from atpdsl.semantics.findings import Findings, did_you_mean
from atpdsl.semantics.read_formulas import read_formula
from atpdsl.semantics.texts import Holds, read_text
from atpdsl.syntax import tree as t

OTHER = "other"


def read_corruptions(
    lines: Iterable[t.CorruptLine],
    slots: tuple[str, ...],
    labels: Mapping[str, str],
    findings: Findings,
    *,
    lets: tuple[str, ...] = (),
    complete: bool,
) -> tuple[Corruption, ...]:
    """The corruptions of a `prompts` block.

    Args:
        lines: the statements.
        slots: the names of slots.
        labels: the `as` names of the templates, each with its slot.
        findings: takes the problems.
        lets: the names of `let` lines.
        complete: whether all slots and templates could be read.
    """
    reader = _Reader(slots, labels, lets, findings, complete=complete)
    return tuple(corruption for line in lines for corruption in reader.read(line))


class _Reader:
    def __init__(
        self,
        slots: tuple[str, ...],
        labels: Mapping[str, str],
        lets: tuple[str, ...],
        findings: Findings,
        *,
        complete: bool,
    ) -> None:
        self.slots = slots
        self.labels = labels
        self.lets = lets
        self.findings = findings
        self.complete = complete
        self.targets: dict[str, Span] = {}

    def read(self, line: t.CorruptLine) -> Iterable[Corruption]:
        values = line.values
        if len(values) == 1:
            values *= len(line.targets)
        if len(values) != len(line.targets):
            self.findings.error(
                "ATP108",
                f"{_several(line.targets, 'place')} and {_several(values, 'value')} do not go"
                " together",
                line.values[0].span.to(line.values[-1].span),
                advice="write one value for all, or one for each: `corrupt A, B -> B, A`",
            )
            return
        for target, value in zip(line.targets, values, strict=True):
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
            corruption = self._corruption(target, value, line)
            if corruption is not None:
                yield corruption

    def _corruption(
        self, target: t.Name, value: t.Expression, line: t.CorruptLine
    ) -> Corruption | None:
        match value:
            case t.Name(text=text) if text == OTHER:
                return self._redraw(target, value, line)
            case t.Name() as name:
                return self._from_slot(target, name, line)
            case t.String() as string:
                return self._from_text(target, string, line)
            case t.Number(unit="") | t.Call() | t.Binary() | t.Unary():
                return self._from_formula(target, value, line)
            case _:
                self.findings.error(
                    "ATP108",
                    "a corruption is a slot, a text, a formula or `other`",
                    value.span,
                    advice='write `corrupt S2 -> IO`, `-> "Mary"`, `-> yy - 1` or `-> other`',
                )
                return None

    def _redraw(
        self, target: t.Name, other: t.Expression, line: t.CorruptLine
    ) -> Corruption | None:
        name = self.labels.get(target.text, target.text)
        if name in self.lets:
            self.findings.error(
                "ATP219",
                f"`{name}` is computed, and has no list with another word",
                other.span,
                advice="name a slot, a text or a formula instead of `other`",
            )
            return None
        return Corruption(target=target.text, redraw=True, span=line.span)

    def _from_formula(
        self, target: t.Name, value: t.Expression, line: t.CorruptLine
    ) -> Corruption | None:
        names = (*self.slots, *self.labels, *self.lets)
        formula = read_formula(value, names, self.findings, complete=self.complete)
        if formula is None:
            return None
        return Corruption(target=target.text, formula=formula, span=line.span)

    def _from_slot(
        self, target: t.Name, name: t.Name, line: t.CorruptLine
    ) -> Corruption | None:
        if name.text not in (*self.slots, *self.lets):
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
            meant = closest(name.text, (*self.slots, *self.lets, OTHER))
            advice = did_you_mean(meant, f'for a fixed text write `"{name.text}"`')
        message = f"there is no slot `{name.text}`"
        self.findings.error("ATP241", message, name.span, advice=advice)

    def _from_text(
        self, target: t.Name, string: t.String, line: t.CorruptLine
    ) -> Corruption | None:
        known = {*self.slots, *self.labels, *self.lets} if self.complete else None
        written = read_text(string, Holds.SLOTS, self.findings, names=known)
        if written is None:
            return None
        return Corruption(target=target.text, text=written.text.text, span=line.span)


def _several(items: Sized, unit: str) -> str:
    return f"{len(items)} {unit}" if len(items) == 1 else f"{len(items)} {unit}s"
