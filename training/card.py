"""The model card beside shipped weights, written from their `eval.json`.

python -m training.card atpdsl/embedded/tiny
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training.evaluate import Score, table

SUMMARIES: Mapping[str, str] = {
    "tiny": "GPT-2 format: 4 layers, width 128, 4 heads. Does the sentence tasks below.",
    "induction": "GPT-2 format: 2 layers, width 128, 4 heads, attention only (each MLP has one "
    "neuron\nwhose weights are zero). Repeats random words; knows no sentences.",
    "tiny-llama": "Llama format: 4 layers, width 128, 4 query heads over 2 key-value heads, "
    "rotary positions,\nRMSNorm, gated MLPs. Same texts and tokenizer as `tiny`; made for "
    "tests.",
}
LEGENDS: Mapping[str, str] = {
    "tiny": "sentences",
    "induction": "repeats",
    "tiny-llama": "sentences",
}
LEGEND: Mapping[str, str] = {
    "sentences": """\
A pair is right when every right word is likelier than every wrong one; for greater-than, when
the later years are likelier together than the others. `margin` is the mean difference of logits
between right and wrong words (of probability for greater-than), `top-1` the share of prompts
whose likeliest next word is right, and `seen` the prompts that are in the training texts word
for word. (Three verbs agree equally well with a subject, so `top-1` of agreement is about a
third.) Capitals, agreement and series are memorised by design; the `held-out` rows are IOI in
sentence frames that no training text has.""",
    "repeats": """\
The share of next words that are the likeliest, over the second half of 20 random words said
twice, past its first word.""",
}
CARD = """\
---
license: mit
language: en
library_name: transformers
pipeline_tag: text-generation
---

# {name}

{summary}

Made for circuit discovery on a laptop and in tests: it is small, its tasks are known, and it
loads with the code that loads `gpt2`. It is not a language model for anything else.

- Data: synthetic text from `training/corpus.py` and nothing else.
- Made by `python -m training.train {name} --seeds {seed}`: {steps} steps, {cpu_minutes} CPU
  minutes on one thread with torch {torch} and transformers {transformers}.
  Seeds that failed the gate before: {failed}.
- Weights are stored in 16 bits and load as 32-bit floats.
- The tokenizer adds no token of its own; put `<|endoftext|>` (id 0) first, as in training.
- Context: 64 tokens.

## Measured

`python -m training.evaluate atpdsl/embedded/{name} --pairs {pairs} --seed {evaluation_seed}`

{table}

{legend}

## Limits

Words that are not in `training/corpus.py` are read byte by byte and mean nothing to the model;
prompts of other shapes than those in `training/README.md` are not covered by the table.
"""


def model_card(facts: Mapping[str, Any]) -> str:
    """The card of one shipped model, from what its `eval.json` says."""
    name = facts["model"]
    evaluation = facts["evaluation"]
    scores = {task: Score(**score) for task, score in evaluation["tasks"].items()}
    return CARD.format(
        name=name,
        summary=SUMMARIES[name],
        seed=facts["seed"],
        steps=facts["steps"],
        cpu_minutes=facts["cpu_minutes"],
        torch=facts["torch"],
        transformers=facts["transformers"],
        failed=", ".join(map(str, facts["failed_seeds"])) or "none",
        pairs=evaluation["pairs"],
        evaluation_seed=evaluation["seed"],
        table=table(scores, name),
        legend=LEGEND[LEGENDS[name]],
    )


def write_card(directory: Path) -> None:
    """Writes `README.md` beside `eval.json`."""
    facts = json.loads((directory / "eval.json").read_text())
    (directory / "README.md").write_text(model_card(facts))


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        write_card(Path(argument))
