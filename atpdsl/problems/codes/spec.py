"""Codes of problems with the statements, settings and names of a spec (100 to 199)."""

from __future__ import annotations

from atpdsl.problems.codes.code import Code

_FROM_FILE = """\
prompts from csv("pairs.csv") {
  clean = row.clean
  corrupted = row.corrupted
  answer " {row.right}" vs " {row.wrong}"
}"""

_STATEMENTS = (
    Code(
        code="ATP100",
        title="no edition",
        explanation="""\
The first line says in which edition of the language a spec is written. A later atpdsl, whose
language may have changed, then still knows what you meant.""",
        bad='model "tiny"',
        good='atp 1\nmodel "tiny"',
    ),
    Code(
        code="ATP101",
        title="an edition that is not known",
        explanation="""\
The spec is written for a later atpdsl. Reading it by the rules of an earlier one could give
other numbers than were meant, so it is not tried.""",
        bad="atp 2",
        good="atp 1",
    ),
    Code(
        code="ATP102",
        title="the edition does not come first",
        explanation="`atp 1` is the first statement; only comments may stand before it.",
        bad='model "tiny"\natp 1',
        good='atp 1\nmodel "tiny"',
    ),
    Code(
        code="ATP103",
        title="a statement is missing",
        explanation="""\
A spec says with which `model`, on which `prompts`, by which `metric`, for which `nodes` and by
which `method` effects are wanted. None of them has a default.""",
        bad='atp 1\nmodel "tiny"',
        good="",
    ),
    Code(
        code="ATP104",
        title="a statement stands twice",
        explanation="""\
A spec has one model, one set of prompts and one metric, and at most one `verify` and one
`run`; a block of prompts and a pair have at most one `answer`.""",
        bad="metric logit_diff at last\nmetric logit_diff at last",
        good="metric logit_diff at last",
    ),
    Code(
        code="ATP105",
        title="no such setting",
        explanation="""\
The block has no setting of that name. It is never ignored: a setting that does nothing would
leave you with another experiment than you think.""",
        bad="verify { tpo = 20 }",
        good="verify { top = 20 }",
    ),
    Code(
        code="ATP106",
        title="a setting stands twice",
        explanation="Which of the two was meant cannot be known.",
        bad="verify { top = 20; top = 30 }",
        good="verify { top = 20 }",
    ),
    Code(
        code="ATP107",
        title="something that has no place in this block",
        explanation="""\
Each block holds its own settings and statements: `template` only stands in `prompts`, nodes
only in `nodes`, and settings are `name = value`.""",
        bad='verify { template "..." }',
        good="verify { top = 20 }",
    ),
    Code(
        code="ATP108",
        title="a value of the wrong kind",
        explanation="""\
A setting takes a number, a word, a string, or `on` and `off`; the message says which. Texts
and file names stand in double quotes.""",
        bad="verify { top = many }",
        good="verify { top = 20 }",
    ),
    Code(
        code="ATP109",
        title="a value that is not allowed",
        explanation="The number is too small or too large, or the word is none of the choices.",
        bad="verify { top = -1 }",
        good="verify { top = 20 }",
    ),
    Code(
        code="ATP110",
        title="not in this version",
        explanation="""\
This is part of the language, and can be read, but this version cannot run it. It is refused
rather than left out.""",
        bad="method eap",
        good="method atp",
    ),
)

_NAMES = (
    Code(
        code="ATP111",
        title="no such method",
        explanation="""\
`ap` is exact activation patching; `atp` estimates it from one backward pass, and `atp*` also
corrects where that goes wrong. `atpdsl list` names all methods.""",
        bad="method aptp",
        good="method atp",
    ),
    Code(
        code="ATP112",
        title="no such metric",
        explanation="`atpdsl list` names all metrics.",
        bad="metric logits_diff at last",
        good="metric logit_diff at last",
    ),
    Code(
        code="ATP113",
        title="two methods of the same name",
        explanation="""\
Results are kept under a method's name. Where a method is used twice, give each use a name.""",
        bad="method atp\nmethod atp { direction = denoising }",
        good="method atp\nmethod back = atp { direction = denoising }",
    ),
    Code(
        code="ATP114",
        title="nothing to verify",
        explanation="""\
`verify` compares estimates with exact effects. A spec whose methods are all exact has no
estimates.""",
        bad="method ap\nverify { top = 20 }",
        good="method atp\nverify { top = 20 }",
    ),
    Code(
        code="ATP115",
        title="the name of a method that is not there",
        explanation="""\
`verify`, `circuit` and `expect` call methods by their names in this spec: the one before `=` in
`method fast = atp`, else the method's own.""",
        bad="method fast = atp\nverify { method = slow }",
        good="method fast = atp\nverify { method = fast }",
    ),
    Code(
        code="ATP116",
        title="an exact method where an estimate is meant",
        explanation="`ap` measures effects, so there is no estimate that could be wrong.",
        bad="method ap\nmethod atp\nverify { method = ap }",
        good="method ap\nmethod atp\nverify { method = atp }",
    ),
)

