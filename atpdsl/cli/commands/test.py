"""`atpdsl test`."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from atpdsl.cli.access import access
from atpdsl.cli.failures import DONE, FAILED, SPEC, USAGE
from atpdsl.cli.junit import junit
from atpdsl.cli.terminal import (
    choose_progress,
    count,
    say_json,
    show,
    tell,
    tell_problems,
)
from atpdsl.cli.testing import Case, Outcome, Suite, judged
from atpdsl.problems import RunError, Source, SpecError
from atpdsl.problems.clean import clean
from atpdsl.registry import closest
from atpdsl.results.directory import RESULT, write_file
from atpdsl.results.progress import duration
from atpdsl.results.result import Result
from atpdsl.results.sweep import SWEEP, Sweep, is_sweep

if TYPE_CHECKING:
    from rich.console import RenderableType

    from atpdsl.checked import PlannedStudy
    from atpdsl.execution import Shelf

SUFFIX = ".atp"


def test(chosen: argparse.Namespace) -> int:
    """Judge results by what their specs expect; specs are run first."""
    if _unknown_executor(chosen):
        return USAGE
    suites: list[Suite] = []
    codes = [DONE]
    for suite, code in _suites(chosen):
        suites.append(suite)
        codes.append(code)
        if not chosen.json and not (chosen.quiet and suite.ok):
            show(*_lines(suite, only_failed=chosen.quiet))
    if chosen.junit is not None:
        write_file(chosen.junit, junit(suites))
    if chosen.json:
        say_json("atpdsl/test/1", **_document(suites))
    else:
        show(_summary(suites))
    return _code(suites, codes)


def _unknown_executor(chosen: argparse.Namespace) -> bool:
    from atpdsl.runtime.executor import EXECUTORS

    name = chosen.executor
    if name is None or name in EXECUTORS:
        return False
    meant = closest(name, EXECUTORS.names)
    known = f"did you mean `{meant}`?" if meant else f"there are {', '.join(EXECUTORS.names)}"
    tell(f"atpdsl test: no executor is called `{clean(name)}`; {known}")
    return True


def _code(suites: Sequence[Suite], codes: Sequence[int]) -> int:
    """3 where a run failed; 1 where something is not fulfilled, or nothing was tested."""
    if FAILED in codes:
        return FAILED
    tested = any(suite.cases for suite in suites)
    return DONE if tested and all(suite.ok for suite in suites) else max(SPEC, *codes)


# ---- what is tested ----


def _suites(chosen: argparse.Namespace) -> Iterator[tuple[Suite, int]]:
    """Every result that there is or that is made, one after the other, with an exit code."""
    from atpdsl.execution import Shelf

    shelf = Shelf()
    for subject in chosen.subjects:
        for path in _in_folder(subject):
            try:
                if path.suffix == SUFFIX and not path.is_dir():
                    yield from _run(path, chosen, shelf)
                else:
                    yield from ((suite, DONE) for suite in _of_results(path))
            except (RunError, SpecError) as error:
                yield _failed(path, error, json=chosen.json)


def _in_folder(subject: Path) -> Sequence[Path]:
    """A folder of specs stands for these, unless it is a result."""
    if not subject.is_dir() or any((subject / name).is_file() for name in (RESULT, SWEEP)):
        return [subject]
    return sorted(subject.glob(f"*{SUFFIX}")) or [subject]


def _of_results(path: Path) -> Iterator[Suite]:
    """A result, or all of a sweep."""
    name = str(path)
    if not is_sweep(path):
        yield judged(Result.load(path).record, name)
        return
    sweep = Sweep.load(path)
    for result in sweep:
        yield judged(result.record, name)
    missing = sweep.record.of - len(sweep.record.points) + len(sweep.failed)
    if missing:
        tell(f"{clean(name)}: {count(missing, 'point')} without a result")


def _run(path: Path, chosen: argparse.Namespace, shelf: Shelf) -> Iterator[tuple[Suite, int]]:
    """Run a spec at all of its points."""
    from atpdsl import driver

    study = driver.plan(path, access(chosen), executor=chosen.executor)
    if study.study.warnings and not chosen.json:
        tell_problems(study.study.warnings, study.study.source, json=False)
    with _kept(chosen.out, path) as folder:
        for number, planned in enumerate(study.points, start=1):
            if len(study.points) > 1 and not chosen.quiet:
                tell(f"{clean(str(path))}: point {number} of {len(study.points)}")
            try:
                result = driver.run_planned(
                    planned,
                    out=_place(folder, study, number),
                    progress=choose_progress(quiet=chosen.quiet),
                    executor=chosen.executor,
                    overwrite=chosen.overwrite,
                    shelf=shelf,
                )
            except RunError as error:
                yield _failed(path, error, point=planned.checked.point, json=chosen.json)
            else:
                yield judged(result.record, str(path)), DONE


@contextmanager
def _kept(out: Path | None, spec: Path) -> Iterator[Path]:
    """The folder for the results of a spec; one that goes away where none is wanted."""
    if out is not None:
        yield out / spec.stem
        return
    with tempfile.TemporaryDirectory(prefix="atpdsl-test-") as folder:
        yield Path(folder) / spec.stem


def _place(folder: Path, study: PlannedStudy, number: int) -> Path:
    from atpdsl.sweeping import folder_names

    if len(study.points) == 1:
        return folder
    return folder / folder_names([one.checked.point for one in study.points])[number - 1]


def _failed(
    path: Path,
    error: RunError | SpecError,
    *,
    point: tuple[tuple[str, str], ...] = (),
    json: bool,
) -> tuple[Suite, int]:
    """What there is no result of; the reason is told at once."""
    source: Source | None = error.source
    if not json:
        tell_problems(error.problems, source, json=False)
    suite = Suite(
        name=path.stem, subject=str(path), point=point, problems=tuple(error.problems)
    )
    return suite, FAILED if isinstance(error, RunError) else SPEC


# ---- what is said ----

_MARKS = {
    Outcome.HOLDS: ("ok", "green"),
    Outcome.FAILS: ("FAIL", "bold red"),
    Outcome.UNDECIDED: ("?", "bold yellow"),
}


def _lines(suite: Suite, *, only_failed: bool) -> Iterator[RenderableType]:
    from rich.text import Text

    yield Text(clean(suite.title), style="bold")
    if suite.problems:
        codes = ", ".join(dict.fromkeys(one.code for one in suite.problems))
        yield Text.assemble("  ", ("ERROR", "bold red"), f" no result: {clean(codes)}")
    elif not suite.cases:
        yield Text("  -     no `expect` in it", style="dim")
    for case in suite.cases:
        if not only_failed or case.outcome is not Outcome.HOLDS:
            yield from _case_lines(case)


def _case_lines(case: Case) -> Iterator[RenderableType]:
    """The line, and where it does not hold what was found."""
    from rich.padding import Padding
    from rich.text import Text

    mark, style = _MARKS[case.outcome]
    yield Text.assemble("  ", (f"{mark:<5}", style), " ", clean(case.text))
    if case.outcome is not Outcome.HOLDS:
        why = "cannot be decided: " if case.outcome is Outcome.UNDECIDED else ""
        yield Padding(Text(why + clean(case.detail), style="dim"), (0, 0, 0, 8))


def _summary(suites: Sequence[Suite]) -> str:
    cases = [case for suite in suites for case in suite.cases]
    held = sum(case.outcome is Outcome.HOLDS for case in cases)
    runs = count(len(suites), "run")
    took = duration(sum(suite.seconds for suite in suites))
    errors = sum(bool(suite.problems) for suite in suites)
    more = f", {errors} without a result" if errors else ""
    if not cases:
        return f"nothing was tested: {runs} without an expectation{more}"
    return f"{held:,} of {len(cases):,} hold, in {runs}, {took}{more}"


def _document(suites: Sequence[Suite]) -> dict[str, object]:
    from atpdsl.problems import render

    return {
        "ok": all(suite.ok for suite in suites),
        "suites": [
            {
                "name": suite.name,
                "subject": suite.subject,
                "point": dict(suite.point),
                "ok": suite.ok,
                "seconds": suite.seconds,
                "cases": suite.cases,
                "problems": render.as_json(suite.problems, None),
            }
            for suite in suites
        ],
    }
