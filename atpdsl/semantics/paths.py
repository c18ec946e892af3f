"""Which paths a spec may name: files below its own folder, or below the result's."""

from __future__ import annotations

import re

LONGEST_PATH = 240


def objection(path: str) -> str:
    """Why a spec may not name a path; "" if it may."""
    parts = path.split("/")
    if not path.strip() or path.endswith("/"):
        return "it names no file"
    if any(not character.isprintable() for character in path):
        return "it holds a character that cannot be seen"
    if "\\" in path:
        return "it has a `\\`; folders are separated by `/`"
    if path.startswith("/") or re.match(r"[A-Za-z]:", path):
        return "it does not start here"
    if path.startswith("~"):
        return "`~` is another folder"
    if ".." in parts:
        return "`..` leads out of the folder"
    if len(path) > LONGEST_PATH:
        return f"it has more than {LONGEST_PATH} characters"
    return ""
