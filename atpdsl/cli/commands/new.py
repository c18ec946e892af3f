"""`atpdsl new`."""

from __future__ import annotations

import argparse
from pathlib import Path

from atpdsl.cli.failures import DONE, FAILED, USAGE
from atpdsl.cli.starter import starter
from atpdsl.cli.terminal import facts, say, show, tell, word
from atpdsl.problems import Problem, RunError
from atpdsl.problems.clean import clean
from atpdsl.reference.task_files import LibraryFile, tasks
from atpdsl.registry import closest
from atpdsl.semantics.resolve import experiment_name


def new(chosen: argparse.Namespace) -> int:
    """Write a commented spec, never over a file that is there."""
    path = _spec_file(chosen.file)
    known = {task.name: task for task in tasks()}
    task = None if chosen.task is None else known.get(chosen.task.removeprefix("lib:"))
    if chosen.task is not None and task is None:
        meant = closest(chosen.task, known)
        advice = f"did you mean `{meant}`?" if meant else f"there are {', '.join(known)}"
        tell(f"atpdsl new: the library has no task `{clean(chosen.task)}`; {advice}")
        return USAGE
    if path.exists():
        tell(f"atpdsl new: `{clean(str(path))}` is there already; give another name")
        return FAILED
    _write(path, starter(experiment_name(path.name), chosen.model, task))
    say(f"{clean(str(path))} is written{_about(task)}")
    show(
        facts(
            (
                ("next", f"atpdsl check {word(path)}"),
                ("then", f"atpdsl run {word(path)}"),
            )
        )
    )
    return DONE


def _spec_file(path: Path) -> Path:
    """The path with the ending of specs, if it has none."""
    return path if path.suffix == ".atp" else path.with_name(f"{path.name}.atp")


def _about(task: LibraryFile | None) -> str:
    return "" if task is None else f", with prompts of `lib:{task.name}`"


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        message = f"cannot write `{path}`: {error.strerror or error}"
        advice = "check the folder, its permissions and space"
        raise RunError([Problem(code="ATP442", message=message, help=advice)]) from error
