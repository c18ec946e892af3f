"""Every statement and every key of the language: where it may stand, its type and default.

One table drives the checks, the suggestions and the reference page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from atpdsl.semantics.experiment import Setting
from atpdsl.semantics.signature import Param

EDITION = 1
KeyType = Literal["int", "float", "bool", "word", "text", "expression"]
ON_OFF: Mapping[str, bool] = MappingProxyType(
    {"on": True, "off": False, "true": True, "false": False}
)
DTYPES = ("float32", "float64", "bfloat16", "float16")
DEVICES = ("auto", "cpu", "cuda", "mps")
SELECTION = "selection"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One `name = value` of a body.

    Attributes:
        type: `word` and `text` take a word or a string; `expression` is read elsewhere.
        default: what holds where the key is left out; None is "chosen elsewhere".
        choices: the words allowed, for type `word`; empty is any.
        pattern: a regular expression for words beside the `choices`.
        synonyms: words that are not allowed, and what they probably mean.
        code: the problem of a value that is not allowed.
        later: part of the language, but not of this version.
    """

    name: str
    type: KeyType
    doc: str
    default: Setting = None
    choices: tuple[str, ...] = ()
    pattern: str = ""
    synonyms: tuple[tuple[str, str], ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    code: str = "ATP109"
    later: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a statement may hold.

    Attributes:
        example: one line that shows it.
        keys: its settings.
        statements: words of statements allowed in its body; `selection` is a list of nodes.
        once, required: at most one, at least one in a spec.
        later: part of the language, but not of this version.
    """

    word: str
    doc: str
    example: str
    keys: tuple[Key, ...] = ()
    statements: tuple[str, ...] = ()
    once: bool = False
    required: bool = False
    later: bool = False

    def key(self, name: str) -> Key | None:
        """The key of that name, None if there is none."""
        return next((key for key in self.keys if key.name == name), None)


def key_of(param: Param) -> Key:
    """The key that sets a parameter of a method or metric."""
    return Key(
        name=param.name,
        type=param.type,
        doc=param.doc,
        default=param.default,
        choices=param.choices,
        minimum=param.minimum,
    )


def _later(*names: str) -> tuple[Key, ...]:
    return tuple(
        Key(name=name, type="expression", doc="not in this version", later=True)
        for name in names
    )


ALIGN = Key(
    name="align",
    type="word",
    default="strict",
    choices=("strict", "start", "end"),
    synonyms=(("pad_left", "end"), ("left", "end"), ("pad_right", "start"), ("right", "start")),
    doc="how tokens of the two prompts correspond: same length, from the start, from the end",
)
PAIR = Shape(
    word="pair",
    doc="one clean and one corrupted prompt",
    example='pair "Ann went" -> "Bob went"',
    keys=(ALIGN,),
    statements=("answer",),
)
DIRECTION = Key(
    name="direction",
    type="word",
    default="noising",
    choices=("noising", "denoising"),
    doc="noising patches corrupted values into the clean run, denoising the reverse",
)
PROMPTS_FROM_FILE = Shape(
    word="prompts",
    doc="pairs from a CSV or JSONL file",
    example='prompts from csv("pairs.csv") { clean = row.clean; corrupted = row.corrupted }',
    keys=(
        Key(name="clean", type="expression", doc="the clean prompt: `row.column` or a text"),
        Key(name="corrupted", type="expression", doc="the corrupted prompt, likewise"),
        Key(name="limit", type="int", minimum=1, doc="read at most so many rows"),
        ALIGN,
        Key(name="bos", type="bool", default=True, doc="put the model's first token before"),
        *_later("split", "keep"),
    ),
    statements=("answer", "pos"),
)
PROMPTS = Shape(
    word="prompts",
    doc="pairs of a clean and a corrupted prompt",
    example="prompts { ... }",
    keys=(
        Key(
            name="count",
            type="int",
            default=32,
            minimum=1,
            maximum=1_000_000,
            doc="pairs to draw from the templates",
        ),
        ALIGN,
        Key(
            name="bos",
            type="bool",
            default=True,
            doc="begin prompts with the model's first token (BOS), if it has one",
        ),
    ),
    statements=("template", "slot", "corrupt", "answer", "pair", "pos"),
    once=True,
    required=True,
)
RUN = Shape(
    word="run",
    doc="how to run; nothing here changes what is computed",
    example="run { device = auto; seed = 0 }",
    keys=(
        Key(
            name="device",
            type="word",
            default="auto",
            choices=DEVICES,
            pattern=r"cuda:\d{1,3}",
            synonyms=(("gpu", "cuda"), ("metal", "mps")),
            code="ATP321",
            doc='where to run: `auto`, `cpu`, `cuda`, `"cuda:1"`, `mps`',
        ),
        Key(
            name="seed",
            type="int",
            default=0,
            minimum=0,
            maximum=2**63 - 1,
            doc="fixes every random draw",
        ),
        Key(name="batch", type="int", minimum=1, doc="pairs per forward pass"),
        Key(name="threads", type="int", minimum=1, maximum=4096, doc="processor threads"),
        Key(name="per_pair", type="bool", default=False, doc="keep every pair's effects"),
        Key(name="executor", type="word", default="bridge", doc="what runs the plan"),
        *_later("budget", "cache", "precision", "memory", "deterministic"),
    ),
    once=True,
)
VERIFY = Shape(
    word="verify",
    doc="exact effects for the nodes that estimates put first, and for random others",
    example="verify { top = 20; random = 20 }",
    keys=(
        Key(name="top", type="int", default=20, minimum=0, doc="best nodes of each estimate"),
        Key(name="random", type="int", default=0, minimum=0, doc="other nodes, at random"),
        Key(name="method", type="expression", doc="which estimates; all if left out"),
        *_later("stop_when", "budget", "edges", "confidence"),
    ),
    once=True,
)

SHAPES: tuple[Shape, ...] = (
    Shape(
        word="atp",
        doc="the edition of the language",
        example="atp 1",
        once=True,
        required=True,
    ),
    Shape(
        word="include",
        doc="another file's statements",
        example='include "names.atp"',
        later=True,
    ),
    Shape(word="let", doc="a name for a value", example="let steps = 5", later=True),
    Shape(
        word="param",
        doc="a value that can be set from outside",
        example="param top_k = 20",
        later=True,
    ),
    Shape(word="sweep", doc="a run for each value", example="sweep seed in 0..2", later=True),
    Shape(
        word="model",
        doc="the model: embedded, added, a folder, or a Hugging Face id",
        example='model "tiny"',
        keys=(
            Key(name="revision", type="text", doc="branch, tag or commit of a hub model"),
            Key(
                name="dtype",
                type="word",
                default="float32",
                choices=DTYPES,
                synonyms=(
                    ("fp32", "float32"),
                    ("fp64", "float64"),
                    ("double", "float64"),
                    ("bf16", "bfloat16"),
                    ("fp16", "float16"),
                    ("half", "float16"),
                ),
                code="ATP322",
                doc="the numbers' precision",
            ),
        ),
        once=True,
        required=True,
    ),
    PROMPTS,
    Shape(
        word="metric",
        doc="one number per pair, from the logits at one position",
        example="metric logit_diff at last",
        keys=_later("normalize"),
        once=True,
        required=True,
    ),
    Shape(
        word="nodes",
        doc="the nodes whose effect is wanted",
        example="nodes { heads.z at every }",
        statements=(SELECTION,),
        required=True,
    ),
    Shape(
        word="edges",
        doc="the edges whose effect is wanted",
        example="edges { heads.z -> logits }",
        later=True,
    ),
    Shape(
        word="method",
        doc="how effects are computed or estimated",
        example="method atp",
        keys=(DIRECTION, *_later("qk_fix", "grad_drop", "ig_steps", "ig_over")),
        required=True,
    ),
    VERIFY,
    Shape(
        word="diagnose",
        doc="what the estimates may have missed",
        example="diagnose { cancellation }",
        later=True,
    ),
    Shape(
        word="circuit",
        doc="the nodes or edges that are kept",
        example="circuit { keep = top(40) }",
        later=True,
    ),
    Shape(
        word="expect",
        doc="what the result must fulfil",
        example="expect { recall(top = 20) >= 0.9 }",
        later=True,
    ),
    Shape(
        word="export",
        doc="files to write beside the result",
        example='export "ioi.graphml", "ioi.csv"',
    ),
    RUN,
)
SHAPE_OF: Mapping[str, Shape] = MappingProxyType({shape.word: shape for shape in SHAPES})

LATER_METHODS = ("atp*", "eap", "eap_ig", "atp_ig")
LATER_SOURCES = ("hf",)
LATER_EXPORTS = (".html", ".svg", ".pdf", ".png")
LATER_EXPORT_FORMATS = ("neuronpedia", "mib")
