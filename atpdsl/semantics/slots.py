"""`slot` lines: names and the words that they are drawn from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from atpdsl.problems import Label, Span
from atpdsl.registry import closest
from atpdsl.semantics.experiment import Slot
from atpdsl.semantics.findings import Findings, did_you_mean, listed
from atpdsl.semantics.formulas import Formula, FormulaError, evaluate
from atpdsl.semantics.functions import FUNCTIONS
from atpdsl.semantics.origins import WORD_ORIGINS
from atpdsl.semantics.paths import objection, why_unreadable
from atpdsl.semantics.read_formulas import names_in, read_formula
from atpdsl.semantics.tables import is_table, number_columns, read_table
from atpdsl.semantics.texts import MOST_WORDS, read_words, too_many_words
from atpdsl.semantics.values import RefusedError, Value, flat, texts_in, written_number
from atpdsl.syntax import tree as t

RESERVED = ("row", "last", "every", "sequence", "other")
LARGEST_LIST = 1 << 20


def read_slots(lines: Iterable[t.SlotLine], base: Path, findings: Findings) -> tuple[Slot, ...]:
    """The slots of a `prompts` block, names checked to be new."""
    lines = tuple(lines)
    all_names = {name.text for line in lines for name in line.names}
    seen: dict[str, Span] = {}
    slots: list[Slot] = []
    for line in lines:
        for name in line.names:
            _check_name(name, seen, findings)
            seen.setdefault(name.text, name.span)
        table = is_table(line.values)
        words = () if table else _words(line.values, base, findings)
        names = tuple(dict.fromkeys(name.text for name in line.names))
        numbers = names if words and not any(isinstance(word, str) for word in words) else ()
        slots.append(
            Slot(
                names=names,
                rows=read_table(line.values, line.names, findings) if table else (),
                values=tuple(str(word) for word in words),
                numbers=number_columns(line.values, line.names) if table else numbers,
                where=_where(line, names, all_names, findings),
                span=line.values.span,
            )
        )
    return tuple(slots)


def _where(
    line: t.SlotLine, names: tuple[str, ...], all_names: set[str], findings: Findings
) -> Formula | None:
    """The condition of a slot line, which is about its own words."""
    if line.where is None:
        return None
    formula = read_formula(line.where, sorted(all_names), findings)
    if formula is None:
        return None
    used = [name for name, _ in names_in(line.where)]
    others = [(name, place) for name, place in names_in(line.where) if name not in names]
    if used and not others:
        return formula
    about = others[0][1] if others else line.where.span
    what = f"the words of `{others[0][0]}`" if others else "no slot"
    findings.error(
        "ATP215",
        f"this condition of `{names[0]}` is about {what}",
        about,
        advice="to choose among drawn pairs write `keep = ...` on a line of its own"
        if others
        else f'it is about the words of this line, as in `single_token(" {{{names[0]}}}")`',
    )
    return None


def _check_name(name: t.Name, seen: dict[str, Span], findings: Findings) -> None:
    if name.text in RESERVED:
        findings.error(
            "ATP205",
            f"a slot cannot be called `{name.text}`",
            name.span,
            advice="that word means something else in prompts; choose another",
        )
    elif name.text in seen:
        findings.error(
            "ATP205",
            f"there is a slot `{name.text}` already",
            name.span,
            advice="give it another name",
            also=(Label(seen[name.text], "the first is here"),),
        )


def _words(value: t.Expression, base: Path, findings: Findings) -> tuple[Value, ...]:
    """The words of a slot; those written as numbers are numbers."""
    before = len(findings)
    words = _ListReader(base, findings).words(value)
    if not words and len(findings) == before:
        findings.error(
            "ATP204", "this list is empty", value.span, advice="put the slot's words in it"
        )
    return words


class _ListReader:
    """Reads lists of words: strings, numbers, ranges, files, and sums of these."""

    def __init__(self, base: Path, findings: Findings) -> None:
        self.base = base
        self.findings = findings
        self.full = False

    def words(self, value: t.Expression) -> tuple[Value, ...]:
        """The words of an expression, in its order; none after there were too many."""
        if self.full:
            return ()
        match value:
            case t.ListOf(items=items):
                return self._joined(items, value.span)
            case t.Binary(operator="+", left=left, right=right) if _is_list(left):
                return self._joined((left, right), value.span)
            case t.Call(function=t.Name(text=name)) if name not in FUNCTIONS:
                return _lines(value, self.base, self.findings)
            case t.Call() | t.Binary():
                return self._computed(value)
            case t.RangeOf(first=first, last=last) if _computed_end(first, last):
                return self._computed(value)
            case t.String(value=text):
                return (text,)
            case _:
                return tuple(map(written_number, read_words(value, self.findings)))

    def _joined(self, items: Iterable[t.Expression], at: Span) -> tuple[Value, ...]:
        """The words of all items, if they are not too many."""
        found: list[Value] = []
        for item in items:
            found += self.words(item)
            if len(found) > MOST_WORDS:
                self.full = True
                too_many_words(MOST_WORDS, at, self.findings)
                return ()
        return tuple(found)

    def _computed(self, value: t.Expression) -> tuple[Value, ...]:
        """The words that a formula gives, as `two_digits(2..98)`."""
        formula = read_formula(value, (), self.findings)
        if formula is None:
            return ()
        try:
            found = flat(evaluate(formula, {}, None))
            texts = texts_in(found)
        except (FormulaError, RefusedError) as error:
            self.findings.error("ATP233", error.message, value.span, advice=error.advice)
            return ()
        return tuple(
            text if isinstance(word, str) else written_number(text)
            for word, text in zip(found, texts, strict=True)
        )


def _computed_end(*ends: t.Expression | None) -> bool:
    return any(isinstance(end, t.Unary | t.Binary | t.Call) for end in ends)


def _is_list(value: t.Expression) -> bool:
    """Whether `+` behind this adds words to a list, and not numbers."""
    match value:
        case t.Binary(operator="+", left=left):
            return _is_list(left)
        case t.Call(function=t.Name(text=name)):
            return name not in FUNCTIONS
        case t.ListOf() | t.String():
            return True
        case _:
            return False


def _lines(call: t.Call, base: Path, findings: Findings) -> tuple[str, ...]:
    """`lines("words.txt")`: a file's lines without the empty ones."""
    path = path_argument(call, "lines", findings, base)
    if path is None:
        return ()
    place = path.span
    try:
        with (base / path.value).open("rb") as file:
            content = file.read(LARGEST_LIST + 1)
        if len(content) > LARGEST_LIST:
            message = f"`{path.value}` has more than {LARGEST_LIST:,} bytes"
            findings.error("ATP247", message, place, advice="keep only the words needed")
            return ()
        lines = content.decode("utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        reason = why_unreadable(error) if isinstance(error, OSError) else "it is not UTF-8 text"
        message = f"`{path.value}` cannot be read: {reason}"
        findings.error("ATP246", message, place, advice="a path starts at the spec's folder")
        return ()
    return tuple(line.strip() for line in lines if line.strip())


def path_argument(call: t.Call, name: str, findings: Findings, base: Path) -> t.String | None:
    """The path in `name("path")`; None (and a problem) if the call is not of this form."""
    called = call.function.text if isinstance(call.function, t.Name) else ""
    first = call.arguments[0] if len(call.arguments) == 1 else None
    plain = first is not None and first.name is None and first.position is None
    if called != name or first is None or not plain or not isinstance(first.value, t.String):
        if called == name:
            advice = f'write `{name}("file")`'
            findings.error("ATP108", f"`{name}` wants one path", call.span, advice=advice)
        else:
            there_are = f"words come from a list, or from {listed(WORD_ORIGINS)}"
            advice = did_you_mean(closest(called, WORD_ORIGINS), there_are)
            findings.error("ATP108", "words are wanted here", call.function.span, advice=advice)
        return None
    reason = objection(first.value.value, folder=base)
    if reason:
        findings.error(
            "ATP117",
            f"this path cannot be read: {reason}",
            first.value.span,
            advice="name a file in the spec's folder or below it, as `data/pairs.csv`",
        )
        return None
    return first.value
