"""Codes of problems with running, results and exports (400 to 499)."""

from __future__ import annotations

from atpdsl.problems.codes.code import Code

_RUNNING = (
    Code(
        code="ATP404",
        title="a number is not finite",
        explanation="A run of the model gave an infinity or a NaN. Every number after it would "
        "be one too, so the run stops here.\n\n"
        "The usual cause is half precision: `float16` ends at 65504, and some models go beyond "
        "it. `float32` on the model, or `bfloat16`, has the room.",
        bad='model "gpt2" { dtype = float16 }',
        good='model "gpt2" { dtype = float32 }',
    ),
    Code(
        code="ATP405",
        title="no gradient arrives at a node",
        explanation="The metric does not depend on the activation, as the model computes it: "
        "the hook is there, but the model goes another way past it. An estimate would be 0 "
        "without meaning that the effect is.\n\n"
        "Leave the node kind out, or measure it with `ap`, which needs no gradients.",
        bad="",
        good="",
    ),
    Code(
        code="ATP406",
        title="an attention is not computed as expected",
        explanation="The QK fix computes the softmax of an attention anew, with another query "
        "or key. For that it has to know how the model makes its scores: scale, rotary "
        "embedding, norms, soft cap, mask. It computes the run's own scores and outputs in "
        "this way, and compares. They differ, so it would fix nothing.\n\n"
        "Write `qk_fix = off`, or measure queries and keys with `ap`, which only runs the "
        "model.",
        bad="",
        good="",
    ),
    Code(
        code="ATP420",
        title="the spec cannot be read",
        explanation="The spec file is missing, may not be read, or is not UTF-8 text.",
        bad="",
        good="",
    ),
    Code(
        code="ATP421",
        title="the estimate would be 0 everywhere",
        explanation="`kl` is the distance from the clean run. There it is 0, its smallest "
        "value, so its gradient is 0 too, and a first-order estimate taken at the clean run "
        "says 0 for every node, whatever the node does.\n\n"
        "Take another metric, or patch exactly (`ap`), or take the gradient elsewhere: with "
        "`direction = denoising` it is taken at the corrupted run.",
        bad="metric kl at last\nmethod atp",
        good="metric logit_diff at last\nmethod atp",
    ),
    Code(
        code="ATP422",
        title="pairs without a metric gap",
        explanation="Patching moves a run from one prompt of a pair towards the other. Where "
        "both give the same metric there is no way to go, and every effect of such a pair is "
        "noise around 0. They count in the means all the same, and make them smaller.\n\n"
        "Corrupt something that the answer depends on, and look at `pairs` in `result.json`: "
        "it has the metric of both sides of each.",
        bad="corrupt place -> redraw",
        good="corrupt S2 -> IO",
    ),
    Code(
        code="ATP423",
        title="not enough memory for the activations",
        explanation="Before a run its activations are added up: those of the chosen kinds, for "
        "one batch of pairs at a time, with what the gradients need; and, where the spec has a "
        "`verify`, the other run's activations for all pairs. That was more than is free.\n\n"
        "Neurons take the most. Fewer node kinds, layers or pairs, or a smaller `batch`, make "
        "it less.",
        bad="",
        good="run { batch = 4 }",
    ),
    Code(
        code="ATP424",
        title="out of memory",
        explanation="The run asked for more memory than there was, although it looked as if it "
        "would fit. Nothing was written.\n\n"
        "Before it gives up, a run halves what it does at once, down to a single pair and a "
        "single patched run. Fewer node kinds, shorter prompts or a smaller model need less; "
        "`device = split` spreads a model over several GPUs.",
        bad="",
        good="run { device = split }",
    ),
    Code(
        code="ATP425",
        title="no gap to normalize by",
        explanation="`normalize` divides effects by the mean gap, the mean clean minus the "
        "mean corrupted metric, so that 1 is the whole difference. Here that is rounding, or "
        "less than a hundredth of the pairs' own gaps, because they have different signs and "
        "cancel. What is divided by it would be noise.\n\n"
        "Let the metric be right minus wrong in every pair, or leave `normalize` out.",
        bad="",
        good="",
    ),
    Code(
        code="ATP426",
        title="a sweep where one run is wanted",
        explanation="The spec has several points: it sweeps over values, or has several sets "
        "of prompts. `atpdsl run` runs all of them. In Python, `atpdsl.run` gives one result, "
        "and `atpdsl.sweep` gives those of all points.\n\n"
        'A point is chosen by giving its values, `-p seed=0` or `given={"seed": "0"}`.',
        bad="",
        good="",
    ),
    Code(
        code="ATP427",
        title="a parameter is given twice",
        explanation="`-p name=value` sets a parameter of the spec, once. Several values have "
        "commas between them, `-p seed=0,1`, and make a sweep.",
        bad="",
        good="",
    ),
    Code(
        code="ATP428",
        title="a comparison that cannot be made",
        explanation="`atpdsl compare` patches every node exactly, in every pair, because the "
        "methods are compared with the truth. That takes one forward pass for each node and "
        "pair, which is too long for neurons or whole models; it is said before it begins.\n\n"
        "Choose fewer nodes, layers or pairs, or allow that many with `--most-forwards N`. "
        "There must also be something to compare: nodes from the first differing token on, and "
        "an executor that computes.",
        bad="",
        good="",
    ),
    Code(
        code="ATP429",
        title="more nodes above the threshold than a circuit can have",
        explanation="How many nodes have a score above a threshold is only known after the "
        "run. The circuit is a graph that people look at, so it has the best of them; the "
        "scores of all nodes are in the result.",
        bad="",
        good="",
    ),
    Code(
        code="ATP430",
        title="more memory than the run may take",
        explanation="`run { memory = 4GB }` says what the model's weights and all activations "
        "may take together. Batches, and what is done at once, are cut until the run fits; "
        "here not even the smallest pieces do, so it was not begun.\n\n"
        "Weights do not become smaller, nor what is kept of all pairs for bounds or with "
        "`per_pair`. Half the numbers, `dtype = bfloat16` on the model, are half the memory.",
        bad="",
        good="run { memory = 16GB }",
    ),
    Code(
        code="ATP431",
        title="more time than the run may take",
        explanation="`run { budget = 10min }` says how long the run may take once the model is "
        "loaded. How long it will take is known from a short measurement on this machine and "
        "from earlier runs, within about a quarter. Where fewer nodes may turn out to be "
        "patched than was asked for, the most counts.\n\n"
        "`atpdsl plan` shows which stage takes the time.",
        bad="",
        good="run { budget = 1h }",
    ),
    Code(
        code="ATP432",
        title="no such pass",
        explanation="Passes rewrite the plan of a run so that it does less work for the same "
        "numbers. `--passes` chooses some of them: `none`, `all`, or names with commas between "
        "them. They are applied in an order of their own.",
        bad="",
        good="",
    ),
    Code(
        code="ATP433",
        title="run through the bridge",
        explanation="`executor = auto` takes the native executor, our own forward and "
        "backward, where it knows the model and its logits, activations, gradients and patched "
        "logits agree with TransformerBridge's on a sample. Here it does not, so the plan was "
        "run through the bridge's hooks. The numbers are right; it only takes longer.\n\n"
        "A model changed after loading, or a setting that the native executor has no code for, "
        "is the usual reason.",
        bad="",
        good="",
    ),
    Code(
        code="ATP434",
        title="memory ran out, and the run went on with less at once",
        explanation="Something did not fit into memory, so it was done again in smaller "
        "pieces: patched runs with fewer rows in a call, GradDrop's gradients fewer at a time, "
        "batches with half the pairs. What was finished before was kept, and the numbers are "
        "those of an undisturbed run but for rounding.\n\n"
        "What did not fit was tried in vain, which costs time. The warning says what fitted in "
        "the end; `memory = ...` or `batch = ...` in `run` let the next run begin so.",
        bad="",
        good="run { batch = 4 }",
    ),
    Code(
        code="ATP435",
        title="an operation that is not reproducible",
        explanation="`deterministic = on` refuses every operation that may give other last "
        "bits in another run, because it adds in no fixed order. This model needs one on this "
        "device.\n\n"
        "A run on the CPU is reproducible by itself. Without the setting, runs on a GPU differ "
        "in the last bits only.",
        bad="",
        good="run { device = cpu; deterministic = on }",
    ),
)

