"""From what a run computed to its result: the record, the scores and their verification."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

import numpy as np
import pyarrow as pa

from atpdsl.binding.nodeset import WHOLE, NodeSet
from atpdsl.binding.pairs import TokenPair, TokenPairs
from atpdsl.binding.targets import find_targets
from atpdsl.elaboration.including import LIBRARY
from atpdsl.metrics import metric_of
from atpdsl.planning.estimate import PlanEstimate
from atpdsl.planning.ops import Side
from atpdsl.planning.outcome import Outcome
from atpdsl.planning.positions import spot
from atpdsl.problems import Problem, Source
from atpdsl.results.bounds import bound_records, sampling_of
from atpdsl.results.conventions import describe_method
from atpdsl.results.document import to_json
from atpdsl.results.expectations import judge
from atpdsl.results.flags import flag_records
from atpdsl.results.kept import cut_short, describe_circuit
from atpdsl.results.normalize import mean_gap, normalized
from atpdsl.results.record import (
    OF_THE_GAP,
    EstimateRecord,
    HostRecord,
    MetricRecord,
    ModelRecord,
    NodesRecord,
    PairRecord,
    PositionRecord,
    PromptRecord,
    Provenance,
    Ranges,
    Record,
    SpecRecord,
    StageRecord,
    WarningRecord,
)
from atpdsl.results.result import Result
from atpdsl.results.scores import Wanted, score_table
from atpdsl.results.verification import verify_estimates
from atpdsl.semantics.claims import Asked
from atpdsl.semantics.experiment import Experiment, MetricCall

PACKAGES = (
    *("atpdsl", "torch", "transformers", "transformer_lens", "tokenizers"),
    *("lark", "networkx", "numpy", "pyarrow"),
)
# The length of the top lists where the spec does not verify anything.
DEFAULT_TOP = 20
Spell = Callable[[int], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What a run leaves behind.

    Attributes:
        spell: token id -> its text.
        device, threads: as used, not as asked for.
        started: UTC, ISO 8601.
        seconds: wall time of the whole run.
        estimate: what was said of it beforehand.
    """

    experiment: Experiment
    pairs: TokenPairs
    outcome: Outcome
    model: ModelRecord
    spell: Spell
    device: str
    threads: int
    started: str
    seconds: float
    executor: str = "bridge"
    warnings: tuple[Problem, ...] = ()
    estimate: PlanEstimate | None = None


def assemble(finished: Finished) -> Result:
    """The result of a run, in memory; `Result.save` writes it."""
    outcome, metric = finished.outcome, finished.experiment.metric
    if metric.normalize:
        outcome = normalized(outcome, metric.span)
    sets = outcome.methods[0].sets
    positions = describe_positions(sets, finished.pairs.pairs, finished.spell)
    spec = finished.experiment
    wanted = Wanted(diagnosis=spec.diagnosis, by_pair=spec.run.per_pair, seed=spec.run.seed)
    table = score_table(outcome, {p.label: p.token for p in positions}, wanted)
    bounds = bound_records(outcome, sampling_of(spec.diagnosis))
    verify, called = finished.experiment.verify, finished.experiment.circuit
    described = describe_circuit(called, outcome.methods[0].call.label, table)
    warnings = (*finished.warnings, *cut_short(described, called))
    record = Record(
        spec=describe_spec(finished.experiment),
        provenance=_provenance(finished),
        metric=_metric(metric, outcome),
        pairs=_pairs(finished),
        positions=positions,
        nodes=tuple(_nodes(nodes) for nodes in sets),
        methods=tuple(describe_method(method, metric) for method in outcome.methods),
        verification=verify_estimates(
            outcome, DEFAULT_TOP if verify is None else verify.top, bounds
        ),
        flags=flag_records(spec.diagnosis, table),
        bounds=bounds,
        circuit=described,
        expectations=(),
        stages=tuple(StageRecord(name=s.name, counts=s.counts) for s in outcome.stages),
        passes=outcome.counts,
        warnings=tuple(_warning(w, finished.experiment) for w in warnings),
        exports=tuple(export.path for export in finished.experiment.exports),
        host=HostRecord(
            platform=platform.platform(),
            threads=finished.threads,
            started=finished.started,
            seconds=finished.seconds,
            stages={stage.name: stage.seconds for stage in outcome.stages},
            memory={stage.name: stage.memory for stage in outcome.stages},
            estimated=_estimated(finished.estimate),
        ),
    )
    return Result(_judged(record, table, finished, sets), table)


def _estimated(estimate: PlanEstimate | None) -> dict[str, EstimateRecord]:
    if estimate is None:
        return {}
    return {
        stage.stage: EstimateRecord(
            counts=stage.counts,
            at_most=stage.at_most,
            flops=stage.flops,
            memory=stage.memory,
            seconds=stage.seconds,
            calibrated=estimate.calibrated,
        )
        for stage in estimate.stages
    }


