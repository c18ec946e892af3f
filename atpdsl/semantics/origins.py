"""What words of slots and pairs of prompts can be read from: one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from atpdsl.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A call that stands after `in` of a slot, or after `from` of a set of prompts.

    Attributes:
        gives: what is read: the words of a slot, or pairs of prompts.
        call: how it is written.
    """

    name: str
    gives: Literal["words", "pairs"]
    call: str
    doc: str


LINES = Origin(
    name="lines",
    gives="words",
    call='lines("words.txt")',
    doc="a file with a word per line",
)
TABLE = Origin(
    name="table",
    gives="words",
    call='table(["France", "Paris"], ["Italy", "Rome"])',
    doc="rows of words that belong together, a word for each name of the line",
)
CSV = Origin(
    name="csv", gives="pairs", call='csv("pairs.csv")', doc="a CSV file with a header line"
)
JSONL = Origin(
    name="jsonl",
    gives="pairs",
    call='jsonl("pairs.jsonl")',
    doc="a JSON object per line; `row.a.b` is the part `b` of the object `a`",
)
HF = Origin(
    name="hf",
    gives="pairs",
    call='hf("./folder")',
    doc="a Hugging Face data set, saved in a folder or in the local cache",
)
ORIGINS = Registry("origin", (LINES, TABLE, CSV, JSONL, HF))
WORD_ORIGINS = tuple(origin.name for origin in ORIGINS if origin.gives == "words")
PAIR_ORIGINS = tuple(origin.name for origin in ORIGINS if origin.gives == "pairs")
