"""Problems of prompts, tokens and node selections that need the model's files (240-299)."""

from __future__ import annotations

from atpdsl.problems.codes.code import Code
from atpdsl.problems.codes.nodes import CODES_NODES

_TOKENIZER = (
    Code(
        code="ATP240",
        title="the model's tokenizer cannot be used",
        explanation="A model's folder must hold `tokenizer.json`, the file of a fast "
        "tokenizer, with the special tokens that `tokenizer_config.json` names.\n\n"
        "Load the tokenizer with transformers and save it again with `save_pretrained`.",
        bad="",
        good="",
    ),
)

_TEXTS = (
    Code(
        code="ATP241",
        title="a text cannot be filled in",
        explanation="A name in braces is a slot of the same `prompts` block, or `row.column` "
        "in prompts that come from a file. A `pair` has no slots. A brace that belongs to the "
        "text is written twice.",
        bad='template "{IO} saw {S}. {S as S2} waved at {T}"',
        good='template "{IO} saw {S}. {S as S2} waved at {IO as IO2}"',
    ),
    Code(
        code="ATP242",
        title="a slot list is too short",
        explanation="Slots that are declared together are drawn without replacement, so "
        "their list needs a word for each of them. `corrupt X -> other` takes one more, so "
        "that the new word is none of the prompt's.",
        bad='slot IO, S in ["Mary"]',
        good='slot IO, S in ["Mary", "John", "Tom"]',
    ),
    Code(
        code="ATP243",
        title="there are not as many different pairs",
        explanation="The pairs of a sample are all different. How many there can be is the "
        "product of the choices for each slot, added up over the templates.",
        bad='slot IO, S in ["Mary", "John"]\ntemplate "{IO} saw {S}. {S as S2} waved"\n'
        "corrupt S2 -> IO\ncount = 3",
        good='slot IO, S in ["Mary", "John"]\ntemplate "{IO} saw {S}. {S as S2} waved"\n'
        "corrupt S2 -> IO\ncount = 2",
    ),
    Code(
        code="ATP244",
        title="a template lacks the position to corrupt",
        explanation="`corrupt` names a position, and every template of the block must have "
        "it: a slot, or a place named with `as`.",
        bad='template "{S} saw {IO}"\ncorrupt S2 -> IO',
        good='template "{S} saw {IO}. {S as S2} waved"\ncorrupt S2 -> IO',
    ),
    Code(
        code="ATP245",
        title="a slot list repeats a word",
        explanation="Each word of a list counts once: repeated, it could be drawn for two "
        "slots that must differ.",
        bad='slot IO, S in ["Mary", "John", "Tom", "Mary"]',
        good='slot IO, S in ["Mary", "John", "Tom"]',
    ),
)

_ROW_TEXTS = """  clean = row.clean
  corrupted = row.corrupted
  answer " store" vs " park"
"""
_FROM_PAIRS = f"""prompts from csv("pairs.csv") {{
{_ROW_TEXTS}}}"""
_FROM_CITIES = f"""prompts from hf("cities") {{
  split = "train"
{_ROW_TEXTS}}}"""
_KEEPING = f"""prompts from csv("pairs.csv") {{
  keep = row.right == "store"
{_ROW_TEXTS}}}"""

_FILES = (
    Code(
        code="ATP246",
        title="a data file or data set cannot be read",
        explanation="A path starts at the folder of the spec. A file must be UTF-8. A data "
        "set is a folder, saved with `datasets`' `save_to_disk` or with Parquet, JSONL or CSV "
        "files as on the hub. A name as `mib-bench/ioi` is looked for below the spec's folder "
        "and in the cache of the Hugging Face libraries, and never on the network.",
        bad=_FROM_PAIRS.replace("pairs", "pears"),
        good=_FROM_PAIRS,
    ),
    Code(
        code="ATP247",
        title="a data file is too large",
        explanation="At most 64 MiB of a file or data set are read. Reading ends with the "
        "last row that is kept, so with `limit` a larger one may be used, too.",
        bad="",
        good="",
    ),
    Code(
        code="ATP248",
        title="a row of a data file cannot be used",
        explanation="In CSV every row has as many cells as the header, and a cell with a "
        "comma, a double quote or a line end stands in double quotes. In JSONL every line is "
        "an object. What goes into a prompt is a text or a number; `{row.a.b}` is the part "
        "`b` of the object `a`. Lines of a file are counted from 1, rows of a data set from 0.",
        bad=_FROM_PAIRS.replace("pairs", "short"),
        good=_FROM_PAIRS,
    ),
    Code(
        code="ATP249",
        title="a data file lacks a column",
        explanation="`{row.name}` is the column `name`: a cell under that header in CSV, a "
        "key of the object in JSONL, a feature of a data set. Capital letters count.",
        bad=_FROM_PAIRS.replace("row.clean", "row.claen"),
        good=_FROM_PAIRS,
    ),
    Code(
        code="ATP250",
        title="a data file has no rows",
        explanation="The first row of a CSV file names the columns, and pairs come after it.",
        bad=_FROM_PAIRS.replace("pairs", "empty"),
        good=_FROM_PAIRS,
    ),
    Code(
        code="ATP251",
        title="there are no pairs",
        explanation="An experiment needs at least one pair of a clean and a corrupted prompt.",
        bad="prompts empty { }",
        good='prompts one { pair "Mary went" -> "John went" { answer " to" vs " home" } }',
    ),
)

