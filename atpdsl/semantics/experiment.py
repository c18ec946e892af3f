"""What a spec asks for: every name resolved, every default filled in, nothing left to look up.

Made by `atpdsl.semantics.resolve` from the tree. Values that depend on the model's shape or
tokenizer (open layer ranges, token ids) are settled later, in `atpdsl.binding`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from atpdsl.problems import Source, Span
from atpdsl.semantics.claims import Claim, stated
from atpdsl.semantics.conditions import Condition, Range
from atpdsl.semantics.diagnosis import Diagnosis, StopWhen
from atpdsl.semantics.formulas import Formula
from atpdsl.semantics.metric_formula import MetricFormula

Setting = bool | int | float | str | None
UNNAMED = "metric"  # what a computed metric is called that has no label
NO_SETTINGS: Mapping[str, Setting] = MappingProxyType({})


class Direction(StrEnum):
    """Which run a node is patched into.

    NOISING: run the clean prompt, set the node to its corrupted value.
    DENOISING: run the corrupted prompt, set the node to its clean value.
    """

    NOISING = "noising"
    DENOISING = "denoising"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRef:
    """The model as the spec names it: embedded name, local folder, added name or hub id."""

    name: str
    revision: str | None = None
    dtype: str = "float32"
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A string of the spec with where it stands; `{...}` in it is not yet replaced."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """Names that are drawn together, without replacement, from one list.

    Attributes:
        values: the words of the list, as they are written into a text.
        rows: for `table(...)`, in place of `values`: the names are drawn together, and get
            the words of one row.
        numbers: the names whose words are all written as numbers, so that formulas may count
            with them.
        where: what a word must fulfil to be drawn, each of the names standing for it; needs
            the tokenizer, so the list is shortened when the experiment is bound.
    """

    names: tuple[str, ...]
    values: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    numbers: tuple[str, ...] = ()
    where: Formula | None = None
    span: Span

    def words_of(self, name: str) -> tuple[str, ...]:
        """The words that one of the names may get."""
        column = self.names.index(name)
        return self.values or tuple(row[column] for row in self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Corruption:
    """`corrupt S2 -> IO`: at position `target` the corrupted prompt has another text.

    Exactly one of `slot` (the value of another slot or of a `let`), `text` (a fixed value; may
    hold `{slot}`), `formula` (a computed value) and `redraw` (another value of the target's
    own slot list) is set. All but a `text` are written in the format of the place.
    """

    target: str
    slot: str | None = None
    text: str | None = None
    formula: Formula | None = None
    redraw: bool = False
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`answer " {IO}" vs " {S}"`: right and wrong continuations, each one token.

    A formula, as `two_digits(yy + 1 .. 99)`, gives one text or several in each pair.
    """

    right: tuple[Text | Formula, ...]
    wrong: tuple[Text | Formula, ...]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class PairLet:
    """`let yy = int(row.label)` in a `prompts` block: a value of its own in every pair."""

    name: str
    formula: Formula
    span: Span


class Align(StrEnum):
    """How positions of the two prompts of a pair correspond.

    STRICT: same number of tokens, same index. START: same index, the longer prompt's rest
    has no partner. END: counted from the end, the longer prompt's beginning has no partner;
    a BOS token that both have is each other's partner all the same.
    """

    STRICT = "strict"
    START = "start"
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionRule:
    """`pos NAME = ...`: a position found in each prompt.

    `pattern`: a regular expression; the position is the last token of group 1 (of the whole
    match if it has no group). `relative`: another position and an offset in tokens.
    """

    name: str
    pattern: str | None = None
    relative: tuple[str, int] | None = None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplatePrompts:
    """Pairs made from templates by drawing slots.

    Attributes:
        lets: values computed from the slots, each from those before it.
        keep: what a drawn pair must fulfil; others are drawn instead.
    """

    templates: tuple[Text, ...]
    slots: tuple[Slot, ...]
    corruptions: tuple[Corruption, ...]
    answer: Answer | None
    count: int
    lets: tuple[PairLet, ...] = ()
    keep: Formula | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InlinePair:
    """`pair "..." -> "..." { answer ... }`."""

    clean: Text
    corrupted: Text
    answer: Answer | None
    align: Align
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePrompts:
    """Pairs from a CSV or JSONL file or a data set; the texts may hold `{row.column}`.

    Attributes:
        format: `csv`, `jsonl` or `hf`.
        path: of the file or the data set's folder, from the spec's folder; for `hf` it may
            also be the name of a data set.
        split: which part of a data set, None if it has only one; `split_at` is where it stands.
        limit: how many rows are kept at most.
        lets: values computed from the row, each from those before it.
        keep: what a row must fulfil to be kept.
    """

    path: str
    format: str
    clean: Text
    corrupted: Text
    answer: Answer | None
    limit: int | None
    split: str | None = None
    split_at: Span | None = None
    lets: tuple[PairLet, ...] = ()
    keep: Formula | None = None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompts:
    """One set of prompt pairs."""

    name: str
    parts: tuple[TemplatePrompts | InlinePair | FilePrompts, ...]
    positions: tuple[PositionRule, ...]
    align: Align
    bos: bool
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricCall:
    """What is measured in every pair, and at which position.

    Attributes:
        name: a metric's name, or for a computed one its label (`metric` without a label).
        settings: those of the metric.
        formula: how a computed metric is computed; None for those with a name.
        normalize: effects are divided by the mean gap between the clean and the corrupted
            metric, so that 1 is the whole difference of the two prompts.
    """

    name: str
    position: str
    settings: Mapping[str, Setting] = field(default_factory=lambda: NO_SETTINGS, hash=False)
    formula: MetricFormula | None = None
    normalize: bool = False
    span: Span

    @property
    def title(self) -> str:
        """What to call it: its name, or for a computed metric without one its formula."""
        unnamed = self.formula is not None and self.name == UNNAMED
        return self.formula.text if unnamed and self.formula else self.name


