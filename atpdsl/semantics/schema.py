"""Every statement and every key of the language: where it may stand, its type and default.

One table drives the checks, the suggestions and the reference page.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from atpdsl.semantics.diagnosis_schema import DIAGNOSE, VERIFY
from atpdsl.semantics.prompt_schema import LINES, PAIR, PROMPTS, PROMPTS_FROM_FILE
from atpdsl.semantics.shape import Key, Shape, key_of, later_keys

__all__ = [
    "CIRCUIT",
    "DEVICES",
    "DIAGNOSE",
    "DIRECTION",
    "DTYPES",
    "EDITION",
    "LATER_METHODS",
    "LINES",
    "ON_OFF",
    "PAIR",
    "PARAM",
    "PROMPTS",
    "PROMPTS_FROM_FILE",
    "RUN",
    "SELECTION",
    "SHAPES",
    "SHAPE_OF",
    "VERIFY",
    "Key",
    "Shape",
    "key_of",
]

EDITION = 1
ON_OFF: Mapping[str, bool] = MappingProxyType(
    {"on": True, "off": False, "true": True, "false": False}
)
DTYPES = ("float32", "float64", "bfloat16", "float16")
DEVICES = ("auto", "cpu", "cuda", "mps", "all", "split")
SELECTION = "selection"


DIRECTION = Key(
    name="direction",
    type="word",
    default="noising",
    choices=("noising", "denoising"),
    doc="noising patches corrupted values into the clean run, denoising the reverse",
)
PARAM = Shape(
    word="param",
    doc="a value that can be set from outside: `atpdsl run SPEC -p top_k=50`",
    form="param NAME = DEFAULT [{ SETTINGS }]",
    example='param top_k = 20 { help = "nodes to verify"; min = 1 }\nverify { top = top_k }',
    keys=(
        Key(name="help", type="text", doc="what it is for, shown by `atpdsl docs SPEC`"),
        Key(name="min", type="float", doc="the least value"),
        Key(name="max", type="float", doc="the greatest value"),
        Key(name="choices", type="expression", doc="the values allowed, a list"),
    ),
)
CIRCUIT = Shape(
    word="circuit",
    doc="the nodes that are kept in the circuit graph",
    form="circuit { SETTINGS }",
    example="circuit { keep = top(40) }",
    keys=(
        Key(name="from", type="word", doc="the method by whose scores; the first if left out"),
        Key(
            name="keep",
            type="expression",
            doc="`top(40)` nodes, `5%` of all, or `threshold(0.05)`: scores from that on;"
            " `top(50)` if left out",
        ),
        *later_keys(
            prune="what is taken out afterwards: `dangling` parts",
            ablate="what stands in for everything outside: `corrupted`, `zero`, `mean`",
            evaluate="a curve of faithfulness over sizes",
        ),
    ),
    once=True,
)
RUN = Shape(
    word="run",
    doc="how to run; nothing here changes what is computed",
    form="run { SETTINGS }",
    example="run { device = auto; seed = 0 }",
    keys=(
        Key(
            name="device",
            type="word",
            default="auto",
            choices=DEVICES,
            pattern=r"cuda:\d{1,3}(, ?cuda:\d{1,3})*",
            synonyms=(("gpu", "cuda"), ("metal", "mps")),
            code="ATP321",
            doc='where to run: `auto`, `cpu`, `cuda`, `"cuda:1"`, `mps`; `all` GPUs or some,'
            ' `"cuda:0,cuda:1"`, each with a copy of the model, share the pairs; `split` puts'
            " the layers of one copy on all GPUs",
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
        Key(name="executor", type="word", default="auto", doc="what runs the plan"),
        Key(
            name="prompts",
            type="expression",
            doc="which sets of prompts are measured: a name or a list; all if left out",
        ),
        Key(
            name="memory",
            type="bytes",
            doc="the most memory that weights and activations may take together, as `4GB`",
        ),
        Key(name="budget", type="time", doc="the most time that a run may take, as `30min`"),
        Key(
            name="deterministic",
            type="bool",
            default=False,
            doc="refuse operations whose result is not the same to the last bit every time",
        ),
        *later_keys(
            cache="keep results of steps for later runs",
            precision="the precision of the computation",
        ),
    ),
    once=True,
)
SHAPES: tuple[Shape, ...] = (
    Shape(
        word="atp",
        doc="the edition of the language",
        form="atp 1",
        example="atp 1",
        once=True,
        required=True,
    ),
    Shape(
        word="include",
        doc="takes over the names of another file, or of a task of the library",
        form='include "FILE" [as NAME]',
        example='include "lib:ioi"\nprompts from abba { count = 16 }',
    ),
    Shape(
        word="let",
        doc="a name for a value",
        form="let NAME = VALUE",
        example="let best = 20\nverify { top = best }",
    ),
    PARAM,
    Shape(
        word="sweep",
        doc="a run for each value; several sweeps make a grid",
        form="sweep NAME in LIST",
        example="sweep seed in 0..2\nrun { seed = seed }",
    ),
    Shape(
        word="model",
        doc="the model: embedded, added, a folder, or a Hugging Face id",
        form='model "NAME" [{ SETTINGS }]',
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
        form="metric [NAME =] METRIC [at POSITION] [{ SETTINGS }]",
        example="metric logit_diff at last",
        keys=(
            Key(
                name="normalize",
                type="bool",
                default=False,
                doc="divide effects by the mean gap between clean and corrupted prompts",
            ),
        ),
        once=True,
        required=True,
    ),
    Shape(
        word="nodes",
        doc="the nodes whose effect is wanted",
        form="nodes { KIND[UNITS], ... at POSITION, ... [where CONDITION] ... }",
        example="nodes { heads.z at every }",
        statements=(SELECTION,),
        required=True,
    ),
    Shape(
        word="edges",
        doc="the edges whose effect is wanted",
        form="edges { NODES -> NODES ... }",
        example="edges { heads.z -> logits }",
        statements=(SELECTION,),
        later=True,
    ),
    Shape(
        word="method",
        doc="how effects are computed or estimated",
        form="method [NAME =] METHOD [{ SETTINGS }]",
        example="method atp",
        keys=(
            DIRECTION,
            *later_keys(
                ig_steps="steps of integrated gradients",
                ig_over="what integrated gradients go along: `inputs`, `activations`",
            ),
        ),
        required=True,
    ),
    VERIFY,
    DIAGNOSE,
    CIRCUIT,
    Shape(
        word="expect",
        doc="what the result must fulfil, line by line",
        form="expect { CONDITION ... }",
        example="verify { top = 20; random = 20 }\nexpect { recall(top = 20) >= 0.5 }",
        statements=(SELECTION,),
    ),
    Shape(
        word="export",
        doc="files to write beside the result",
        form='export "FILE", FORMAT("FILE"), ...',
        example='export "ioi.graphml", "ioi.csv"',
    ),
    RUN,
)
SHAPE_OF: Mapping[str, Shape] = MappingProxyType({shape.word: shape for shape in SHAPES})

LATER_METHODS = ("eap", "eap_ig", "atp_ig")
