"""Short ways to write the values that the front end makes."""

from __future__ import annotations

from random import Random

from atpdsl.models.shape import ModelShape
from atpdsl.problems import Source, Span
from atpdsl.semantics.conditions import Comparison, Range
from atpdsl.semantics.experiment import (
    Align,
    Answer,
    Corruption,
    Direction,
    Experiment,
    FilePrompts,
    InlinePair,
    MethodCall,
    MetricCall,
    ModelRef,
    NodeSelection,
    Placement,
    PositionRule,
    Prompts,
    RunSettings,
    Slot,
    TemplatePrompts,
    Text,
)

NOWHERE = Span(0, 0)
NAMES = ("Mary", "John", "Tom", "Lucy", "Anna", "Paul")
IOI = "When {IO} and {S} went to the {place}, {S as S2} gave a {object} to"
SHAPE = ModelShape(
    architecture="GPT2LMHeadModel",
    family="gpt2",
    n_layers=4,
    n_heads=4,
    n_kv_heads=4,
    d_model=128,
    d_head=32,
    d_mlp=512,
    d_vocab=50_000,
    n_context=64,
)


def seeded(seed: int) -> Random:
    return Random(seed)


def text(words: str, at: int = 0) -> Text:
    return Text(text=words, span=Span(at, at + 1))


def answer(right: str, wrong: str, at: int = 900) -> Answer:
    return Answer(right=(text(right),), wrong=(text(wrong),), span=Span(at, at + 1))


def slot(names: str, values: tuple[str, ...], at: int = 500) -> Slot:
    return Slot(names=tuple(names.split()), values=values, span=Span(at, at + 1))


def corrupt(
    target: str,
    slot: str | None = None,
    text: str | None = None,
    redraw: bool = False,
) -> Corruption:
    return Corruption(target=target, slot=slot, text=text, redraw=redraw, span=Span(600, 601))


def templates(
    *written: str,
    slots: tuple[Slot, ...] | None = None,
    corruptions: tuple[Corruption, ...] | None = None,
    answers: Answer | None = None,
    count: int = 8,
) -> TemplatePrompts:
    """IOI unless told otherwise; the n-th template stands at 100 n."""
    return TemplatePrompts(
        templates=tuple(text(one, 100 * n) for n, one in enumerate(written or (IOI,), 1)),
        slots=ioi_slots() if slots is None else slots,
        corruptions=(corrupt("S2", slot="IO"),) if corruptions is None else corruptions,
        answer=answers or answer(" {IO}", " {S}"),
        count=count,
    )


def ioi_slots(names: tuple[str, ...] = NAMES) -> tuple[Slot, ...]:
    return (
        slot("IO S", names, 500),
        slot("place", ("store", "park", "school"), 510),
        slot("object", ("drink", "book"), 520),
    )


def inline(
    clean: str, corrupted: str, answers: Answer | None = None, align: Align = Align.STRICT
) -> InlinePair:
    return InlinePair(
        clean=text(clean),
        corrupted=text(corrupted),
        answer=answers,
        align=align,
        span=Span(10, 20),
    )


def from_file(
    path: str,
    clean: str = "{row.clean}",
    corrupted: str = "{row.corrupted}",
    answers: Answer | None = None,
    limit: int | None = None,
) -> FilePrompts:
    return FilePrompts(
        path=path,
        format=path.rpartition(".")[2],
        clean=text(clean, 30),
        corrupted=text(corrupted, 40),
        answer=answers,
        limit=limit,
        span=Span(20, 25),
    )


def prompts(
    *parts: TemplatePrompts | InlinePair | FilePrompts,
    positions: tuple[PositionRule, ...] = (),
    align: Align = Align.STRICT,
    bos: bool = True,
) -> Prompts:
    return Prompts(
        name="p", parts=parts, positions=positions, align=align, bos=bos, span=Span(1, 9)
    )


def matching(name: str, pattern: str) -> PositionRule:
    return PositionRule(name=name, pattern=pattern, span=Span(700, 701))


def relative(name: str, origin: str, offset: int) -> PositionRule:
    return PositionRule(name=name, relative=(origin, offset), span=Span(710, 711))


def nodes(
    kind: str,
    at: str = "every",
    layers: tuple[Range, ...] | None = None,
    indices: tuple[Range, ...] | None = None,
    where: tuple[Comparison, ...] = (),
    span: Span = NOWHERE,
) -> NodeSelection:
    """`at` is `every`, `sequence` or names with spaces between them."""
    placement = Placement(at) if at in ("every", "sequence") else Placement.NAMED
    names = at.split() if placement is Placement.NAMED else ()
    return NodeSelection(
        kind=kind,
        layers=layers,
        indices=indices,
        placement=placement,
        positions=tuple(text(name, 800) for name in names),
        filters=where,
        span=span,
    )


def only(first: int | None, last: int | None = -1) -> tuple[Range, ...]:
    """One range; one number if `last` is left out."""
    return (Range(first=first, last=first if last == -1 else last),)


def where(axis: str, operator: str, *ranges: Range) -> Comparison:
    return Comparison(axis=axis, operator=operator, values=ranges, span=Span(850, 851))


def experiment(
    given: Prompts,
    *selections: NodeSelection,
    metric_position: str = "last",
    seed: int = 0,
) -> Experiment:
    return Experiment(
        name="test",
        source=Source("test.atp", ""),
        doc="",
        model=ModelRef(name="tiny", span=NOWHERE),
        prompts=given,
        metric=MetricCall(name="logit_diff", position=metric_position, span=Span(750, 751)),
        nodes=selections or (nodes("mlp", "last"),),
        methods=(
            MethodCall(label="atp", method="atp", direction=Direction.NOISING, span=NOWHERE),
        ),
        verify=None,
        run=RunSettings(seed=seed),
        exports=(),
    )
