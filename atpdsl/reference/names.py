"""Topics of what statements name: kinds of nodes, metrics, methods, functions and so on."""

from __future__ import annotations

from collections.abc import Iterable

from atpdsl.exports import EXPORTERS
from atpdsl.methods import METHODS
from atpdsl.metrics import METRICS, READINGS
from atpdsl.models.catalogue import ADDABLE, EMBEDDED
from atpdsl.nodes import NODE_KINDS
from atpdsl.nodes.kind import NodeKind
from atpdsl.reference.statements import settings_table
from atpdsl.reference.task_files import LibraryFile, library
from atpdsl.reference.topic import Example, Topic
from atpdsl.semantics.functions import FUNCTIONS
from atpdsl.semantics.origins import ORIGINS
from atpdsl.semantics.result_functions import RESULT_FUNCTIONS
from atpdsl.semantics.shape import key_of
from atpdsl.semantics.signature import Signature

UNITS = {
    "head": "A node per head",
    "kv_head": "A node per key-value head (fewer than heads, with grouped queries)",
    "neuron": "A node per neuron of the MLP",
    "vector": "One node per layer",
}


def kind_topics() -> tuple[Topic, ...]:
    """The kinds of nodes."""
    return tuple(
        Topic(
            name=kind.name,
            doc=kind.summary,
            form=_units(kind),
            example=f"{kind.name} at last",
            place=Example.NODES,
            about=(_unit(kind),),
        )
        for kind in NODE_KINDS
    )


def _unit(kind: NodeKind) -> str:
    text = UNITS[kind.unit.value] if kind.layered else "One node"
    return f"{text}, at each position.{_only(kind)}"


def _only(kind: NodeKind) -> str:
    return " Not in models with parallel blocks." if kind.sequential_only else ""


def _units(kind: NodeKind) -> str:
    letter = {"head": "H6", "kv_head": "H0", "neuron": "N200"}.get(kind.unit.value)
    if not kind.layered:
        return kind.name
    return f"{kind.name}[L9{letter}], {kind.name}[L8..]" if letter else f"{kind.name}[L8..L11]"


def metric_topics() -> tuple[Topic, ...]:
    """The metrics with a name."""
    return tuple(
        Topic(
            name=metric.name,
            doc=metric.signature.summary,
            example=f"metric {metric.name} at last" + _exact(metric.signature),
            about=tuple(_needs(metric.signature)),
        )
        for metric in METRICS
    )


def _needs(signature: Signature) -> Iterable[str]:
    if signature.needs_foil:
        yield "It needs right and wrong answers."
    elif signature.needs_answer:
        yield "It needs right answers."
    if not signature.differentiable:
        yield "It has no gradient, so only exact methods can measure it."


def _exact(signature: Signature) -> str:
    """A method that an example needs where the gradient is nothing to estimate from."""
    estimable = signature.differentiable and signature.name != "kl"
    return "" if estimable else "\nmethod ap"


def reading_topics() -> tuple[Topic, ...]:
    """What computed metrics read of tokens."""
    return tuple(
        Topic(
            name=f"{reading.name}(...)",
            doc=reading.signature.summary,
            form=f"{reading.name}(TOKENS)",
            example=f"metric {reading.name}(right)" + _exact(reading.signature),
            about=tuple(_needs(reading.signature)),
        )
        for reading in READINGS
    )


def method_topics() -> tuple[Topic, ...]:
    """The methods."""
    return tuple(
        Topic(
            name=method.name,
            doc=method.signature.summary,
            example=f"method {method.name}",
            about=(f"Per pair: `{method.formula}`.", f"{method.paper}."),
            tables=(settings_table(tuple(map(key_of, method.signature.params))),)
            if method.signature.params
            else (),
        )
        for method in METHODS
    )


def function_topics() -> tuple[Topic, ...]:
    """The functions of formulas."""
    return tuple(
        Topic(name=f.name, doc=f.doc, form=f.signature, about=_synonyms(f.synonyms))
        for f in FUNCTIONS.values()
    )


def origin_topics() -> tuple[Topic, ...]:
    """What words and pairs can be read from."""
    return tuple(
        Topic(
            name=origin.name,
            doc=origin.doc,
            form=f"slot NAME, ... in {origin.call}"
            if origin.gives == "words"
            else f"prompts from {origin.call} {{ ... }}",
        )
        for origin in ORIGINS
    )


def _synonyms(words: tuple[str, ...]) -> tuple[str, ...]:
    named = " or ".join(f"`{word}`" for word in words)
    return (f"Elsewhere it is called {named}.",) if words else ()


def expectation_topics() -> tuple[Topic, ...]:
    """What can be asked of a result."""
    return tuple(
        Topic(
            name=f"expect.{function.name}",
            doc=function.doc,
            form=function.example,
            about=("Not in this version.",) if function.later else (),
            later=function.later,
        )
        for function in RESULT_FUNCTIONS
    )


def export_topics() -> tuple[Topic, ...]:
    """The formats of exports."""
    return tuple(
        Topic(
            name=exporter.name,
            doc=exporter.summary,
            form=f'{exporter.name}("FILE"), or a file that ends in '
            + " or ".join(f"`{suffix}`" for suffix in exporter.suffixes),
            example=f'export "scores{exporter.suffixes[0]}"',
        )
        for exporter in EXPORTERS
    )


def model_topics() -> tuple[Topic, ...]:
    """The models that have a name of their own."""
    return tuple(
        Topic(name=model.name, doc=model.summary, form=f'model "{model.name}"')
        for model in (*EMBEDDED, *ADDABLE)
    )


def task_file_topics() -> tuple[Topic, ...]:
    """The files that `include "lib:NAME"` takes."""
    return tuple(
        Topic(
            name=f"lib:{file.name}",
            doc=file.title,
            form=f'include "lib:{file.name}"',
            example=f'include "lib:{file.name}"\nprompts from {file.main} {{ count = 16 }}\n'
            f"metric {file.metric}"
            if file.sets
            else "",
            about=tuple(_about(file)),
        )
        for file in library()
    )


def _about(file: LibraryFile) -> Iterable[str]:
    more = " ".join(file.doc[1:]).strip()
    if more:
        yield more
    if file.sets:
        yield f"Sets of prompts: {', '.join(f'`{name}`' for name in file.sets)}."
