"""Running every point of a spec, each into a folder of its own, and one table over them."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from atpdsl.checked import Planned, PlannedStudy, settled
from atpdsl.execution import Shelf
from atpdsl.exports.over_points import TABLES, write_over_points
from atpdsl.problems import Problem, RunError
from atpdsl.results import sweep
from atpdsl.results.assemble import included_texts
from atpdsl.results.result import Result
from atpdsl.results.sweep import Sweep, SweepPoint, SweepRecord
from atpdsl.runtime.executor import Progress

# Bytes in a folder's name: well below what file systems take.
LONGEST_NAME = 120
Run = Callable[..., Result]
# A point's number from 1, its rows, and what it failed of.
Told = Callable[[int, SweepPoint, RunError | None], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to run the points.

    Attributes:
        executor: instead of the spec's.
        overwrite: replace what another spec left in the folder.
        told: called when a point is over.
    """

    progress: Progress
    executor: str | None = None
    overwrite: bool = False
    told: Told | None = None


def run_points(planned: PlannedStudy, directory: Path, settings: Settings, run: Run) -> Sweep:
    """Run the points one after the other; the table is written anew after each.

    Raises:
        RunError: when the folder holds something else, or cannot be written.
    """
    begun = _begun(planned)
    _check_free(directory, begun, overwrite=settings.overwrite)
    names = folder_names([point.checked.point for point in planned.points])
    shelf = Shelf()
    points: list[SweepPoint] = []
    for number, (point, name) in enumerate(zip(planned.points, names, strict=True), 1):
        done, error = _run(point, directory / name, settings, run, shelf)
        points.append(done)
        record = replace(begun, points=tuple(points))
        sweep.write(record, directory)
        if settings.told is not None:
            settings.told(number, done, error)
    found = Sweep(record, directory)
    _write_tables(planned, found)
    return found


def _begun(planned: PlannedStudy) -> SweepRecord:
    """The record of a sweep of which no point was run."""
    experiment, _ = settled(planned.points[0].checked)
    return SweepRecord(
        spec=experiment.name,
        text=planned.study.source.text,
        included=included_texts(planned.study.source),
        given=dict(experiment.given),
        variables=planned.study.program.variables,
        points=(),
        of=len(planned.points),
    )


def _write_tables(planned: PlannedStudy, found: Sweep) -> None:
    """Exported tables that have the same name at every point, over all points."""
    exports = [
        {call.path: call.format for call in settled(point.checked)[0].exports}
        for point in planned.points
    ]
    done = [point for point in found.record.points if point.done]
    for path, form in exports[0].items():
        everywhere = all(each.get(path) == form for each in exports)
        if done and everywhere and form in TABLES and path not in sweep.RESERVED:
            results = (
                (point.values, Result.load(found.directory / point.folder)) for point in done
            )
            write_over_points(results, found.directory / path, form)


def _run(
    point: Planned, folder: Path, settings: Settings, run: Run, shelf: Shelf
) -> tuple[SweepPoint, RunError | None]:
    values = dict(point.checked.point)
    try:
        result = run(
            point,
            out=folder,
            progress=settings.progress,
            executor=settings.executor,
            overwrite=True,
            shelf=shelf,
        )
    except RunError as error:
        experiment, _ = settled(point.checked)
        labels = tuple(call.label for call in experiment.methods)
        rows = sweep.failure(labels, error)
        return SweepPoint(values=values, folder=folder.name, rows=rows), error
    return SweepPoint(values=values, folder=folder.name, rows=sweep.describe(result)), None


def _check_free(directory: Path, wanted: SweepRecord, *, overwrite: bool) -> None:
    """Make sure that nothing else is in the sweep's folder; an old sweep's points go away."""
    if not directory.exists() or (directory.is_dir() and not any(directory.iterdir())):
        return
    if not sweep.is_sweep(directory):
        raise _in_the_way(f"`{directory}` holds something else than a sweep", "")
    record = Sweep.load(directory).record
    other = _what_differs(record, wanted)
    if other and not overwrite:
        message = f"`{directory}` holds the sweep of {other}"
        raise _in_the_way(message, ", or replace it with `--overwrite`")
    for point in record.points:
        # A name with a separator in it is none that we gave.
        if Path(point.folder).name == point.folder and point.folder not in ("", ".", ".."):
            shutil.rmtree(directory / point.folder, ignore_errors=True)


def _what_differs(found: SweepRecord, wanted: SweepRecord) -> str:
    """What an old sweep is of, if it is not of the same; "" if it is."""
    if found.text != wanted.text:
        return "another version of the spec"
    same = found.included == wanted.included and found.given == wanted.given
    return "" if same else "other parameters or included files"


def _in_the_way(message: str, more: str) -> RunError:
    advice = f"choose another folder with `--out DIR`{more}"
    return RunError([Problem(code="ATP440", message=message, help=advice)])


def folder_names(points: list[tuple[tuple[str, str], ...]]) -> tuple[str, ...]:
    """A folder name for each point, made of its values: `size=70m,seed=0`."""
    names: list[str] = []
    # Some file systems take `A` and `a` for the same.
    taken: Counter[str] = Counter()
    for values in points:
        text = ",".join(f"{name}={value}" for name, value in values)
        name = re.sub(r"[^\w.=,+-]+", "_", text).strip("._")
        name = name.encode()[:LONGEST_NAME].decode(errors="ignore") or "point"
        taken[name.casefold()] += 1
        number = taken[name.casefold()]
        names.append(name if number == 1 else f"{name}~{number}")
    return tuple(names)