class Placement(StrEnum):
    """Where nodes are.

    EVERY: `at every`, a node per position. SEQUENCE: `at sequence`, one node over the whole
    prompt. NAMED: `at S2, last`.
    """

    EVERY = "every"
    SEQUENCE = "sequence"
    NAMED = "named"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSelection:
    """One item of `nodes { ... }`, with the model's shape not yet known.

    layers, indices: None is all. filters: all must hold.
    """

    kind: str
    layers: tuple[Range, ...] | None
    indices: tuple[Range, ...] | None
    placement: Placement
    positions: tuple[Text, ...]
    filters: tuple[Condition, ...]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodCall:
    """A method under the name that results use for it.

    Attributes:
        node_shares: the settings that are a share of all nodes (0.05 for `5%`), until these
            are counted when the experiment is bound; from then on there are none.
    """

    label: str
    method: str
    direction: Direction
    settings: Mapping[str, Setting] = field(default_factory=lambda: NO_SETTINGS, hash=False)
    node_shares: tuple[str, ...] = ()
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyCall:
    """`verify { top = K; random = R }`: exact effects for some nodes of each estimate.

    Attributes:
        top_share, random_share: the number as a share of all nodes (0.05 for `5%`), None
            where it is written as a number. `top` and `random` are 0 then, until the nodes
            are counted when the experiment is bound.
        stop: go on in the order of the bounds until this holds; needs `subset_sampling`,
            which has its defaults where `diagnose` does not ask for it.
        most: the most nodes that this may measure, beyond `top` and `random`; None is no
            limit. `most_share` as above.
    """

    top: int
    random: int
    methods: tuple[str, ...]
    top_share: float | None = None
    random_share: float | None = None
    stop: StopWhen | None = None
    most: int | None = None
    most_share: float | None = None
    span: Span


class Keep(StrEnum):
    """How a circuit's nodes are chosen: so many, a share of all, or all from a size on."""

    TOP = "top"
    SHARE = "share"
    THRESHOLD = "threshold"


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitCall:
    """`circuit { from = star; keep = top(40) }`: which nodes the circuit graph has.

    Attributes:
        method: a method's label; None is the first method.
        amount: a number of nodes, a share of all of them (0..1), or a least score, in the
            units of the metric.
    """

    method: str | None
    keep: Keep
    amount: float
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """A line of `expect`: what the result has to fulfil; `text` is as written."""

    condition: Claim
    text: str
    span: Span

    def as_json(self) -> str:
        """How results say it, with values for the names of the file."""
        return stated(self.condition)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """How to run, which does not change the mathematics.

    None: planner chooses `batch`, size or environment `threads`; no limit of `memory` or time.
    """

    device: str = "auto"
    seed: int = 0
    batch: int | None = None
    threads: int | None = None
    per_pair: bool = False
    executor: str = "auto"
    memory: int | None = None
    budget: float | None = None
    deterministic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportCall:
    """A file to write, relative to the result directory, and its format's name."""

    path: str
    format: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """A whole spec, or one point of its sweep.

    Attributes:
        point: the values of the sweep's names (and of `prompts`, if several sets are
            measured) at this point, in the order of the spec; nothing where there is one.
        given: values that came from outside (`-p name=value`), as written.
    """

    name: str
    source: Source
    doc: str
    model: ModelRef
    prompts: Prompts
    metric: MetricCall
    nodes: tuple[NodeSelection, ...]
    methods: tuple[MethodCall, ...]
    verify: VerifyCall | None
    run: RunSettings
    exports: tuple[ExportCall, ...]
    circuit: CircuitCall | None = None
    expectations: tuple[Expectation, ...] = ()
    diagnosis: Diagnosis = field(default_factory=Diagnosis)
    point: tuple[tuple[str, str], ...] = ()
    given: tuple[tuple[str, str], ...] = ()
