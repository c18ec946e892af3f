"""The data files that examples of specs name."""

from __future__ import annotations

from pathlib import Path

HEADER = "clean,corrupted,right,wrong\n"
PAIR = "Mary went to the,John went to the,store,park\n"
OBJECT = '{"clean": "Mary went to the", "corrupted": "John went to the"}\n'
FILES = {
    "names.txt": "Mary\nJohn\nTom\n",
    "pairs.csv": HEADER + PAIR,
    "empty.csv": HEADER,
    "short.csv": f"{HEADER}{PAIR}Mary went to the\n",
    "cities/train.jsonl": OBJECT,
    "cities/validation.jsonl": OBJECT,
}


def write_files(folder: Path) -> None:
    """Puts the files into a folder."""
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