_FILES = (
    Code(
        code="ATP117",
        title="a path that leads elsewhere",
        explanation="""\
A spec may come from anybody, so it only reads files of its own project (below its folder, or
below the nearest folder above it with a `pyproject.toml`, an `atpdsl.toml` or a `.git`) and
only writes files below the folder of its result: no `..` that leads out, no `/` or `~` at the
beginning. To write elsewhere use `--out`, or `atpdsl export` afterwards.""",
        bad='export "../scores.csv"',
        good='export "scores.csv"',
    ),
    Code(
        code="ATP118",
        title="no such format",
        explanation="""\
A file's ending says its format, or a word before it does: `csv("scores.txt")`.""",
        bad='export "scores.cvs"',
        good='export "scores.csv"',
    ),
    Code(
        code="ATP119",
        title="a file is written twice",
        explanation="The second would replace the first.",
        bad='export "scores.csv", "scores.csv"',
        good='export "scores.csv", "scores.parquet"',
    ),
    Code(
        code="ATP120",
        title="prompts cannot come from this",
        explanation='After `from` stands `csv("file")` or `jsonl("file")`.',
        bad='prompts from "pairs.csv" { clean = row.clean; corrupted = row.corrupted }',
        good=_FROM_FILE,
    ),
    Code(
        code="ATP122",
        title="prompts from a file need both sides",
        explanation="""\
`clean` and `corrupted` say which column of the file holds which prompt: `clean = row.clean`,
or a text with columns in it, `clean = "When {row.name} went to"`.""",
        bad=_FROM_FILE.replace("  corrupted = row.corrupted\n", ""),
        good=_FROM_FILE,
    ),
)

_RESULTS = (
    Code(
        code="ATP161",
        title="nothing of this name can be asked of a result",
        explanation="""\
A line of `expect` asks for a number of the result, or whether something holds: `recall`,
`spearman`, `misses`, `upper_bound`, `flagged`, `has`, `effect`, `score`, `gap`, `clean_metric`,
`corrupted_metric`.""",
        bad="verify { random = 9 }\nexpect { recal(top = 20) >= 90% }",
        good="verify { random = 9 }\nexpect { recall(top = 20) >= 90% }",
    ),
    Code(
        code="ATP162",
        title="an expectation that nothing could decide",
        explanation="""\
How good an estimate is can only be known where effects are measured: by `verify`, or by an
exact method in the same direction. And nodes that an estimate has overlooked only come to light
where others than its own best are measured: those drawn at random.""",
        bad="method atp\nexpect { recall(top = 20) >= 90% }",
        good="method atp\nverify { random = 20 }\nexpect { recall(top = 20) >= 90% }",
    ),
    Code(
        code="ATP163",
        title="this is no expectation",
        explanation="""\
An expectation holds or does not: a comparison of numbers, `has(...)`, or several of them with
`and`, `or` and `not`. It has to ask something of the result.""",
        bad="expect { gap }",
        good="expect { gap > 1 }",
    ),
    Code(
        code="ATP164",
        title="an argument that this function does not take",
        explanation="""\
`recall` takes `top` and `method`; `misses` takes `method`; `spearman` two methods, or one and
`truth`; `has`, `effect` and `score` one selection of nodes with its position; `upper_bound` the
word `missed_effect`, and a `confidence` at which there is a bound; `flagged` a diagnostic.""",
        bad="verify { random = 9 }\nexpect { recall(k = 20) >= 90% }",
        good="verify { random = 9 }\nexpect { recall(top = 20) >= 90% }",
    ),
    Code(
        code="ATP165",
        title="it is not said of which method",
        explanation="""\
Where a spec has several methods, each has its own recall and its own scores, so an expectation
says which is meant. Measured effects are the same for all methods of one direction.""",
        bad="method atp\nmethod two = atp\nexpect { score(L1H2 at last) > 0.5 }",
        good="method atp\nmethod two = atp\nexpect { score(L1H2 at last, method = two) > 0.5 }",
    ),
    Code(
        code="ATP166",
        title="too large a circuit",
        explanation="""\
The circuit is a graph that people look at, and its edges grow with the square of its nodes. The
scores of all nodes are in the result in any case.""",
        bad="circuit { keep = top(100_000) }",
        good="circuit { keep = top(100) }",
    ),
    Code(
        code="ATP167",
        title="a question about a circuit that is not described",
        explanation="""\
`has` asks whether the circuit has a node, so the spec has to say which nodes the circuit keeps,
and by which method.""",
        bad="expect { has(L1H2 at last) }",
        good="circuit { keep = top(40) }\nexpect { has(L1H2 at last) }",
    ),
    Code(
        code="ATP168",
        title="nothing of this name can be diagnosed",
        explanation="""\
There are `cancellation`, `saturation`, `uncertainty` and `subset_sampling`. Each stands on a
line of its own, alone or with settings in braces.""",
        bad="diagnose { cancelation }",
        good="diagnose { cancellation }",
    ),
    Code(
        code="ATP169",
        title="a selection of edges has two sides",
        explanation="""\
On the left of `->` stand the nodes that are read, on its right those that read them. Edges come
with a later version; until then a spec with `edges` cannot be run.""",
        bad="edges { heads.z, mlp }",
        good="",
    ),
)

CODES_SPEC = (*_STATEMENTS, *_NAMES, *_FILES, *_RESULTS)
