"""Named positions: where names come from, and their use in `at` and `pos`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from atpdsl.problems import Label, Span
from atpdsl.registry import closest
from atpdsl.semantics.experiment import PositionRule, Text
from atpdsl.semantics.findings import Findings, did_you_mean, listed
from atpdsl.semantics.numbers import whole_number
from atpdsl.semantics.slots import RESERVED
from atpdsl.semantics.texts import Written
from atpdsl.syntax import tree as t

LAST = "last"
_SLOT = re.compile(r"\{\s*([A-Za-z_]\w*)\s*(as\s+\w+\s*)?\}")


class Positions:
    """The position names of a `prompts` block.

    Attributes:
        rules: the `pos` lines, and one for each `S1 + 1` that stands in an `at`.
        complete: False where part of the prompts could not be read, so that a name may
            belong to that.
    """

    def __init__(self, findings: Findings, *, complete: bool = True) -> None:
        self.findings = findings
        self.complete = complete
        self.rules: list[PositionRule] = []
        self.names: dict[str, Span] = {}

    def add_texts(
        self, texts: Iterable[Written], slots: Iterable[str], lets: Iterable[str] = ()
    ) -> None:
        """Takes the names of templates: slots, values of `let` lines, and `as` names."""
        declared = dict.fromkeys(lets, "that is a `let`") | dict.fromkeys(
            slots, "that is a slot"
        )
        for written in texts:
            here: dict[str, Span] = {}
            for piece in written.pieces:
                place = written.place(piece)
                if piece.label is not None:
                    self._check_label(piece.label, place, declared, here)
                    here.setdefault(piece.label, place)
                elif piece.slot is not None:
                    self.names.setdefault(piece.slot, place)
            self.names = here | self.names

    def _check_label(
        self, label: str, place: Span, declared: Mapping[str, str], here: dict[str, Span]
    ) -> None:
        if label in here:
            also = (Label(here[label], "the first is here"),)
            self._name_taken(label, "there is one in this text already", place, also)
        elif label in declared:
            self._name_taken(label, declared[label], place)
        elif label in RESERVED:
            self._name_taken(label, "that word means something else", place)

    def _name_taken(
        self, name: str, why: str, place: Span, also: tuple[Label, ...] = ()
    ) -> None:
        self.findings.error(
            "ATP203",
            f"a position cannot be called `{name}`: {why}",
            place,
            advice="choose another name",
            also=also,
        )

    def add_rule(self, line: t.PositionLine) -> None:
        """Takes a `pos` line; it may use names that come before it."""
        name = line.name
        if name.text in self.names:
            also = (Label(self.names[name.text], "the first is here"),)
            self._name_taken(name.text, "there is one already", name.span, also)
            return
        if name.text in RESERVED:
            self._name_taken(name.text, "that word means something else", name.span)
            return
        rule = self._rule(name.text, line.value, line.span)
        self.names[name.text] = name.span
        if rule is not None:
            self.rules.append(rule)

    def _rule(self, name: str, value: t.Expression, span: Span) -> PositionRule | None:
        if isinstance(value, t.Call):
            pattern = self._pattern(value)
            if pattern is None:
                return None
            return PositionRule(name=name, pattern=pattern.value, span=span)
        reference = self._reference(
            value, 'write `match(r"in the city of (\\w+)")` or `S1 + 1`'
        )
        if reference is None:
            return None
        origin, offset = reference
        return PositionRule(name=name, relative=(origin.text, offset), span=span)

    def _reference(self, value: t.Expression, advice: str) -> tuple[t.Name, int] | None:
        """A known position and an offset from it in tokens; a problem if it is none."""
        relative = _relative(value)
        if relative is None:
            self._not_a_position(value, advice)
            return None
        return relative if self._known(relative[0]) else None

    def _pattern(self, call: t.Call) -> t.String | None:
        called = call.function.text if isinstance(call.function, t.Name) else ""
        first = call.arguments[0] if len(call.arguments) == 1 else None
        if called == "match" and first is not None and isinstance(first.value, t.String):
            return first.value if self._is_pattern(first.value) else None
        self.findings.error(
            "ATP108",
            "`match` wants one pattern" if called == "match" else "this is no position",
            call.span,
            advice='write `match(r"in the city of (\\w+)")` or `S1 + 1`',
        )
        return None

    def _is_pattern(self, string: t.String) -> bool:
        slot = None if string.raw else _SLOT.search(string.value)
        if slot is None:
            return True
        known = f"`{slot[1]}` is a position by itself; " if slot[1] in self.names else ""
        self.findings.error(
            "ATP108",
            "a pattern has no slots",
            string.place(slot.start(), slot.end()),
            advice=f'{known}write what the text looks like, as `match(r"a (\\w+)")`',
        )
        return False

    def use(self, value: t.Expression) -> Text | None:
        """A position in an `at`: a name, a name and an offset, or a token's number."""
        number = whole_number(value)
        if number is not None:
            return Text(text=str(number), span=value.span)
        reference = self._reference(
            value,
            "positions are names, as `last` and `S2`, names and an offset, as `S2 + 1`, or a"
            " token's number",
        )
        if reference is None:
            return None
        origin, offset = reference
        if offset == 0:
            return Text(text=origin.text, span=value.span)
        name = f"{origin.text}{offset:+d}"
        if all(rule.name != name for rule in self.rules):
            rule = PositionRule(name=name, relative=(origin.text, offset), span=value.span)
            self.rules.append(rule)
        return Text(text=name, span=value.span)

    def _known(self, name: t.Name) -> bool:
        if not self.complete or name.text in self.names or name.text == LAST:
            return True
        names = (*self.names, LAST)
        advice = did_you_mean(closest(name.text, names), f"positions are {listed(names)}")
        message = f"there is no position `{name.text}`"
        self.findings.error("ATP262", message, name.span, advice=advice)
        return False

    def _not_a_position(self, value: t.Expression, advice: str) -> None:
        match value:
            case t.String(value=text) if text in self.names or text == LAST:
                advice = f"write `{text}`, without quotes"
            case t.Call(function=t.Name(text="match")):
                advice = "give it a name first: `pos place = match(...)` in `prompts`"
            case _:
                pass
        self.findings.error("ATP206", "this is no position", value.span, advice=advice)


def _relative(value: t.Expression) -> tuple[t.Name, int] | None:
    """`S1 + 1` as the name and the offset in tokens."""
    match value:
        case t.Name():
            return value, 0
        case t.Binary(operator="+" | "-" as sign, left=t.Name() as name, right=right):
            offset = whole_number(right)
            if offset is None:
                return None
            return name, offset if sign == "+" else -offset
        case _:
            return None
