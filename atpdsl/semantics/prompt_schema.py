"""The part of the schema that is about prompts: their blocks, and the lines in them."""

from __future__ import annotations

from atpdsl.semantics.shape import Key, Shape

ALIGN = Key(
    name="align",
    type="word",
    default="strict",
    choices=("strict", "start", "end"),
    synonyms=(("pad_left", "end"), ("left", "end"), ("pad_right", "start"), ("right", "start")),
    doc="how tokens of the two prompts correspond: same length, from the start, from the end",
)
BOS = Key(
    name="bos",
    type="bool",
    default=True,
    doc="begin prompts with the model's first token (BOS), if it has one",
)
PAIR = Shape(
    word="pair",
    doc="one clean and one corrupted prompt",
    form='pair "CLEAN" -> "CORRUPTED" [{ SETTINGS answer ... }]',
    example='pair "Mary went to" -> "John went to"',
    keys=(ALIGN,),
    statements=("answer",),
)
KEEP = Key(
    name="keep",
    type="expression",
    doc="what a pair has to fulfil to be kept, as `IO != place` or `single_token(row.name)`",
)
SPLIT = Key(name="split", type="text", doc="which part of a data set, as `train`")
PROMPTS_FROM_FILE = Shape(
    word="prompts",
    doc="pairs from a CSV or JSONL file, or a data set",
    form="prompts [NAME] from SOURCE { SETTINGS LINES }",
    example='prompts from csv("pairs.csv") { clean = row.clean; corrupted = row.corrupted }',
    keys=(
        Key(name="clean", type="expression", doc="the clean prompt: `row.column` or a text"),
        Key(name="corrupted", type="expression", doc="the corrupted prompt, likewise"),
        Key(name="limit", type="int", minimum=1, doc="keep at most so many rows"),
        ALIGN,
        BOS,
        SPLIT,
        KEEP,
    ),
    statements=("answer", "pos", "let"),
)
PROMPTS = Shape(
    word="prompts",
    doc="pairs of a clean and a corrupted prompt",
    form="prompts [NAME] { SETTINGS LINES }",
    example='prompts { pair "Mary saw" -> "John saw" { answer " Tom" vs " Anna" } }',
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
        BOS,
        KEEP,
    ),
    statements=("template", "slot", "corrupt", "answer", "pair", "pos", "let"),
    required=True,
)

LINES: tuple[Shape, ...] = (
    Shape(
        word="template",
        doc="a prompt with slots in braces; `{S as S2}` also names the place",
        form='template "TEXT"',
        example='template "When {IO} and {S} went to the store, {S as S2} gave a drink to"',
    ),
    Shape(
        word="slot",
        doc="the words that slots are filled with, drawn without replacement: a list, or what"
        " `lines` or `table` read",
        form="slot NAME, ... in LIST [where CONDITION]",
        example='slot IO, S in ["Mary", "John", "Tom"]',
    ),
    Shape(
        word="corrupt",
        doc="what is different in the corrupted prompt: places, and what stands there instead",
        form="corrupt PLACE, ... -> VALUE, ...",
        example="corrupt S2 -> IO",
    ),
    Shape(
        word="answer",
        doc="the right next words, and after `vs` the wrong ones",
        form="answer RIGHT [vs WRONG]",
        example='answer " {IO}" vs " {S}"',
    ),
    PAIR,
    Shape(
        word="pos",
        doc="a name for a place, by a pattern or by an offset from another place",
        form='pos NAME = match(r"PATTERN"), or PLACE + NUMBER',
        example='pos verb = match(r"(gave) a")',
    ),
    Shape(
        word="let",
        doc="a value that is computed for each pair, from its slots or its row",
        form="let NAME = FORMULA",
        example="let shouted = upper(S)",
    ),
)