_PROMPTS = (
    Code(
        code="ATP252",
        title="a prompt is empty",
        explanation="A prompt needs a token of its own besides the one that begins every text.",
        bad='pair "" -> "John went"',
        good='pair "Mary went" -> "John went"',
    ),
    Code(
        code="ATP253",
        title="a prompt is too long for the model",
        explanation="A model reads no more tokens than it has positions. A prompt is never "
        "cut off silently, since named positions and the answer would be lost.",
        bad="",
        good="",
    ),
    Code(
        code="ATP254",
        title="the two prompts of a pair are the same",
        explanation="Patching puts activations of one prompt into the run of the other. "
        "Between equal prompts every effect is exactly zero. Often the corruption drew the "
        "word that was there already.",
        bad='pair "Mary went" -> "Mary went"',
        good='pair "Mary went" -> "John went"',
    ),
    Code(
        code="ATP255",
        title="the two prompts of a pair differ in length",
        explanation="A node's activation is taken from the same position of the other "
        "prompt, so positions have to correspond. Either both prompts have as many tokens, or "
        "`align` says from which end to count; positions without a partner are then left out.",
        bad='pair "The Eiffel Tower is in" -> "Big Ben is in"',
        good='pair "The Eiffel Tower is in" -> "Big Ben is in" { align = end }',
    ),
    Code(
        code="ATP256",
        title="an answer is not one token",
        explanation="Metrics compare the logits of single tokens. An answer is read as it "
        "would follow the prompt, so a new word usually begins with a space. A name that the "
        "tokenizer splits cannot be an answer; choose another.",
        bad='answer " Maximilian" vs " Mary"',
        good='answer " Tom" vs " Mary"',
    ),
    Code(
        code="ATP257",
        title="an answer does not meet the prompt between two tokens",
        explanation="If the tokenizer writes the end of the prompt differently once the "
        "answer follows, the model is asked for a token that it never saw there: most often "
        "the prompt ends with a space that belongs to the answer. Likewise an answer without "
        "a space goes on with the last word.",
        bad='pair "Mary went to " -> "John went to " { answer "Tom" vs "Lucy" }',
        good='pair "Mary went to" -> "John went to" { answer " Tom" vs " Lucy" }',
    ),
    Code(
        code="ATP258",
        title="an answer is right and wrong at once",
        explanation="The same token on both sides of `vs` cancels itself out.",
        bad='answer " Mary" vs " Mary"',
        good='answer " Mary" vs " John"',
    ),
    Code(
        code="ATP259",
        title="a prompt already begins with the token that begins every prompt",
        explanation="Models are trained on texts that begin with a special token (BOS), and "
        "it is put before every prompt unless `bos = off`. A text that has it already does "
        "not get a second one, which would change every activation.",
        bad='pair "<|endoftext|>Mary went" -> "<|endoftext|>John went"',
        good='pair "Mary went" -> "John went"',
    ),
    Code(
        code="ATP260",
        title="the tokenizer does not fit the model",
        explanation="The tokenizer gave a token for which the model has no embedding: the "
        "two files are not from the same model.",
        bad="",
        good="",
    ),
)

