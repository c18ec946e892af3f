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

Setting = bool | int | float | str | None
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
    """Names that are drawn together, without replacement, from one list."""

    names: tuple[str, ...]
    values: tuple[str, ...]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Corruption:
    """`corrupt S2 -> IO`: at position `target` the corrupted prompt has another text.

    Exactly one of `slot` (the value of another slot), `text` (a fixed value; may hold
    `{slot}`) and `redraw` (another value of the target's own slot list) is set.
    """

    target: str
    slot: str | None = None
    text: str | None = None
    redraw: bool = False
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`answer " {IO}" vs " {S}"`: right and wrong continuations, each one token."""

    right: tuple[Text, ...]
    wrong: tuple[Text, ...]
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
    """Pairs made from templates by drawing slots."""

    templates: tuple[Text, ...]
    slots: tuple[Slot, ...]
    corruptions: tuple[Corruption, ...]
    answer: Answer | None
    count: int


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
    """Pairs from a CSV or JSONL file; the texts may hold `{row.column}`."""

    path: str
    format: str
    clean: Text
    corrupted: Text
    answer: Answer | None
    limit: int | None
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
    """A metric by name, the position whose logits it reads, and its settings."""

    name: str
    position: str
    settings: Mapping[str, Setting] = field(default_factory=lambda: NO_SETTINGS, hash=False)
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Both ends included; None is an open end."""

    first: int | None
    last: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One term of a `where`: `layer >= 5`, `head in 0..3`; terms are joined by `and`."""

    axis: str
    operator: str
    values: tuple[Range, ...]
    span: Span


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
    filters: tuple[Comparison, ...]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodCall:
    """A method under the name that results use for it."""

    label: str
    method: str
    direction: Direction
    settings: Mapping[str, Setting] = field(default_factory=lambda: NO_SETTINGS, hash=False)
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyCall:
    """`verify { top = K; random = R }`: exact effects for some nodes of each estimate."""

    top: int
    random: int
    methods: tuple[str, ...]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """How to run; none of it changes the mathematics.

    batch: prompt pairs per forward pass, None = chosen by the planner.
    threads: None = chosen for the model's size, unless the environment says otherwise.
    """

    device: str = "auto"
    seed: int = 0
    batch: int | None = None
    threads: int | None = None
    per_pair: bool = False
    executor: str = "bridge"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportCall:
    """A file to write, relative to the result directory, and its format's name."""

    path: str
    format: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """A whole spec."""

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
