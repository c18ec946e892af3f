"""The words of the language for editors and other tools, as JSON."""

from __future__ import annotations

from atpdsl.elaboration.including import library_names
from atpdsl.exports import EXPORTERS
from atpdsl.methods import METHODS
from atpdsl.metrics import METRICS, READINGS
from atpdsl.models.catalogue import ADDABLE, EMBEDDED
from atpdsl.nodes import NODE_KINDS
from atpdsl.reference.statements import choices_of, keys_of
from atpdsl.semantics.functions import FUNCTIONS
from atpdsl.semantics.origins import ORIGINS
from atpdsl.semantics.result_functions import RESULT_FUNCTIONS
from atpdsl.semantics.schema import (
    EDITION,
    LINES,
    ON_OFF,
    PROMPTS_FROM_FILE,
    SELECTION,
    SHAPES,
    Key,
    Shape,
)
from atpdsl.semantics.signature import Signature

SCHEMA = "atpdsl/words/1"
POSITIONS = {
    "last": "the last token of the prompt",
    "every": "a node for each token",
    "sequence": "one node over all tokens",
}
# Words that stand between the parts of statements and formulas.
KEYWORDS = ("and", "as", "at", "from", "in", "not", "or", "vs", "where")


def words() -> dict[str, object]:
    """Everything that has a name; `later` marks what this version refuses."""
    return {
        "edition": EDITION,
        "statements": [_shape(shape) for shape in (*SHAPES, PROMPTS_FROM_FILE)],
        "lines": [_shape(shape) for shape in LINES],
        "keywords": list(KEYWORDS),
        "switches": list(ON_OFF),
        "positions": [_named(name, doc) for name, doc in POSITIONS.items()],
        "node_kinds": [
            {**_named(kind.name, kind.summary), "unit": kind.unit.value} for kind in NODE_KINDS
        ],
        "metrics": [_signature(metric.signature) for metric in METRICS],
        "readings": [_signature(reading.signature) for reading in READINGS],
        "methods": [_signature(method.signature) for method in METHODS],
        "functions": [
            {**_named(function.name, function.doc), "form": function.signature}
            for function in FUNCTIONS.values()
        ],
        "origins": [
            {**_named(origin.name, origin.doc), "form": origin.call, "gives": origin.gives}
            for origin in ORIGINS
        ],
        "expectations": [
            {**_named(f.name, f.doc), "example": f.example, "later": f.later}
            for f in RESULT_FUNCTIONS
        ],
        "exports": [
            {**_named(e.name, e.summary), "suffixes": list(e.suffixes)} for e in EXPORTERS
        ],
        "models": [_named(model.name, model.summary) for model in (*EMBEDDED, *ADDABLE)],
        "library": list(library_names()),
    }


def _named(name: str, doc: str) -> dict[str, object]:
    return {"name": name, "doc": doc}


def _signature(signature: Signature) -> dict[str, object]:
    settings = [param.name for param in signature.params]
    return {**_named(signature.name, signature.summary), "settings": settings}


def _shape(shape: Shape) -> dict[str, object]:
    inside = [word for word in shape.statements if word != SELECTION]
    return {
        **_named(shape.word, shape.doc),
        "form": shape.form,
        "example": shape.example,
        "settings": [_key(key) for key in keys_of(shape)],
        "statements": inside,
        "parts": [_shape(part) for part in shape.parts],
        "once": shape.once,
        "required": shape.required,
        "later": shape.later,
    }


def _key(key: Key) -> dict[str, object]:
    return {
        **_named(key.name, key.doc),
        "type": key.type,
        "default": key.default,
        "choices": list(choices_of(key)),
        "minimum": key.minimum,
        "maximum": key.maximum,
        "later": key.later,
    }
