"""`answer` lines, and whether the prompts have what the metric needs."""

from __future__ import annotations

from atpdsl.problems import Label, Span
from atpdsl.semantics.experiment import Answer, MetricCall, Prompts, TemplatePrompts, Text
from atpdsl.semantics.findings import Findings
from atpdsl.semantics.signature import Signature
from atpdsl.semantics.texts import Holds, Written, read_texts
from atpdsl.syntax import tree as t


class AnswerRead:
    """An `answer` line, with the pieces of its texts for further checks."""

    def __init__(self, line: t.AnswerLine, holds: Holds, findings: Findings) -> None:
        self.line = line
        self.right = read_texts(line.right, holds, findings)
        self.wrong = () if line.wrong is None else read_texts(line.wrong, holds, findings)

    @property
    def written(self) -> tuple[Written, ...]:
        """All texts, right ones first."""
        return (*self.right, *self.wrong)

    @property
    def plain(self) -> bool:
        """Whether no text has a slot, so that the answer fits a `pair`, too."""
        return not any(written.slots() for written in self.written)

    @property
    def answer(self) -> Answer:
        """What the experiment needs of it."""
        wrong = tuple(written.text for written in self.wrong)
        if self.line.wrong is not None and not wrong:
            # It could not be read, which is not the same as to be left out.
            wrong = (Text(text="", span=self.line.wrong.span),)
        return Answer(
            right=tuple(written.text for written in self.right),
            wrong=wrong,
            span=self.line.span,
        )


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
    wants = Label(metric.span, f"`{metric.name}` needs it")
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
