"""The text of a new spec."""

from __future__ import annotations

from atpdsl.reference.task_files import LibraryFile

HEAD = """\
atp 1

## What you want to know, in a sentence; it is kept with the result.

# An embedded model, one made ready by `atpdsl model add`, a folder, or a Hugging Face id.
model "{model}"
"""
PROMPTS = """\
# Pairs of a clean and a corrupted prompt. Words in braces are slots, filled from their lists;
# `{S as S2}` also names the place.
prompts {
  template "When {IO} and {S} went to the {place}, {S as S2} gave a {object} to"
  slot IO, S  in ["Mary", "John", "Tom", "Anna"]
  slot place  in ["store", "garden", "school"]
  slot object in ["drink", "ring", "book"]

  # What is different in the corrupted prompt: the other name stands at S2.
  corrupt S2 -> IO

  # What should come next, and after `vs` what should not: one token each.
  answer " {IO}" vs " {S}"

  count = 16
}
"""
TASK = """\
# Prompts from the library: `atpdsl docs lib:{task}` says what is in it.
include "lib:{task}"

prompts from {prompts} {{ count = 16 }}
"""
REST = """\
# One number per pair. Effects are differences of it; `atpdsl docs metrics` names others.
metric {metric}

# The nodes whose effect is wanted. There is a node for each head, layer and place; places are
# `last`, names from the prompts, or `every` for all tokens. More kinds: `atpdsl docs nodes`.
nodes {{
  heads.z at {places}
  mlp     at {places}
}}

# `atp` estimates all effects from one backward pass, `atp*` corrects where that goes wrong, and
# `ap` measures each effect with a run of its own.
method atp

# Exact effects of the best nodes of the estimate, and of others drawn at random: how far can
# the estimate be trusted?
verify {{ top = 10; random = 10 }}

# Files to write beside the result: a graph to draw, and a table.
export "{name}.graphml", "{name}.csv"
"""


def starter(name: str, model: str, task: LibraryFile | None) -> str:
    """A commented spec that can be run as it is.

    Args:
        name: what its exports are called.
        model: as it is to be written, in quotes.
        task: where its prompts come from; prompts of its own for None.
    """
    prompts = PROMPTS if task is None else TASK.format(task=task.name, prompts=task.main)
    metric = "logit_diff at last" if task is None else task.metric
    places = "S2, last" if task is None else "last"
    return "\n".join(
        (
            HEAD.format(model=_escaped(model)),
            prompts,
            REST.format(metric=metric, places=places, name=name),
        )
    )


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
