"""Which paths a spec may name: files of its project, or files below the result's folder."""

from __future__ import annotations

import re
from pathlib import Path

LONGEST_PATH = 240
PROJECT_MARKS = (".git", "pyproject.toml", "atpdsl.toml")


def project_root(folder: Path) -> Path:
    """The folder of the project that a folder belongs to; itself if it belongs to none."""
    folder = folder.resolve()
    for candidate in (folder, *folder.parents):
        if any((candidate / mark).exists() for mark in PROJECT_MARKS):
            return candidate
    return folder


def in_project(path: str, folder: Path) -> bool:
    """Whether a path, which counts from a folder, lies in the project of that folder."""
    try:
        return (folder / path).resolve().is_relative_to(project_root(folder))
    except (OSError, RuntimeError, ValueError):
        return False


def objection(path: str, *, parents: bool = False, folder: Path | None = None) -> str:
    """Why a spec may not name a path; "" if it may.

    Args:
        path: as it is written.
        parents: whether `..` may stand in it, wherever that leads.
        folder: from which it counts, where `..` may stand in it if it stays in the project.
    """
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
    if ".." in parts and not parents and not (folder and in_project(path, folder)):
        return "`..` leads out of the folder"
    if len(path) > LONGEST_PATH:
        return f"it has more than {LONGEST_PATH} characters"
    return ""


def why_unreadable(error: OSError) -> str:
    """What keeps a file from being read, in plain words."""
    match error:
        case FileNotFoundError():
            return "there is no such file"
        case IsADirectoryError():
            return "it is a folder"
        case PermissionError():
            return "you are not allowed to read it"
        case _:
            return (error.strerror or str(error)).lower()
