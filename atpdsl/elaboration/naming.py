"""Words that mean something where names stand, so that no other name may be one of them."""

from __future__ import annotations

import re

from atpdsl.semantics.diagnosis import FLAG_QUANTITIES
from atpdsl.semantics.filters import AXES
from atpdsl.semantics.functions import FUNCTIONS
from atpdsl.semantics.result_functions import RESULT_FUNCTIONS
from atpdsl.semantics.schema import DIAGNOSE, ON_OFF, PAIR, PROMPTS_FROM_FILE, SHAPES
from atpdsl.semantics.signature import Vocabulary
from atpdsl.semantics.slots import RESERVED

NODE_NAME = re.compile(r"L[0-9]+([HN][0-9]+)?|atp\*")
OTHERS = ("auto", "prompts", "right", "wrong", "truth", "match", "lines", "csv", "jsonl", "hf")


def reserved_words(vocabulary: Vocabulary) -> frozenset[str]:
    """The words that no `let`, `param`, `sweep` or name of an include may take."""
    choices = (
        choice
        for shape in (*SHAPES, PROMPTS_FROM_FILE, PAIR, *DIAGNOSE.parts)
        for key in shape.keys
        for choice in key.choices
    )
    signatures = (*vocabulary.methods, *vocabulary.metrics, *vocabulary.readings)
    return frozenset(
        (
            *RESERVED,
            *ON_OFF,
            *AXES,
            *OTHERS,
            *choices,
            *(signature.name for signature in signatures),
            *(choice for s in signatures for param in s.params for choice in param.choices),
            *(kind.partition(".")[0] for kind, _ in vocabulary.nodes),
            *FUNCTIONS,
            *(function.name for function in RESULT_FUNCTIONS),
            *(word for function in RESULT_FUNCTIONS for word in function.words),
            *(name for quantities in FLAG_QUANTITIES.values() for name in quantities),
        )
    )