_POSITIONS = (
    Code(
        code="ATP261",
        title="a position is missing in some prompts",
        explanation="A named position must be found in both prompts of a pair. For the "
        "metric it must be in every pair. A node at it is only measured in the pairs that "
        "have it, and its means are over fewer pairs than those of other nodes, hence a "
        "warning.",
        bad='template "{IO} saw {S}. {S as S2} waved"\npos verb = match(r"waves")',
        good='template "{IO} saw {S}. {S as S2} waved"\npos verb = match(r"waved")',
    ),
    Code(
        code="ATP262",
        title="there is no such position",
        explanation="Positions are the slots of the template, places in it named with `as`, "
        "the `pos` rules, and `last`.",
        bad='template "{S} saw {IO}. {S as S2} waved"\nmetric logit_diff at S3',
        good='template "{S} saw {IO}. {S as S2} waved"\nmetric logit_diff at S2',
    ),
    Code(
        code="ATP263",
        title="a pattern cannot be used",
        explanation="Patterns are regular expressions of Python. They may have 200 "
        "characters and four repeats, and no repeated group in which something is repeated, "
        "optional or a choice: such a pattern can take longer than the universe has time.",
        bad='template "{IO} saw {S}. {S as S2} waved"\npos verb = match(r"(\\w+ )+waved")',
        good='template "{IO} saw {S}. {S as S2} waved"\npos verb = match(r"\\w+ waved")',
    ),
    Code(
        code="ATP264",
        title="a position stands twice in a template",
        explanation="A slot that a template has more than once names no single position. "
        "Name each place with `as`.",
        bad='template "{IO} saw {S}. {S} and {S as S2} waved"\nmetric logit_diff at S',
        good='template "{IO} saw {S}. {S as S1} and {S as S2} waved"\nmetric logit_diff at S1',
    ),
    Code(
        code="ATP265",
        title="an answer is given twice",
        explanation="Each token counts once in the mean over the answers of one side.",
        bad='answer [" Mary", " Mary"] vs " John"',
        good='answer " Mary" vs " John"',
    ),
    Code(
        code="ATP266",
        title="one position number stands for different words",
        explanation="`at every` numbers the tokens from the start of each prompt. If prompts "
        "differ in length or in their template, number 7 is a name in one and a verb in "
        "another, and the mean over pairs mixes them.",
        bad='template "{IO} saw {S}. {S as S2} waved"\n'
        'template "{IO} went to {S}. {S as S2} waved"\nheads.z at every',
        good='template "{IO} saw {S}. {S as S2} waved"\n'
        'template "{IO} went to {S}. {S as S2} waved"\nheads.z at S2, last',
    ),
    Code(
        code="ATP267",
        title="a formula has no value in some pair",
        explanation="A formula is computed for each pair, with the words that were drawn or "
        "the columns of the row. A text that is no number cannot be counted with, a number of "
        "three digits has no form with two, and a range can be empty, so that there is no "
        "answer. `keep` leaves out pairs for which it has no value.",
        bad='template "{IO} saw {S}. {S as S2} waved"\n'
        'answer [two_digits(len(S) .. 2)] vs "01"',
        good='template "{IO} saw {S}. {S as S2} waved"\nanswer two_digits(len(S) .. 9) vs "01"',
    ),
    Code(
        code="ATP268",
        title="no word fulfils a slot's condition",
        explanation="`where` behind a slot's list leaves only the words that fulfil it, and "
        "here there are none. `single_token` asks about a text by itself: a name behind a "
        "space is another token than a name alone.",
        bad='slot IO, S in ["Mary", "John", "Tom"] where len(IO) > 9',
        good='slot IO, S in ["Mary", "John", "Tom"] where len(IO) < 9',
    ),
)

_ROWS = (
    Code(
        code="ATP280",
        title="a data set has no such split",
        explanation="The splits of a data set are its parts, as `train` and `validation`; "
        "`split` chooses one, and has to where there are several. In a folder with files as "
        "on the hub the names of the files say which split they belong to, and those of one "
        "split stand in one folder.",
        bad=_FROM_CITIES.replace("train", "test"),
        good=_FROM_CITIES,
    ),
    Code(
        code="ATP281",
        title="no row is kept",
        explanation="`keep` is computed for every row, and where it is false the row makes no "
        "pair. Here that is so for all of them.",
        bad=_KEEPING.replace("store", "shop", 1),
        good=_KEEPING,
    ),
)

_METRIC = (
    Code(
        code="ATP285",
        title="the metric has no tokens to read",
        explanation="The tokens of a computed metric are made for each pair, and in some pair "
        "there are none: a range like `yy + 1 .. 99` is empty where `yy` is 99. The mean or "
        "the probability of no tokens is no number worth having.",
        bad="metric prob(two_digits(3 .. 2)) at last",
        good='metric prob([" Mary", " John"]) at last',
    ),
    Code(
        code="ATP286",
        title="the metric's tokens cannot be made",
        explanation="The tokens of a computed metric may be given by a formula, which is "
        "computed for each pair. In some pair it has no value.",
        bad="metric prob(two_digits(IO)) at last",
        good='metric prob(" {IO}") at last',
    ),
)
_DIAGNOSIS = (
    Code(
        code="ATP287",
        title="one pair cannot be compared with others",
        explanation="How far an estimate can be trusted shows in how its pairs differ. With "
        "one pair there is nothing to draw from, and no sign that could flip.",
        bad="count = 1\ndiagnose { uncertainty { bootstrap = 100 } }",
        good="count = 2\ndiagnose { uncertainty { bootstrap = 100 } }",
    ),
)

CODES_BINDING = (
    *(*_TOKENIZER, *_TEXTS, *_FILES, *_PROMPTS),
    *(*_POSITIONS, *CODES_NODES, *_ROWS, *_METRIC, *_DIAGNOSIS),
)
