"""The words of the language with what they mean, gathered from the tables that define them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from atpdsl.exports import EXPORTERS
from atpdsl.methods import METHODS
from atpdsl.metrics import METRICS
from atpdsl.metrics.readings import READINGS
from atpdsl.nodes import NODE_KINDS
from atpdsl.runtime.executor import EXECUTORS
from atpdsl.semantics.diagnosis import FLAG_QUANTITIES
from atpdsl.semantics.functions import FUNCTIONS
from atpdsl.semantics.numbers import percentage
from atpdsl.semantics.origins import ORIGINS, PAIR_ORIGINS
from atpdsl.semantics.result_functions import MISSED_EFFECT, RESULT_FUNCTIONS, TRUTH
from atpdsl.semantics.schema import (
    LINES,
    PAIR,
    PROMPTS,
    PROMPTS_FROM_FILE,
    SHAPE_OF,
    SHAPES,
    Key,
    Shape,
    key_of,
)
from atpdsl.semantics.signature import Signature

LATER = "\n\nnot in this version"
FILE_SOURCES = PAIR_ORIGINS


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word and what it means.

    Attributes:
        sort: what kind of word it is, for people.
        doc: one line.
        call: how it is written, if that is more than the word.
        more: further lines, in Markdown.
    """

    name: str
    sort: str
    doc: str
    call: str = ""
    more: str = ""


def _table(sort: str, docs: Mapping[str, str]) -> Mapping[str, Word]:
    return MappingProxyType(
        {name: Word(name=name, sort=sort, doc=doc) for name, doc in docs.items()}
    )


def _words(words: Iterable[Word]) -> Mapping[str, Word]:
    return MappingProxyType({word.name: word for word in words})


KINDS = _words(
    Word(
        name=kind.name,
        sort="kind of node",
        doc=kind.summary,
        more=f"a node per layer and {kind.unit.value.replace('_', '-')}"
        if kind.unit.value != "vector"
        else "",
    )
    for kind in NODE_KINDS
)
METHOD_WORDS = _words(
    Word(
        name=method.name,
        sort="method",
        doc=method.signature.summary,
        more=f"`{method.formula}`\n\n{method.paper}",
    )
    for method in METHODS
)
METRIC_WORDS = _words(
    Word(name=metric.name, sort="metric", doc=metric.signature.summary) for metric in METRICS
)
READING_WORDS = _words(
    Word(
        name=reading.name,
        sort="reading",
        doc=reading.signature.summary,
        call=f"{reading.name}(tokens)",
    )
    for reading in READINGS
)
FUNCTION_WORDS = _words(
    Word(name=one.name, sort="function", doc=one.doc, call=one.signature)
    for one in FUNCTIONS.values()
)
EXPORT_WORDS = _words(
    Word(
        name=exporter.name,
        sort="format",
        doc=exporter.summary,
        call=f'{exporter.name}("file")',
    )
    for exporter in EXPORTERS
)
SOURCES = _words(
    Word(name=origin.name, sort=origin.gives, doc=origin.doc, call=origin.call)
    for origin in ORIGINS
)
PLACES = _table(
    "place",
    {
        "last": "the last token of the prompt",
        "every": "a node per token",
        "sequence": "one node over the whole prompt",
    },
)
SIDES = _table(
    "tokens",
    {"right": "the right answers of the pair", "wrong": "the wrong answers of the pair"},
)
AXIS_WORDS = _table(
    "number of a node",
    {
        "layer": "the layer, counted from 0",
        "head": "the head of `heads.q` and `heads.z`, counted from 0",
        "kv_head": "the head of `heads.k` and `heads.v`, counted from 0",
        "neuron": "the neuron, counted from 0",
        "index": "the head or neuron, counted from 0",
    },
)
SWITCHES = _table("switch", {"on": "yes", "off": "no"})
OPERATORS = _table(
    "operator",
    {
        "and": "both hold",
        "or": "one of them holds, or both",
        "not": "it does not hold",
        "in": "is one of a list or range",
        "at": "says where nodes are or a metric reads",
        "where": "says which nodes or words are taken",
        "vs": "stands between right and wrong answers",
        "from": "says where prompts come from",
        "as": "gives a name",
    },
)
LINE_WORDS = _words(
    Word(name=line.word, sort="line of `prompts`", doc=line.doc, call=line.form)
    for line in LINES
)
EXPECT_WORDS = _words(
    Word(name=one.name, sort="function of `expect`", doc=one.doc, call=one.example)
    for one in RESULT_FUNCTIONS
    if not one.later
)
ARGUMENTS = _table(
    "argument",
    {
        "top": "how many nodes, from the best",
        "method": "a method's label",
        "confidence": "of the bound: 90%, 99%, 99.9%, or that of `subset_sampling`",
    },
)
ARGUMENTS_OF: Mapping[str, tuple[Word, ...]] = MappingProxyType(
    {
        one.name: tuple(ARGUMENTS[name] for name in one.takes if name in ARGUMENTS)
        for one in RESULT_FUNCTIONS
    }
)
PARTS: Mapping[str, Shape] = MappingProxyType(
    {part.word: part for shape in SHAPES for part in shape.parts}
)
QUANTITIES: Mapping[str, Mapping[str, Word]] = MappingProxyType(
    {
        part: _table(f"quantity of `{part}`", quantities)
        for part, quantities in FLAG_QUANTITIES.items()
    }
)
ASKED_WORDS: Mapping[str, tuple[Word, ...]] = MappingProxyType(
    {
        "upper_bound": (
            Word(
                name=MISSED_EFFECT,
                sort="value",
                doc="the largest |mean effect| of a node that was not measured",
            ),
        ),
        "flagged": tuple(
            Word(name=part, sort="part of `diagnose`", doc=PARTS[part].doc)
            for part in FLAG_QUANTITIES
        ),
    }
)
CALLS = _words(
    (
        Word(
            name="match",
            sort="place",
            doc="the place that a pattern finds: its group, or all of it",
            call='match(r"pattern")',
        ),
        Word(name="top", sort="nodes", doc="so many nodes, the best", call="top(40)"),
        Word(
            name="threshold", sort="nodes", doc="nodes from a score on", call="threshold(0.05)"
        ),
    )
)
STOP = Word(
    name="misses",
    sort="condition of `stop_when`",
    doc="the expected share of the so many truly best nodes that is missed",
    call="misses(top = 10) < 5%",
)
ROW = Word(name="row", sort="row", doc="a row of the file", call="row.column")
TRUTH_WORD = Word(name=TRUTH, sort="value", doc="the measured effects")
OTHER = Word(
    name="other",
    sort="value",
    doc="another word of the slot's own list",
    call="corrupt S -> other",
)


