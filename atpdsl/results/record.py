"""What `result.json` says: everything about a run but the scores, as frozen data.

The names of the fields are the keys of the file. `host` alone may differ between two runs of
the same spec with the same versions on the same kind of machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from atpdsl.models.shape import ModelShape
from atpdsl.planning.outcome import Counts
from atpdsl.results.trust import BoundRecord, FlagRecord, Verification
from atpdsl.semantics.experiment import UNNAMED

SCHEMA = "atpdsl/result/4"
# `MetricRecord.effect_unit` of a run that normalizes.
OF_THE_GAP = "of the gap"
Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecRecord:
    """The spec: its text as given, and what it was resolved to.

    Attributes:
        included: the texts of included files by their paths from the spec's folder.
        given: values that came from outside (`-p name=value`), as written.
        point: the values of the sweep's names, where the run is one point of a sweep.
    """

    name: str
    text: str
    doc: str
    included: Mapping[str, str]
    given: Mapping[str, str]
    point: Mapping[str, str]
    resolved: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRecord:
    """What identifies a model.

    Attributes:
        kind: where it came from: `embedded`, `added`, `local` or `hub`.
        revision: a commit, or a package and its version; None where there is none.
        remote_code: whether Python files that came with the model were allowed to run.
    """

    name: str
    kind: str
    revision: str | None
    dtype: str
    weights_sha256: str
    tokenizer_sha256: str
    shape: ModelShape
    remote_code: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What made the numbers: model, software, device, seed.

    Attributes:
        deterministic: whether operations that are not reproducible were refused.
    """

    model: ModelRecord
    versions: Mapping[str, str]
    executor: str
    device: str
    dtype: str
    seed: int
    deterministic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptRecord:
    """One side of a pair; `metric` is that of the unpatched run, None if it is no number."""

    text: str
    ids: tuple[int, ...]
    tokens: tuple[str, ...]
    metric: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRecord:
    """A pair of prompts.

    Attributes:
        positions: name -> (index in the clean prompt, index in the corrupted one).
        align: how the positions of the two prompts correspond.
        answers, foils: ids of the right and wrong continuations, with their texts.
        gap: clean minus corrupted metric.
    """

    clean: PromptRecord
    corrupted: PromptRecord
    positions: Mapping[str, tuple[int, int]]
    align: str
    answers: tuple[tuple[int, str], ...]
    foils: tuple[tuple[int, str], ...]
    gap: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionRecord:
    """A position label of the run's nodes.

    Attributes:
        index: in the clean prompt of the first pair that has it; None for whole prompts.
        token: the clean token there.
        pairs: how many pairs have it.
        same_index, same_token: whether it is so in all of them.
    """

    label: str
    index: int | None
    token: str | None
    pairs: int
    same_index: bool
    same_token: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NodesRecord:
    """A node set; layers and indices are ranges with both ends included."""

    kind: str
    layers: Ranges
    indices: Ranges
    positions: tuple[str, ...]
    nodes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRecord:
    """The metric.

    Attributes:
        formula: how a computed metric is computed, as the spec says it.
        unit: of the metric, and of the effects, unless they are normalized.
        clean, corrupted: its means over pairs, unpatched; `gap` is the one minus the other.
        normalized: effects and estimates, in the scores and in the verification, are divided
            by the gap.
        effect_unit: what effects and estimates are measured in.
    """

    name: str
    position: str
    formula: str | None
    unit: str
    settings: Mapping[str, object]
    clean: float | None
    corrupted: float | None
    gap: float | None
    normalized: bool
    effect_unit: str

    @property
    def title(self) -> str:
        """What to call it: its name, or for a computed metric without one its formula."""
        return self.formula if self.formula and self.name == UNNAMED else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodRecord:
    """A method and its conventions in words.

    Attributes:
        label: the name in the column `method` of the scores.
        exact: effects, not estimates.
        base, donor: the prompt whose run is patched, and the one that values come from.
        formula, sign, absolute: what is computed per pair, which sign it has, and where the
            absolute value is taken.
        settings: as run: what was left to the number of pairs has its value here.
        note: what was chosen so, and why; empty where the spec says it all.
    """

    label: str
    method: str
    exact: bool
    direction: str
    settings: Mapping[str, object]
    base: str
    donor: str
    formula: str
    sign: str
    absolute: str
    paper: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitRecord:
    """Which nodes the circuit has, where the spec says so.

    Attributes:
        method: the label of the method by whose scores they are chosen.
        keep: `top` (so many nodes), `share` (of all nodes) or `threshold` (from a score on).
        amount: the number, the share (0 to 1), or the least score.
        nodes: how many nodes that are.
        left_out: how many more it would be, if circuits had no largest size.
    """

    method: str
    keep: str
    amount: float
    nodes: int
    left_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectationRecord:
    """A line of `expect`, and whether it holds.

    Attributes:
        text: as written.
        holds: False also where it cannot be decided.
        found: what the line asks for, with the values found, in words.
        undecided: why it cannot be decided; empty where it can.
    """

    text: str
    holds: bool
    found: tuple[str, ...]
    undecided: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRecord:
    """The passes of one stage."""

    name: str
    counts: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningRecord:
    """A warning of the run.

    Attributes:
        file: the included file that it is about; None for the spec itself.
        line: the line there, if it is about a line.
    """

    code: str
    message: str
    help: str
    file: str | None
    line: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateRecord:
    """What a stage was estimated to take.

    Attributes:
        counts: its passes; upper bounds where `at_most`.
        flops: floating-point operations.
        memory: bytes of activations.
        calibrated: the time came from measurements on the machine.
    """

    counts: Counts
    at_most: bool
    flops: int
    memory: int
    seconds: float
    calibrated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRecord:
    """The machine and the time; the only part that differs from run to run.

    Attributes:
        started: UTC, ISO 8601.
        seconds: wall time of the run; `stages` of each stage, by name.
        memory: most bytes of each stage, beyond those when the run began; 0 where not known.
        estimated: what was said of each stage before the run.
    """

    platform: str
    threads: int
    started: str
    seconds: float
    stages: Mapping[str, float]
    memory: Mapping[str, int]
    estimated: Mapping[str, EstimateRecord]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Everything about a run but its scores; `exports` are files beside `result.json`."""

    spec: SpecRecord
    provenance: Provenance
    metric: MetricRecord
    pairs: tuple[PairRecord, ...]
    positions: tuple[PositionRecord, ...]
    nodes: tuple[NodesRecord, ...]
    methods: tuple[MethodRecord, ...]
    verification: tuple[Verification, ...]
    flags: tuple[FlagRecord, ...]
    bounds: tuple[BoundRecord, ...]
    circuit: CircuitRecord | None
    expectations: tuple[ExpectationRecord, ...]
    stages: tuple[StageRecord, ...]
    passes: Counts
    warnings: tuple[WarningRecord, ...]
    exports: tuple[str, ...]
    host: HostRecord

    @property
    def unmet(self) -> tuple[ExpectationRecord, ...]:
        """The expectations that do not hold."""
        return tuple(one for one in self.expectations if not one.holds)

    def method(self, label: str | None = None) -> MethodRecord | None:
        """The method called `label`, the first one for None; None if there is none."""
        named = (m for m in self.methods if label is None or m.label == label)
        return next(named, None)
