"""The long texts of problem codes as files that an editor can open."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from atpdsl.problems.codes import CODES
from atpdsl.syntax.grammar import cache_directory

FOLDER = "explain"


def explanation_file(code: str) -> Path | None:
    """A Markdown file that explains a code; None where none can be written."""
    if code not in CODES:
        return None
    folder = cache_directory() / FOLDER / metadata.version("atpdsl")
    path = folder / f"{code}.md"
    try:
        text = explanation(code)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError:
        return None
    return path


def explanation(code: str) -> str:
    """What a code means, in Markdown, with a spec that has the problem and one that has not."""
    found = CODES[code]
    parts = [f"# {code}: {found.title}", found.explanation]
    if found.bad:
        parts.append(f"Not like this:\n\n```atp\n{found.bad.strip()}\n```")
    if found.good:
        parts.append(f"Like this:\n\n```atp\n{found.good.strip()}\n```")
    return "\n\n".join(parts) + "\n"
