"""`%%atp`: a cell that is a spec. Needs IPython (`pip install "atpdsl[notebook]"`)."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, magics_class
from IPython.display import clear_output, display

from atpdsl import driver
from atpdsl.checked import PlannedStudy, Study
from atpdsl.cli.terminal import choose_progress
from atpdsl.execution import Shelf, execute
from atpdsl.notebook.options import HelpError, Options, read
from atpdsl.notebook.problems import problem_bundle
from atpdsl.problems import Problem, RunError, Source, SpecError
from atpdsl.results.progress import NoProgress, PlainProgress, Progress

if TYPE_CHECKING:
    from atpdsl.results.result import Result
    from atpdsl.results.sweep import Sweep

# What a spec is called whose result has no name.
UNNAMED = "cell"


@magics_class
class AtpMagics(Magics):  # type: ignore[misc]
    """The magic of atpdsl. A model that was loaded is kept for the next cell that wants it."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self._shelf = Shelf()

    @line_cell_magic  # type: ignore[untyped-decorator]
    def atp(self, line: str, cell: str | None = None) -> Result | Sweep | Study | None:
        """Run the cell, or a file, as a spec. Problems are shown, nothing is raised."""
        named = ""
        try:
            options = read(line, cell=cell is not None)
            named = options.name if cell is not None else ""
            with warnings.catch_warnings():
                # Of tqdm, which libraries import and nothing here shows.
                warnings.filterwarnings("ignore", message="IProgress not found")
                found = self._answer(options, cell)
        except HelpError as help_text:
            sys.stdout.write(str(help_text))
            return None
        except (SpecError, RunError) as error:
            # A result of an earlier version of the cell must not pass for this one's.
            self.shell.user_ns.pop(named, None)
            _show_problems(error.problems, error.source)
            return None
        if named:
            self.shell.user_ns[named] = found
        return found

    def _answer(self, options: Options, cell: str | None) -> Result | Sweep | Study:
        study = _study(options, cell)
        if options.check:
            if study.problems:
                _show_problems(study.problems, study.source)
            return study
        planned = driver.plan_study(study)
        found = self._run(planned, options)
        if self._draws and not options.quiet:
            clear_output(wait=True)
        if study.warnings:
            _show_problems(study.warnings, study.source)
        return found

    def _run(self, planned: PlannedStudy, options: Options) -> Result | Sweep:
        progress = self._progress(options)
        if len(planned.points) > 1:
            if options.out is None:
                raise _needs_folder(planned)
            return driver.sweep(
                planned, out=options.out, progress=progress, overwrite=options.overwrite
            )
        point = planned.only()
        if options.out is not None:
            return driver.run_planned(
                point,
                out=options.out,
                progress=progress,
                overwrite=options.overwrite,
                shelf=self._shelf,
            )
        experiment = point.checked.experiment
        name = "auto" if experiment is None else experiment.run.executor
        try:
            return execute(point, name, progress, self._shelf)
        except RunError as error:
            raise RunError(error.problems, point.checked.source) from error

    @property
    def _draws(self) -> bool:
        """Whether there is a notebook, whose cells have an output that can be cleared."""
        return hasattr(self.shell, "kernel")

    def _progress(self, options: Options) -> Progress:
        if options.quiet:
            return NoProgress()
        return PlainProgress(stream=sys.stderr) if self._draws else choose_progress(quiet=False)


def _study(options: Options, cell: str | None) -> Study:
    """The spec of a cell, whose paths count from the current folder, or of a file."""
    if cell is None:
        return driver.check(Path(options.name), options.access)
    source = Source(f"{options.name or UNNAMED}.atp", cell)
    return driver.check_source(source, Path.cwd(), options.access)


def _needs_folder(planned: PlannedStudy) -> RunError:
    message = f"the spec has {len(planned.points)} points, whose results need a folder"
    advice = "say where: `--out runs/sweep`"
    return RunError([Problem(code="ATP463", message=message, help=advice)])


def _show_problems(problems: Iterable[Problem], source: Source | None) -> None:
    display(problem_bundle(problems, source), raw=True)