def shape_of(head: tuple[str, ...]) -> Shape | None:
    """What may stand in the body of a statement; None if nothing is known of it.

    Args:
        head: the statement's tokens before the body.
    """
    word = head[0] if head else ""
    if word == "pair":
        return PAIR
    if word == "prompts" and "from" in head:
        source = head[head.index("from") + 1 :][:1]
        return PROMPTS_FROM_FILE if source and source[0] in FILE_SOURCES else _derived()
    shape = SHAPE_OF.get(word) or PARTS.get(word)
    if shape is None:
        return None
    if word == "run":
        return replace(shape, keys=tuple(map(_with_executors, shape.keys)))
    return replace(shape, keys=(*_own_keys(word, head), *shape.keys))


def _derived() -> Shape:
    """A set of prompts that is made of another, which may come from a file or not."""
    keys = {key.name: key for key in (*PROMPTS_FROM_FILE.keys, *PROMPTS.keys)}
    return replace(PROMPTS, keys=tuple(keys.values()))


def _with_executors(key: Key) -> Key:
    return replace(key, choices=EXECUTORS.names) if key.name == "executor" else key


def _own_keys(word: str, head: tuple[str, ...]) -> tuple[Key, ...]:
    """The settings of the method or metric itself."""
    name = head[-1] if "at" not in head else head[head.index("at") - 1]
    signature = _signatures(word).get(name)
    return () if signature is None else tuple(key_of(param) for param in signature.params)


def _signatures(word: str) -> dict[str, Signature]:
    if word == "method":
        return {method.name: method.signature for method in METHODS}
    if word == "metric":
        return {metric.name: metric.signature for metric in METRICS}
    return {}


def statement_word(word: str) -> Word | None:
    """A word that begins a statement of the top level."""
    shape = SHAPE_OF.get(word)
    if shape is None:
        return None
    more = f"for example `{shape.example}`" + (LATER if shape.later else "")
    return Word(name=word, sort="statement", doc=shape.doc, call=shape.form, more=more)


def key_word(key: Key, owner: str) -> Word:
    """A setting."""
    lines = []
    if key.choices:
        lines.append("one of " + ", ".join(f"`{choice}`" for choice in key.choices))
    if key.default is not None:
        lines.append(f"default: `{written(key)}`")
    lines += ["not in this version"] if key.later else []
    return Word(
        name=key.name,
        sort=f"setting of `{owner}`" if owner else "setting",
        doc=key.doc,
        call=f"{key.name} = ...",
        more="\n\n".join(lines),
    )


def written(key: Key) -> str:
    """The default of a key as it would be written."""
    if isinstance(key.default, bool):
        return "on" if key.default else "off"
    if key.type == "share" and isinstance(key.default, float):
        return percentage(key.default)
    return f'"{key.default}"' if key.type == "text" else str(key.default)