_RESULTS = (
    Code(
        code="ATP440",
        title="the folder holds the result of another run",
        explanation="A result is replaced only by a run of the same spec, word by word, on the "
        "same weights. Anything else might cost you a result that you still want.\n\n"
        "`--out DIR` puts the new one elsewhere; `--overwrite` replaces the old one.",
        bad="",
        good="",
    ),
    Code(
        code="ATP441",
        title="the folder holds something else",
        explanation="Results are written to a new or empty folder, or over an older result. A "
        "folder with other things in it is left alone, with `--overwrite` too.",
        bad="",
        good="",
    ),
    Code(
        code="ATP442",
        title="cannot write",
        explanation="The system refused: the disk is full, the folder may not be written to, "
        "or a file stands where a folder should be. What was there before is untouched; a "
        "result appears whole or not at all.",
        bad="",
        good="",
    ),
    Code(
        code="ATP443",
        title="no result there",
        explanation="A result is a folder with `result.json`, `scores.parquet` and "
        "`graph.json`, as `atpdsl run` writes it, by default `runs/NAME` for `NAME.atp`.",
        bad="",
        good="",
    ),
    Code(
        code="ATP444",
        title="the result is damaged",
        explanation="A file of the result is cut off or was changed. `result.json` holds the "
        "SHA-256 of `scores.parquet`, so that scores which do not belong to it are noticed.",
        bad="",
        good="",
    ),
    Code(
        code="ATP445",
        title="the result is of another version",
        explanation="The layout of `result.json` has a version, its `schema`. A layout is only "
        "ever read by the versions of atpdsl that know it: guessing could mislabel numbers.",
        bad="",
        good="",
    ),
    Code(
        code="ATP446",
        title="no such method in the result",
        explanation="A result has the methods of its spec, under the labels given there: "
        "`method atp` is called `atp`, `method fast = atp` is called `fast`.",
        bad="",
        good="",
    ),
)

