"""The tree of a spec: one class per shape of the grammar, no meaning yet.

`span` is the whole thing; `word` is the keyword that a statement begins with.
"""

from __future__ import annotations

from dataclasses import dataclass

from atpdsl.problems import Source, Span

# ---- expressions ----


@dataclass(frozen=True, slots=True)
class Name:
    """A bare word: `logit_diff`, `last`, `L9H6`, `atp*`."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Number:
    """A number with its unit: `20`, `5%`, `10min`; `text` is as written."""

    text: str
    value: int | float
    unit: str
    span: Span


@dataclass(frozen=True, slots=True)
class String:
    """A string: `"..."`, triple-quoted or `r"..."` (`raw`: no escapes, no slots in it).

    `offsets[i]` is where in the source character i of `value` stands; the last entry is where
    the closing quotes begin.
    """

    value: str
    raw: bool
    offsets: tuple[int, ...]
    span: Span

    def place(self, start: int, end: int) -> Span:
        """The place in the source of the characters [start, end) of `value`."""
        first, last = self.offsets[start], self.offsets[end]
        if first == last and start < end:
            # They stand for a name, whose place ends where the next other character begins.
            last = next((o for o in self.offsets[end:] if o > first), self.span.end)
        return Span(first, last)


@dataclass(frozen=True, slots=True)
class ListOf:
    """`[a, b]`."""

    items: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Attribute:
    """`base.name`."""

    base: Expression
    name: Name
    span: Span


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a call: `value`, `name = value`, `value at position`."""

    name: Name | None
    value: Expression
    position: Expression | None
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """`function(arguments)`."""

    function: Expression
    arguments: tuple[Argument, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Index:
    """`base[items]`."""

    base: Expression
    items: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class RangeOf:
    """`first..last`; either end may be left out."""

    first: Expression | None
    last: Expression | None
    span: Span


@dataclass(frozen=True, slots=True)
class Unary:
    """`- operand`, `not operand`."""

    operator: str
    operand: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands and `+ - * / < <= == != >= > in and or` between them."""

    operator: str
    left: Expression
    right: Expression
    span: Span


Expression = (
    Name | Number | String | ListOf | Attribute | Call | Index | RangeOf | Unary | Binary
)

# ---- what stands in a body ----


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """`{ ... }`. `broken`: something in it could not be read and is left out."""

    statements: tuple[BodyStatement, ...]
    span: Span
    broken: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """`name = value`, with a body in some places."""

    name: Name
    value: Expression
    body: Body | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Select:
    """`heads.q, heads.k at S2, last where layer >= 5`; with `->` between two lists, edges."""

    items: tuple[Expression, ...]
    targets: tuple[Expression, ...]
    positions: tuple[Expression, ...]
    where: Expression | None
    body: Body | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """`pair "clean" -> "corrupted" { answer ... }`."""

    word: Name
    clean: Expression
    corrupted: Expression
    body: Body | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """`template "When {IO} and {S} ..."`."""

    word: Name
    text: Expression
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotLine:
    """`slot IO, S in [...]`."""

    word: Name
    names: tuple[Name, ...]
    values: Expression
    where: Expression | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class CorruptLine:
    """`corrupt S2 -> IO`; as many values as targets, or one for all of them."""

    word: Name
    targets: tuple[Name, ...]
    values: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerLine:
    """`answer " {IO}" vs " {S}"`."""

    word: Name
    right: Expression
    wrong: Expression | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionLine:
    """`pos verb = S1 + 1`."""

    word: Name
    name: Name
    value: Expression
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Let:
    """`let steps = 5`, at the top or in a body."""

    word: Name
    name: Name
    value: Expression
    span: Span
    doc: str = ""


BodyStatement = (
    Setting
    | Select
    | Pair
    | Template
    | SlotLine
    | CorruptLine
    | AnswerLine
    | PositionLine
    | Let
)

# ---- statements; `doc` is the text of the `##` comment before one ----


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """`atp 1`."""

    word: Name
    number: Number
    span: Span
    doc: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Include:
    """`include "file.atp" as name`."""

    word: Name
    path: String
    alias: Name | None
    span: Span
    doc: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """`param top_k = 50 { help = "..." }`."""

    word: Name
    name: Name
    value: Expression
    body: Body | None
    span: Span
    doc: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """`sweep seed in 0..2`."""

    word: Name
    name: Name
    values: Expression
    span: Span
    doc: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """`model`, `metric` or `method`: `method name = atp { direction = denoising }`."""

    word: Name
    label: Name | None
    value: Expression
    positions: tuple[Expression, ...]
    body: Body | None
    span: Span
    doc: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptSet:
    """`prompts name from csv("file.csv") { ... }`."""

    word: Name
    name: Name | None
    origin: Expression | None
    body: Body
    span: Span
    doc: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """`nodes`, `edges`, `verify`, `diagnose`, `circuit`, `expect` or `run` and a body."""

    word: Name
    name: Name | None
    body: Body
    span: Span
    doc: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """`export "ioi.graphml", "ioi.csv"`."""

    word: Name
    items: tuple[Expression, ...]
    span: Span
    doc: str = ""


Statement = (
    Version | Include | Let | Parameter | Sweep | Declaration | PromptSet | Block | Export
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """`# ...`; `text` begins with its `#`."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecFile:
    """A whole spec.

    Attributes:
        comments: all of them, in order.
        broken: the first words of statements that could not be read and are left out.
        doc: the first `##` comment of the file.
    """

    source: Source
    statements: tuple[Statement, ...]
    comments: tuple[Comment, ...]
    broken: tuple[Name, ...]
    doc: str
    span: Span
