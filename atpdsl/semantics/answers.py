"""`answer` lines, and whether the prompts have what the metric needs."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from atpdsl.problems import Label, Span
from atpdsl.semantics.experiment import Answer, MetricCall, Prompts, TemplatePrompts, Text
from atpdsl.semantics.findings import Findings
from atpdsl.semantics.formulas import Formula
from atpdsl.semantics.numbers import whole_number
from atpdsl.semantics.read_formulas import ROW, names_in, read_formula
from atpdsl.semantics.signature import Signature
from atpdsl.semantics.template import parse_template
from atpdsl.semantics.texts import (
    MOST_ANSWERS,
    Holds,
    Written,
    column_path,
    read_text,
    read_words,
    too_many_words,
)
from atpdsl.syntax import tree as t


class AnswerRead:
    """An `answer` line, with the pieces of its texts for further checks.

    Args:
        line: the statement.
        holds: what may stand in the braces of its texts.
        findings: takes the problems.
        names: what texts and formulas may use; None where the slots are not known.
    """

    def __init__(
        self,
        line: t.AnswerLine,
        holds: Holds,
        findings: Findings,
        names: Collection[str] | None = None,
    ) -> None:
        self.line = line
        self.holds = holds
        self.findings = findings
        self.names = names
        self.right = self._side(line.right)
        self.wrong = () if line.wrong is None else self._side(line.wrong)

    @property
    def items(self) -> tuple[Written | Formula, ...]:
        """All texts and formulas, right ones first."""
        return (*self.right, *self.wrong)

    @property
    def used(self) -> Iterator[tuple[str, Span]]:
        """The slots and other names of the answer, each with its place."""
        for item in self.items:
            if isinstance(item, Formula):
                yield from names_in(item.expression)
            else:
                for piece in item.slots():
                    yield str(piece.slot), item.place(piece)

    @property
    def plain(self) -> bool:
        """Whether it is the same in every pair, so that it fits a `pair`, too."""
        return not any(self.used)

    @property
    def answer(self) -> Answer:
        """What the experiment needs of it."""
        wrong = tuple(map(_settled, self.wrong))
        if self.line.wrong is not None and not wrong:
            # It could not be read, which is not the same as to be left out.
            wrong = (Text(text="", span=self.line.wrong.span),)
        return Answer(right=tuple(map(_settled, self.right)), wrong=wrong, span=self.line.span)

    # ---- one side ----

    def _side(self, value: t.Expression) -> tuple[Written | Formula, ...]:
        items = value.items if isinstance(value, t.ListOf) else (value,)
        if not items:
            advice = "put a text in it"
            self.findings.error("ATP204", "this list is empty", value.span, advice=advice)
        found: list[Written | Formula] = []
        for item in items:
            found += self._item(item)
            if len(found) > MOST_ANSWERS:
                too_many_words(MOST_ANSWERS, value.span, self.findings)
                return ()
        return tuple(found)

    def _item(self, item: t.Expression) -> Iterator[Written | Formula]:
        if _plain_numbers(item):
            for word in read_words(item, self.findings):
                text = Text(text=word, span=item.span)
                yield Written(text=text, pieces=parse_template(word), origin=item)
            return
        column = self.holds is Holds.COLUMNS and column_path(item) is not None
        if isinstance(item, t.String | t.Number) or column:
            written = read_text(item, self.holds, self.findings, names=self.names)
            if written is not None:
                yield written
            return
        formula = self._formula(item)
        if formula is not None:
            yield formula

    def _formula(self, item: t.Expression) -> Formula | None:
        complete = self.names is not None or self.holds is Holds.NOTHING
        names = (*(self.names or ()), *((ROW,) if self.holds is Holds.COLUMNS else ()))
        return read_formula(item, names, self.findings, complete=complete)


def _settled(item: Written | Formula) -> Text | Formula:
    return item if isinstance(item, Formula) else item.text


def _plain_numbers(item: t.Expression) -> bool:
    """Whether an answer is a number or a range of numbers, written as it is to be read."""
    if isinstance(item, t.RangeOf):
        ends = (item.first, item.last)
        return None in ends or all(whole_number(end) is not None for end in ends)
    return isinstance(item, t.Number) and not item.unit


def check_answers(
    prompts: Prompts, metric: MetricCall, signature: Signature, findings: Findings
) -> None:
    """Every set of pairs needs the answers that the metric compares."""
    for part in prompts.parts:
        place = prompts.span if isinstance(part, TemplatePrompts) else part.span
        _check(part.answer, place, metric, signature, findings)


def _check(
    answer: Answer | None,
    place: Span,
    metric: MetricCall,
    signature: Signature,
    findings: Findings,
) -> None:
    wants = Label(metric.span, f"`{metric.title}` needs it")
    if answer is None and (signature.needs_answer or signature.needs_foil):
        foil = ' vs " John"' if signature.needs_foil else ""
        findings.error(
            "ATP207",
            "these prompts have no `answer`",
            place,
            advice=f'write `answer " Mary"{foil}`',
            also=(wants,),
        )
    elif answer is not None and signature.needs_foil and not answer.wrong:
        findings.error(
            "ATP208",
            "this `answer` says only what is right",
            answer.span,
            advice='write `answer " Mary" vs " John"`',
            also=(wants,),
        )