_EXPORTS = (
    Code(
        code="ATP450",
        title="unknown export format",
        explanation="The suffix of the file says the format, or `--to FORMAT` does. "
        "`atpdsl list exports` shows them.",
        bad="",
        good='export "ioi.csv"',
    ),
    Code(
        code="ATP451",
        title="the file exists already",
        explanation="`atpdsl export` does not replace a file unless told so by `--overwrite`.",
        bad="",
        good="",
    ),
    Code(
        code="ATP452",
        title="the name belongs to the result itself",
        explanation="`result.json`, `scores.parquet` and `graph.json` in a result's folder are "
        "the result; an export may not take their place.",
        bad='export "graph.json"',
        good='export "circuit.json"',
    ),
    Code(
        code="ATP453",
        title="the export leaves the result folder",
        explanation="A spec may come from a stranger, so what it writes stays in the folder of "
        "its result: paths are relative, with `/` between folders, and without `..`.\n\n"
        "`atpdsl export RESULT FILE` writes wherever you say.",
        bad="",
        good='export "tables/ioi.csv"',
    ),
    Code(
        code="ATP454",
        title="a package for this format is not installed",
        explanation="PNG and PDF are drawn by matplotlib, which is installed on demand: "
        '`pip install "atpdsl[plots]"`. SVG is the same figure and needs nothing.',
        bad="",
        good='export "ioi.svg"',
    ),
    Code(
        code="ATP455",
        title="not a graph of EAP-IG",
        explanation="EAP-IG's `Graph.to_json` writes an object with `cfg`, `nodes` and "
        "`edges`, whose names follow from the sizes in `cfg`. This file is missing, cut off, "
        "or something else.",
        bad="",
        good="",
    ),
    Code(
        code="ATP456",
        title="a format of another package does not work",
        explanation="Packages add export formats by the entry point group `atpdsl.exporters`; "
        "each is an `atpdsl.exports.Exporter` with a name and suffixes that no other has. This "
        "one could not be loaded or failed as it wrote. All other formats work as ever.",
        bad="",
        good="",
    ),
    Code(
        code="ATP457",
        title="the format has no place for this result",
        explanation="Some formats hold less than a result does. EAP-IG's graphs have heads and "
        "MLPs only, Neuronpedia's need a node in a layer. A run that has none of these is "
        "exported in another format.",
        bad="",
        good='export "ioi.graphml"',
    ),
)

CODES_RUN = (*_RUNNING, *_RESULTS, *_EXPORTS)