def _judged(
    record: Record, table: pa.Table, finished: Finished, sets: Sequence[NodeSet]
) -> Record:
    """The record with what was expected, and whether it is so."""
    shape, pairs = finished.model.shape, finished.pairs.pairs

    def targets(asked: Asked) -> tuple[NodeSet, ...]:
        return find_targets(asked, sets, shape, pairs)

    expected = finished.experiment.expectations
    return replace(record, expectations=judge(expected, record, table, targets))


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that make the numbers, as installed."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def describe_spec(experiment: Experiment) -> SpecRecord:
    """What a result says of its spec."""
    source = experiment.source
    return SpecRecord(
        name=experiment.name,
        text=source.text,
        doc=experiment.doc,
        included=included_texts(source),
        given=dict(experiment.given),
        point=dict(experiment.point),
        resolved=to_json(experiment),
    )


def included_texts(source: Source) -> dict[str, str]:
    """The texts of included files, by their paths from the spec's folder.

    So they are called the same wherever the spec is run from.
    """
    folder = Path(source.name).parent
    return {_seen_from(folder, part.name): part.text for part in source.parts}


def _seen_from(folder: Path, name: str) -> str:
    if name.startswith(LIBRARY):
        return name
    return Path(os.path.relpath(name, folder)).as_posix()


def _provenance(finished: Finished) -> Provenance:
    return Provenance(
        model=finished.model,
        versions=versions(),
        executor=finished.executor,
        device=finished.device,
        dtype=finished.experiment.model.dtype,
        seed=finished.experiment.run.seed,
        deterministic=finished.experiment.run.deterministic,
    )


def _metric(call: MetricCall, outcome: Outcome) -> MetricRecord:
    unit = metric_of(call).unit
    return MetricRecord(
        name=call.name,
        position=call.position,
        formula=None if call.formula is None else call.formula.text,
        unit=unit,
        settings=dict(call.settings),
        clean=_finite(np.mean(outcome.clean_metric)),
        corrupted=_finite(np.mean(outcome.corrupted_metric)),
        gap=_finite(mean_gap(outcome)),
        normalized=call.normalize,
        effect_unit=OF_THE_GAP if call.normalize else unit,
    )


def _finite(value: float | np.floating) -> float | None:
    return float(value) if math.isfinite(value) else None


def _pairs(finished: Finished) -> tuple[PairRecord, ...]:
    sides = (finished.outcome.clean_metric, finished.outcome.corrupted_metric)
    metrics = zip(*sides, strict=True)
    return tuple(
        _pair(pair, finished.spell, float(clean), float(corrupted))
        for pair, (clean, corrupted) in zip(finished.pairs.pairs, metrics, strict=True)
    )


def _pair(pair: TokenPair, spell: Spell, clean: float, corrupted: float) -> PairRecord:
    def prompt(text: str, ids: tuple[int, ...], metric: float) -> PromptRecord:
        tokens = tuple(spell(i) for i in ids)
        return PromptRecord(text=text, ids=ids, tokens=tokens, metric=_finite(metric))

    return PairRecord(
        clean=prompt(pair.text.clean, pair.clean, clean),
        corrupted=prompt(pair.text.corrupted, pair.corrupted, corrupted),
        positions=dict(pair.positions),
        align=pair.text.align,
        answers=tuple((i, spell(i)) for i in pair.answers),
        foils=tuple((i, spell(i)) for i in pair.foils),
        gap=_finite(clean - corrupted),
    )


def describe_positions(
    sets: Sequence[NodeSet], pairs: Sequence[TokenPair], spell: Spell
) -> tuple[PositionRecord, ...]:
    """What each position label of the run means in the prompts."""
    labels = dict.fromkeys(label for nodes in sets for label in nodes.positions)
    return tuple(_position(label, pairs, spell) for label in labels)


def _position(label: str, pairs: Sequence[TokenPair], spell: Spell) -> PositionRecord:
    if label == WHOLE:
        indices: list[tuple[int, int]] = []
        count = len(pairs)
    else:
        found = ((pair, _index(label, pair)) for pair in pairs)
        indices = [(i, pair.clean[i]) for pair, i in found if i is not None]
        count = len(indices)
    first = indices[0] if indices else None
    return PositionRecord(
        label=label,
        index=None if first is None else first[0],
        token=None if first is None else spell(first[1]),
        pairs=count,
        same_index=len({index for index, _ in indices}) <= 1,
        same_token=len({token for _, token in indices}) <= 1,
    )


def _index(label: str, pair: TokenPair) -> int | None:
    """The clean index of a position, None where a pair lacks it or it has no partner."""
    place = spot(pair, label, Side.CLEAN)
    return place.base if place.exists else None


def _nodes(nodes: NodeSet) -> NodesRecord:
    return NodesRecord(
        kind=nodes.kind,
        layers=ranges(nodes.layers),
        indices=ranges(nodes.indices),
        positions=nodes.positions,
        nodes=len(nodes),
    )


def ranges(numbers: Sequence[int]) -> Ranges:
    """Runs of consecutive numbers as (first, last)."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return tuple(found)


def _warning(problem: Problem, experiment: Experiment) -> WarningRecord:
    line, file = None, None
    at, source = problem.placed(experiment.source).at, experiment.source
    if at is not None and at.source is not None:
        line = at.source.line_column(at.span.start)[0]
        if at.source in source.parts:
            file = _seen_from(Path(source.name).parent, at.source.name)
    return WarningRecord(
        code=problem.code, message=problem.message, help=problem.help, file=file, line=line
    )
