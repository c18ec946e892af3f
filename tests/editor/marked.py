"""Texts with a place in them, marked with `|`."""

from __future__ import annotations

from pathlib import Path

from atpdsl.checking import Access, check_source
from atpdsl.editor.collect import names_of
from atpdsl.editor.completion import Around, complete
from atpdsl.editor.items import Item
from atpdsl.problems import Source

SPEC = """\
atp 1

model "tiny"

prompts ioi {
  template "When {IO} and {S} went to the {place}, {S as S2} gave a {object} to"
  slot IO, S   in ["Mary", "John", "Tom", "Anna"]
  slot place   in ["store", "garden"]
  slot object  in ["drink", "ring"]
  corrupt S2 -> IO
  answer " {IO}" vs " {S}"
  pos verb = S2 + 1
  count = 4
}

metric logit_diff at last
nodes {
  heads.z at S2, last
  mlp at every
}
method fast = atp
method ap
verify { top = 5; random = 5; method = fast }
export "ioi.graphml"
"""


def marked(text: str) -> tuple[str, int]:
    """A text without its first `|`, and where that was."""
    offset = text.index("|")
    return text[:offset] + text[offset + 1 :], offset


def in_spec(old: str, new: str) -> str:
    """The spec with a piece of it changed."""
    assert old in SPEC
    return SPEC.replace(old, new, 1)


def items(text: str, folder: Path | None = None) -> tuple[Item, ...]:
    """What completion offers at the mark."""
    plain, offset = marked(text)
    return complete(plain, offset, Around(names=names_of(plain, folder), folder=folder)).items


def labels(text: str, folder: Path | None = None) -> list[str]:
    """The labels of what completion offers at the mark."""
    return [item.label for item in items(text, folder)]


def study_of(text: str, base: Path | None = None):
    """What is known of a text."""
    return check_source(Source("spec.atp", text), base or Path.cwd(), Access(offline=True))
