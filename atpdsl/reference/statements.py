"""Topics of statements, lines of prompts, and settings, from the schema."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from atpdsl.exports import EXPORTERS
from atpdsl.methods import METHODS
from atpdsl.metrics import METRICS, READINGS
from atpdsl.nodes import NODE_KINDS
from atpdsl.reference.topic import Example, Table, Topic
from atpdsl.runtime.executor import EXECUTORS
from atpdsl.semantics.diagnosis import FLAG_QUANTITIES
from atpdsl.semantics.numbers import percentage
from atpdsl.semantics.quantities import EXAMPLES
from atpdsl.semantics.schema import (
    DIAGNOSE,
    LINES,
    PROMPTS,
    PROMPTS_FROM_FILE,
    SELECTION,
    SHAPES,
    Key,
    Shape,
    key_of,
)

KINDS = {
    "int": "whole number",
    "float": "number",
    "bool": "`on` or `off`",
    "amount": "count or percentage",
    "share": "percentage",
    "bytes": f"memory as `{EXAMPLES['bytes']}`",
    "time": f"time as `{EXAMPLES['time']}`",
    "word": "word",
    "text": "string",
    "expression": "",
}
NOT_YET = "Not in this version: it can be read, and is refused with `ATP110`."
HEADINGS = ("setting", "value", "default", "what it is")
# What `expression` keys hold.
HOLDS = {
    "keep": "condition",
    "clean": "text or column",
    "corrupted": "text or column",
    "method": "name or list",
    "prompts": "name or list",
    "choices": "list",
    "flag": "condition",
    "stop_when": "condition",
}


def statement_topics() -> tuple[Topic, ...]:
    """A topic for each statement, in the order of the schema."""
    return tuple(_statement(shape) for shape in SHAPES)


def line_topics() -> tuple[Topic, ...]:
    """A topic for each statement that stands in `prompts`."""
    return tuple(_statement(shape, place=Example.PROMPTS) for shape in LINES)


def diagnostic_topics() -> tuple[Topic, ...]:
    """A topic for each diagnostic that `diagnose` may ask for."""
    return tuple(map(_diagnostic, DIAGNOSE.parts))


def _diagnostic(part: Shape) -> Topic:
    quantities = FLAG_QUANTITIES.get(part.word, {})
    rows = tuple((f"`{name}`", doc) for name, doc in quantities.items())
    asked = Table(title="what its flag may ask for", headings=("quantity", "what"), rows=rows)
    return Topic(
        name=part.word,
        doc=part.doc,
        form=f"diagnose {{ {part.word} [{{ SETTINGS }}] }}",
        example=f"nodes {{ heads.q, heads.k at every }}\ndiagnose {{ {part.example} }}",
        tables=(settings_table(part.keys), *((asked,) if rows else ())),
    )


def key_topics() -> Iterator[Topic]:
    """A topic for each setting: `verify.top`."""
    seen: set[str] = set()
    for shape in (*SHAPES, PROMPTS_FROM_FILE, *LINES, *DIAGNOSE.parts):
        for key in keys_of(shape):
            name = f"{shape.word}.{key.name}"
            if name not in seen:
                yield _setting(name, shape, key)
            seen.add(name)


def keys_of(shape: Shape) -> tuple[Key, ...]:
    """The settings of a statement, those of all methods and metrics included."""
    known = {key.name: key for key in shape.keys}
    signatures = {
        "method": [method.signature for method in METHODS],
        "metric": [metric.signature for metric in METRICS],
    }.get(shape.word, [])
    for signature in signatures:
        for param in signature.params:
            own = known.get(param.name)
            if own is None or own.later:
                known[param.name] = key_of(param)
            elif own.default != param.default:
                # Each method says its own.
                known[param.name] = replace(own, default=None)
    return tuple(known.values())


def _statement(shape: Shape, *, place: Example = Example.SPEC) -> Topic:
    return Topic(
        name=shape.word,
        doc=shape.doc,
        form=shape.form,
        example="" if shape.later else shape.example,
        place=place,
        about=tuple(_about(shape)),
        tables=tuple(_tables(shape)),
        later=shape.later,
    )


def _about(shape: Shape) -> Iterator[str]:
    if shape.later:
        yield NOT_YET
        return
    if shape.required:
        yield "Every spec has one." if shape.once else "Every spec has at least one."
    elif shape.once:
        yield "A spec has at most one."
    yield from _names(shape.word)
    inside = tuple(word for word in shape.statements if word != SELECTION)
    if inside:
        yield f"It may hold {', '.join(f'`{word}`' for word in inside)}."
    later = tuple(key.name for key in shape.keys if key.later)
    if later:
        yield f"Settings of later versions: {', '.join(f'`{name}`' for name in later)}."


def _names(word: str) -> Iterator[str]:
    """What the statement may name, without what it is."""
    names = {
        "nodes": ("Kinds", NODE_KINDS.names),
        "metric": ("Metrics with a name", METRICS.names),
        "method": ("Methods", METHODS.names),
        "export": ("Formats", EXPORTERS.names),
    }.get(word)
    if names is not None:
        yield f"{names[0]}: {', '.join(f'`{name}`' for name in names[1])}."
    if word == "metric":
        readings = ", ".join(f"`{reading.name}(...)`" for reading in READINGS)
        yield f"Others are computed, with `+ - * /`, from these and {readings}."
    if word == "method":
        yield "Each method has settings of its own beside these."


def _tables(shape: Shape) -> Iterator[Table]:
    if shape.word == PROMPTS.word:
        yield _settings("with templates and pairs", PROMPTS.keys)
        yield _settings("from a file or data set", PROMPTS_FROM_FILE.keys)
    elif shape.word == "method":
        yield settings_table(shape.keys)
    elif any(not key.later for key in keys_of(shape)):
        yield settings_table(keys_of(shape))
    if shape.parts:
        rows = tuple((f"`{part.word}`", part.doc) for part in shape.parts)
        yield Table(title="inside", headings=("word", "what it is"), rows=rows)


def settings_table(keys: tuple[Key, ...]) -> Table:
    """What settings there are, with their values and defaults."""
    return _settings("settings", keys)


def _settings(title: str, keys: tuple[Key, ...]) -> Table:
    rows = tuple(
        (f"`{key.name}`", value_of(key), default_of(key), key.doc)
        for key in keys
        if not key.later
    )
    return Table(title=title, headings=HEADINGS, rows=rows)


def value_of(key: Key) -> str:
    """What may be written behind the `=`, in words."""
    choices = choices_of(key)
    if choices:
        return ", ".join(f"`{choice}`" for choice in choices)
    kind = KINDS[key.type] or HOLDS.get(key.name, "expression")
    low, high = key.minimum, key.maximum
    if key.type == "share" and low is not None and high is not None:
        return f"{kind}, {percentage(low)} to {percentage(high)}"
    if low is not None and high is not None and high < 2**53:
        return f"{kind}, {low:,} to {high:,}"
    return f"{kind}, at least {low:,}" if low else kind


def choices_of(key: Key) -> tuple[str, ...]:
    """The words that a setting may have; none if it may be any."""
    return EXECUTORS.names if key.name == "executor" else key.choices


def default_of(key: Key) -> str:
    """What holds where the setting is left out; "" where that is chosen elsewhere."""
    if key.default is None:
        return ""
    if isinstance(key.default, bool):
        return "`on`" if key.default else "`off`"
    if key.type == "share" and isinstance(key.default, float):
        return f"`{percentage(key.default)}`"
    return f"`{key.default}`"


def _setting(name: str, shape: Shape, key: Key) -> Topic:
    value, default = value_of(key), default_of(key)
    rows = [("value", value)]
    if default:
        rows.append(("default", default))
    if key.synonyms:
        words = ", ".join(f"`{word}` is `{meant}`" for word, meant in key.synonyms)
        rows.append(("elsewhere", words))
    rows.append(("problem", f"`{key.code}`" if key.code != "ATP109" else "`ATP108`, `ATP109`"))
    return Topic(
        name=name,
        doc=key.doc,
        form=f"{shape.word} ... {{ {key.name} = ... }}",
        about=(NOT_YET,) if key.later or shape.later else (),
        tables=(Table(title="", headings=("", ""), rows=tuple(rows)),),
        later=key.later or shape.later,
    )
