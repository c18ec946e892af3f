"""`let` lines in a `prompts` block: values of their own in every pair."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from atpdsl.semantics.experiment import (
    Answer,
    FilePrompts,
    InlinePair,
    PairLet,
    Prompts,
    TemplatePrompts,
    Text,
)
from atpdsl.semantics.findings import Findings
from atpdsl.semantics.formulas import Formula
from atpdsl.semantics.read_formulas import ROW, names_in, read_formula
from atpdsl.semantics.slots import RESERVED
from atpdsl.semantics.template import TemplateError, parse_template
from atpdsl.syntax import tree as t


def read_lets(
    lines: Iterable[t.Let],
    taken: Mapping[str, str],
    usable: Iterable[str],
    findings: Findings,
    *,
    complete: bool = True,
) -> tuple[PairLet, ...]:
    """The `let` lines of a block, each using the names before it.

    Args:
        lines: the statements.
        taken: names that mean something already, and what they are, as "a slot".
        usable: names that their formulas may use: slots and `as` names, or `row`.
        findings: takes the problems.
        complete: whether `usable` has all of them.
    """
    lines = tuple(lines)
    meanings = dict(taken)
    names = list(usable)
    lets: list[PairLet] = []
    for number, line in enumerate(lines):
        _check_name(line.name, meanings, findings)
        later = {other.name.text for other in lines[number:]} - set(names)
        formula = _formula(line, names, later, findings, complete=complete)
        meanings.setdefault(line.name.text, "a `let`")
        names.append(line.name.text)
        if formula is not None:
            lets.append(PairLet(name=line.name.text, formula=formula, span=line.span))
    return tuple(lets)


def _check_name(name: t.Name, meanings: Mapping[str, str], findings: Findings) -> None:
    what = meanings.get(name.text)
    if name.text in RESERVED:
        what = "a word with a meaning of its own"
    if what is not None:
        findings.error(
            "ATP217",
            f"`{name.text}` is {what} already",
            name.span,
            advice="give the `let` another name",
        )


def _formula(
    line: t.Let, names: list[str], later: set[str], findings: Findings, *, complete: bool
) -> Formula | None:
    """The value of a `let`; names of this and later lines have none yet."""
    early = [(name, place) for name, place in names_in(line.value) if name in later]
    for name, place in early:
        own = name == line.name.text
        findings.error(
            "ATP230",
            f"`{name}` has no value yet here",
            place,
            advice="a `let` cannot use itself"
            if own
            else f"move `let {name}` before this line",
        )
    if early:
        return None
    return read_formula(line.value, names, findings, complete=complete)


def warn_unused(prompts: Prompts, metrics: Iterable[t.Expression], findings: Findings) -> None:
    """A warning for each `let` that neither the prompts nor a metric uses."""
    used = {name for metric in metrics for name, _ in names_in(metric)}
    used |= {name for part in prompts.parts for name in _used_by(part)}
    for part in prompts.parts:
        for let in () if isinstance(part, InlinePair) else part.lets:
            if let.name not in used:
                message = f"nothing uses `{let.name}`"
                advice = "use it in a text, an answer, `keep` or the metric, or remove it"
                findings.warning("ATP218", message, let.span, advice=advice)


def _used_by(part: TemplatePrompts | InlinePair | FilePrompts) -> Iterator[str]:
    if isinstance(part, InlinePair):
        return
    for let in part.lets:
        yield from _in_formula(let.formula)
    if part.keep is not None:
        yield from _in_formula(part.keep)
    if part.answer is not None:
        yield from _in_answer(part.answer)
    if isinstance(part, FilePrompts):
        yield from (*_in_text(part.clean.text), *_in_text(part.corrupted.text))
        return
    for text in part.templates:
        yield from _in_text(text.text)
    for corruption in part.corruptions:
        yield from (corruption.slot,) if corruption.slot is not None else ()
        yield from _in_text(corruption.text or "")
        yield from () if corruption.formula is None else _in_formula(corruption.formula)


def _in_answer(answer: Answer) -> Iterator[str]:
    for item in (*answer.right, *answer.wrong):
        yield from _in_text(item.text) if isinstance(item, Text) else _in_formula(item)


def _in_formula(formula: Formula) -> Iterator[str]:
    return (name for name, _ in names_in(formula.expression))


def _in_text(text: str) -> Iterator[str]:
    try:
        pieces = parse_template(text)
    except TemplateError:
        return
    for piece in pieces:
        if piece.literal is None:
            yield piece.slot or ROW
