"""The `metric` statement: a metric with a name, or one that is computed of readings."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from types import MappingProxyType

from atpdsl.problems import Label, Source
from atpdsl.registry import closest
from atpdsl.semantics.experiment import UNNAMED, MethodCall, MetricCall, Prompts
from atpdsl.semantics.findings import Findings, did_you_mean, listed
from atpdsl.semantics.metric_formula import MetricFormula, readings_of
from atpdsl.semantics.metric_terms import RIGHT, WRONG, TermReader
from atpdsl.semantics.nodes import PLACEMENTS
from atpdsl.semantics.pair_names import pair_names
from atpdsl.semantics.positions import LAST, Positions
from atpdsl.semantics.schema import SHAPE_OF, key_of
from atpdsl.semantics.settings import read_settings
from atpdsl.semantics.signature import Signature, Vocabulary
from atpdsl.syntax import tree as t


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a metric is read with.

    Attributes:
        positions: the names of the prompts' positions.
        prompts: the prompts, None where they could not be read.
        comments: of the spec, none of which belongs to the metric's text.
    """

    vocabulary: Vocabulary
    positions: Positions
    prompts: Prompts | None
    source: Source
    comments: tuple[t.Comment, ...] = ()


def read_metric(
    statement: t.Declaration, around: Surroundings, findings: Findings
) -> MetricCall | None:
    """What a `metric` statement asks for; None (and problems) where that is not clear."""
    value = statement.value
    known = {signature.name: signature for signature in around.vocabulary.metrics}
    position = _position(statement.positions, around.positions, findings)
    signature = known.get(value.text) if isinstance(value, t.Name) else None
    formula = None
    if isinstance(value, t.Name) and signature is None:
        _check_bare_name(value, around, findings)
    elif signature is None or _renamed(statement, value):
        formula = _formula(value, around, findings)
    _check_label(statement, known, around.vocabulary, findings)
    own = () if signature is None else tuple(key_of(param) for param in signature.params)
    shape = SHAPE_OF["metric"]
    settings = read_settings(
        statement.body,
        replace(shape, keys=(*own, *shape.keys)),
        findings,
        owner="`metric`" if signature is None else f"metric `{signature.name}`",
    )
    if signature is None and formula is None:
        return None
    return MetricCall(
        name=_name(statement, value, formula),
        position=position,
        settings=MappingProxyType({key.name: settings[key.name] for key in own}),
        formula=formula,
        normalize=bool(settings["normalize"]),
        span=value.span,
    )


def _renamed(statement: t.Declaration, value: t.Expression) -> bool:
    name = value.text if isinstance(value, t.Name) else ""
    return statement.label is not None and statement.label.text != name


def _name(statement: t.Declaration, value: t.Expression, formula: MetricFormula | None) -> str:
    if statement.label is not None:
        return statement.label.text
    return value.text if formula is None and isinstance(value, t.Name) else UNNAMED


def _check_bare_name(name: t.Name, around: Surroundings, findings: Findings) -> None:
    """A word alone that is no metric: a reading without tokens, or a misspelling."""
    readings = {signature.name for signature in around.vocabulary.readings}
    if name.text in readings:
        _reader(around, findings).term(name)
        return
    metrics = tuple(signature.name for signature in around.vocabulary.metrics)
    advice = did_you_mean(closest(name.text, metrics), f"there are {listed(metrics)}")
    message = f"there is no metric `{name.text}`"
    findings.error("ATP112", message, name.span, advice=advice)


def _check_label(
    statement: t.Declaration,
    metrics: Collection[str],
    vocabulary: Vocabulary,
    findings: Findings,
) -> None:
    """A label that is the name of something else would mislabel the results."""
    label = statement.label
    if label is None or not _renamed(statement, statement.value):
        return
    readings = {signature.name for signature in vocabulary.readings}
    if label.text in metrics or label.text in readings:
        what = "metric" if label.text in metrics else "reading"
        message = f"`{label.text}` is the name of another {what}"
        findings.error("ATP175", message, label.span, advice="choose another name")


def _formula(
    value: t.Expression, around: Surroundings, findings: Findings
) -> MetricFormula | None:
    reader = _reader(around, findings)
    term = reader.term(value)
    if term is None:
        return None
    if not readings_of(term):
        message = "this is the same number in every run, and measures nothing"
        advice = "read something: `logit_diff`, or `prob(right)`"
        findings.error("ATP176", message, value.span, advice=advice)
        return None
    return MetricFormula(term=term, sets=tuple(reader.sets), text=_written(value, around))


def _reader(around: Surroundings, findings: Findings) -> TermReader:
    prompts = around.prompts
    return TermReader(
        around.vocabulary,
        () if prompts is None else pair_names(prompts),
        findings,
        complete=prompts is not None and around.positions.complete,
    )


def _written(value: t.Expression, around: Surroundings) -> str:
    """The metric as it is written, on one line and without comments."""
    source, span = around.source.locate(value.span)
    shift = value.span.start - span.start
    text = source.text[span.start : span.end]
    for comment in reversed(around.comments):
        place = comment.span.moved(-shift)
        if span.start <= place.start < span.end:
            text = text[: place.start - span.start] + text[place.end - span.start :]
    return " ".join(text.split())


def _position(
    written: tuple[t.Expression, ...], positions: Positions, findings: Findings
) -> str:
    if not written:
        return LAST
    first = written[0]
    spread = isinstance(first, t.Name) and first.text in PLACEMENTS
    if len(written) > 1 or spread:
        findings.error(
            "ATP226",
            "a metric reads the logits at one position",
            first.span.to(written[-1].span),
            advice="write `at last`, or the name of another position",
        )
        return LAST
    text = positions.use(first)
    return LAST if text is None else text.text


# ---- what a metric needs ----


def signature_of(call: MetricCall, vocabulary: Vocabulary) -> Signature:
    """What a metric needs: its own signature, or that of its parts together."""
    metrics = {signature.name: signature for signature in vocabulary.metrics}
    if call.formula is None:
        return metrics[call.name]
    readings = {signature.name: signature for signature in vocabulary.readings}
    sides = {tokens.side for tokens in call.formula.sets}
    parts = [
        metrics[one.reading] if one.tokens is None else readings[one.reading]
        for one in readings_of(call.formula.term)
    ]
    return Signature(
        name=call.name,
        summary=call.formula.text,
        needs_answer=RIGHT in sides or any(part.needs_answer for part in parts),
        needs_foil=WRONG in sides or any(part.needs_foil for part in parts),
        differentiable=all(part.differentiable for part in parts),
    )


def check_gradients(
    metric: MetricCall,
    methods: Iterable[MethodCall],
    vocabulary: Vocabulary,
    findings: Findings,
) -> None:
    """Some methods take gradients, which a rank does not have."""
    if signature_of(metric, vocabulary).differentiable:
        return
    takers = {s.name for s in vocabulary.methods if s.needs_gradient}
    for call in methods:
        if call.method in takers:
            findings.error(
                "ATP177",
                f"`{call.method}` cannot estimate effects on a metric without a gradient",
                call.span,
                advice="use `ap`, which patches exactly, or a metric without `rank`",
                also=(Label(metric.span, "a rank changes in steps"),),
            )
