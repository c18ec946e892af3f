"""A declarative language and compiler for circuit discovery in transformer language models.

`run` is the main entry: a spec file in, a `Result` out. Nothing here imports torch before a
model is loaded.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from atpdsl.problems import Problem, RunError, SpecError

if TYPE_CHECKING:
    from atpdsl.checked import Checked, Planned
    from atpdsl.results.result import Result

__version__ = "0.1.0"

__all__ = ["Problem", "RunError", "SpecError", "check", "load", "plan", "run"]


def check(spec: str | Path) -> Checked:
    """Everything that can be known of a spec without running a model.

    Raises:
        SpecError: when the file cannot be read; its own mistakes are in `.problems`.
    """
    from atpdsl import driver

    return driver.check(Path(spec))


def plan(spec: str | Path) -> Planned:
    """The plan of a spec: `.rows()` for its cost, `.to_networkx()` for its operations.

    Raises:
        SpecError: when the spec has errors.
    """
    from atpdsl import driver

    return driver.plan(Path(spec))


def run(spec: str | Path, *, out: str | Path | None = None, overwrite: bool = False) -> Result:
    """Run a spec: `.scores` (DataFrame), `.graph` (networkx), `.top(20)`.

    Args:
        spec: the spec file.
        out: the result directory; `runs/<spec name>` in the current folder if not given.
        overwrite: replace the result of another spec.

    Raises:
        SpecError: when the spec has errors.
        RunError: when it cannot be run or the result cannot be written.
    """
    from atpdsl import driver

    folder = None if out is None else Path(out)
    return driver.run(Path(spec), out=folder, overwrite=overwrite)


def load(directory: str | Path) -> Result:
    """A result that was saved before.

    Raises:
        RunError: when there is none, or it is damaged.
    """
    from atpdsl.results.result import Result

    return Result.load(Path(directory))
