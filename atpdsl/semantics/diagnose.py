"""`diagnose { cancellation; subset_sampling { samples = 2000 } }`: what to look out for."""

from __future__ import annotations

from dataclasses import dataclass, replace

from atpdsl.problems import Span
from atpdsl.problems.fixes import replaced
from atpdsl.registry import closest
from atpdsl.semantics.diagnosis import (
    Cancellation,
    Diagnosis,
    Flag,
    Partition,
    Saturation,
    StopWhen,
    SubsetSampling,
    Uncertainty,
)
from atpdsl.semantics.findings import Findings, did_you_mean, listed
from atpdsl.semantics.flags import DEFAULT_FLAGS, columns_of, read_flag
from atpdsl.semantics.measured import Measured
from atpdsl.semantics.numbers import percentage
from atpdsl.semantics.schema import DIAGNOSE
from atpdsl.semantics.settings import Settings, read_settings
from atpdsl.semantics.texts import twice
from atpdsl.syntax import tree as t

PARTS = {part.word: part for part in DIAGNOSE.parts}
# A node in fewer sets has no variance.
FEWEST_SETS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A diagnostic as it is written."""

    name: t.Name
    settings: Settings


def read_diagnosis(
    block: t.Block, measured: Measured, findings: Findings, *, attends: bool
) -> Diagnosis:
    """The diagnostics that a `diagnose` block asks for.

    Args:
        block: the statement.
        measured: what the spec estimates and measures, and so what can be diagnosed.
        findings: takes the problems.
        attends: whether there are nodes that act through attention's softmax.
    """
    parts: dict[str, _Part] = {}
    for line in block.body.statements:
        if isinstance(line, t.Select):
            _take(line, parts, findings)
        elif isinstance(line, t.Setting) and line.name.text in PARTS:
            _assigned(line, findings)
        else:
            alone = t.Body(statements=(line,), span=block.body.span)
            read_settings(alone, DIAGNOSE, findings)
    if not block.body.statements and not block.body.broken:
        advice = f"there are {listed(tuple(PARTS))}"
        findings.error("ATP168", "nothing is diagnosed", block.word.span, advice=advice)
    reader = _Reader(measured, findings, attends=attends)
    return Diagnosis(
        cancellation=reader.cancellation(parts.get("cancellation")),
        saturation=reader.saturation(parts.get("saturation")),
        uncertainty=reader.uncertainty(parts.get("uncertainty")),
        subset_sampling=reader.subset_sampling(parts.get("subset_sampling")),
    )


def with_bounds(
    diagnosis: Diagnosis, stop: StopWhen, measured: Measured, findings: Findings
) -> Diagnosis:
    """With the subset sampling that a sequential verification needs, if nobody asked for it."""
    _check_anything_left(measured, stop.span, findings)
    if diagnosis.subset_sampling is not None:
        return diagnosis
    return replace(diagnosis, subset_sampling=SubsetSampling(span=stop.span))


def _check_anything_left(measured: Measured, at: Span, findings: Findings) -> None:
    if not measured.complete or not measured.calls or measured.bounded:
        return
    message = "every node is measured, so no effect is left to bound"
    advice = "leave it out, or leave out the exact method"
    findings.warning("ATP182", message, at, advice=advice)


def _take(line: t.Select, parts: dict[str, _Part], findings: Findings) -> None:
    """A line: one diagnostic with its settings, or several without."""
    extra = (*line.targets, *line.positions, *(() if line.where is None else (line.where,)))
    if extra:
        message = "this has no place after a diagnostic"
        advice = "settings stand in braces: `cancellation { flag = ... }`"
        findings.error("ATP107", message, extra[0].span, advice=advice)
    if line.body is not None and len(line.items) > 1:
        message = "one block cannot belong to several diagnostics"
        advice = "write each on a line of its own"
        findings.error("ATP107", message, line.body.span, advice=advice)
        return
    for item in line.items:
        name = item.text if isinstance(item, t.Name) else ""
        if not isinstance(item, t.Name) or name not in PARTS:
            _unknown(item, findings)
        elif name in parts:
            twice(f"`{name}`", item.span, parts[name].name.span, findings)
        else:
            settings = read_settings(line.body, PARTS[name], findings)
            parts[name] = _Part(name=item, settings=settings)


def _unknown(item: t.Expression, findings: Findings) -> None:
    name = item.text if isinstance(item, t.Name) else ""
    advice = did_you_mean(closest(name, PARTS), f"there are {listed(tuple(PARTS))}")
    what = f"`{name}`" if name else "this"
    message = f"{what} is nothing that can be diagnosed"
    findings.error("ATP168", message, item.span, advice=advice)


def _assigned(line: t.Setting, findings: Findings) -> None:
    """`cancellation = on`."""
    name = line.name.text
    message = f"`{name}` is no setting"
    advice = f"write `{name}` alone, or `{name} {{ ... }}`"
    is_on = isinstance(line.value, t.Name) and line.value.text in ("on", "true")
    fix = replaced(line.span, name) if is_on and line.body is None else None
    findings.error("ATP107", message, line.name.span, advice=advice, fix=fix)


class _Reader:
    """Reads diagnostics, and refuses those that nothing in the spec gives an answer to."""

    def __init__(self, measured: Measured, findings: Findings, *, attends: bool) -> None:
        self.measured = measured
        self.findings = findings
        self.attends = attends

    def cancellation(self, part: _Part | None) -> Cancellation | None:
        """`cancellation { flag = index >= 5; direct_effect = on }`."""
        if part is None:
            return None
        self._needs_gradient(part.name)
        direct = part.settings.given.get("direct_effect")
        wanted = bool(part.settings["direct_effect"])
        if wanted and direct is not None and self._verifies_nothing:
            message = "direct effects are measured for the nodes that are verified"
            advice = "add `verify { top = 20 }`"
            self.findings.error("ATP182", message, direct.written.span, advice=advice)
        return Cancellation(flag=self._flag(part), direct_effect=wanted)

    @property
    def _verifies_nothing(self) -> bool:
        return self.measured.complete and self.measured.verify is None

    def saturation(self, part: _Part | None) -> Saturation | None:
        """`saturation { flag = change > 0.2 }`."""
        if part is None:
            return None
        self._needs_gradient(part.name)
        if not self.attends:
            message = "saturation is about queries and keys, and this spec has none"
            advice = "add `heads.q, heads.k at ...` to `nodes`"
            self.findings.error("ATP182", message, part.name.span, advice=advice)
        return Saturation(flag=self._flag(part))

    def uncertainty(self, part: _Part | None) -> Uncertainty | None:
        """`uncertainty { bootstrap = 1000; confidence = 95% }`."""
        if part is None:
            return None
        flag = self._flag(part)
        known = any(map(self.measured.has_effects, self.measured.calls))
        written = part.settings.given.get("flag")
        asks = "disagreement" in columns_of(flag.condition)
        if asks and written is not None and not known and self.measured.complete:
            message = "`disagreement` is known of nodes that are measured, and none are"
            advice = "add `verify { top = 20 }`"
            self.findings.error("ATP182", message, written.written.value.span, advice=advice)
        return Uncertainty(
            flag=flag,
            bootstrap=part.settings.integer("bootstrap"),
            confidence=part.settings.number("confidence"),
            span=part.name.span,
        )

    def subset_sampling(self, part: _Part | None) -> SubsetSampling | None:
        """`subset_sampling { samples = 2000; inclusion = 1% }`."""
        if part is None:
            return None
        settings, smallest = part.settings, part.settings["min_effect"]
        sampling = SubsetSampling(
            samples=settings.integer("samples"),
            inclusion=settings.number("inclusion"),
            partition=Partition(settings.text("partition")),
            confidence=settings.number("confidence"),
            min_effect=None if smallest is None else settings.number("min_effect"),
            span=part.name.span,
        )
        self._check_samples(sampling)
        _check_anything_left(self.measured, part.name.span, self.findings)
        return sampling

    def _check_samples(self, sampling: SubsetSampling) -> None:
        """Balanced partitions are repeated twice in any case; independent sets are not."""
        expected = sampling.samples * sampling.inclusion
        if sampling.partition is Partition.BALANCED or expected >= FEWEST_SETS:
            return
        needed = -(-FEWEST_SETS // sampling.inclusion)
        self.findings.error(
            "ATP109",
            f"of {sampling.samples:,} sets with {percentage(sampling.inclusion)} of the nodes"
            f" each, a node is in fewer than {FEWEST_SETS}",
            sampling.span,
            advice=f"write `samples = {int(needed)}` or more, or a larger `inclusion`",
        )

    def _needs_gradient(self, name: t.Name) -> None:
        measured = self.measured
        methods = {call.method for call in measured.calls}
        if not measured.complete or methods & measured.gradients:
            return
        message = f"`{name.text}` is about gradients, and no method of this spec takes one"
        self.findings.error("ATP182", message, name.span, advice="add `method atp*`")

    def _flag(self, part: _Part) -> Flag:
        given = part.settings.given.get("flag")
        word = part.name.text
        if given is None:
            return DEFAULT_FLAGS[word]
        return read_flag(given.written.value, word, self.findings) or DEFAULT_FLAGS[word]
