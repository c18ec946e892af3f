"""Running every point of a spec, each into a folder of its own, and one table over them."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from atpdsl.checked import Planned, PlannedStudy, settled
from atpdsl.execution import Shelf
from atpdsl.exports.over_points import TABLES, write_over_points
from atpdsl.problems import Problem, RunError
from atpdsl.results import sweep
from atpdsl.results.assemble import included_texts, versions
from atpdsl.results.directory import is_result
from atpdsl.results.document import dumps
from atpdsl.results.result import Result
from atpdsl.results.sweep import Sweep, SweepPoint, SweepRecord
from atpdsl.results.sweep_rows import describe, failure
from atpdsl.runtime.executor import Progress

# Bytes in a folder's name: well below what file systems take.
LONGEST_NAME = 120
Run = Callable[..., Result]
# A point's number from 1, its rows, what it failed of, and whether it was done before.
Told = Callable[[int, SweepPoint, RunError | None, bool], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to run the points.

    Attributes:
        executor: instead of the spec's.
        overwrite: replace what another spec left in the folder, and keep no point.
        told: called when a point is over.
    """

    progress: Progress
    executor: str | None = None
    overwrite: bool = False
    told: Told | None = None


def run_points(planned: PlannedStudy, directory: Path, settings: Settings, run: Run) -> Sweep:
    """Run the points one after the other; the table is written anew after each.

    Points that were done before, of the same spec, prompts, model and software, are kept.

    Raises:
        RunError: when the folder holds something else, or cannot be written.
    """
    begun = _begun(planned)
    names = folder_names([point.checked.point for point in planned.points])
    prints = [_fingerprint(begun, point, settings.executor) for point in planned.points]
    kept = _kept(directory, begun, dict(zip(names, prints, strict=True)), settings)
    shelf = Shelf()
    points: list[SweepPoint] = []
    for number, (point, name) in enumerate(zip(planned.points, names, strict=True), 1):
        error = None
        if name in kept:
            points.append(kept[name])
        else:
            made, error = _run(point, directory / name, settings, run, shelf)
            points.append(replace(made, made_of=prints[number - 1]))
        later = (kept[other] for other in names[number:] if other in kept)
        record = replace(begun, points=(*points, *later))
        sweep.write(record, directory)
        if settings.told is not None:
            settings.told(number, points[-1], error, name in kept)
    found = Sweep(record, directory)
    _write_tables(planned, found)
    return found


def _fingerprint(begun: SweepRecord, point: Planned, executor: str | None) -> str:
    """The SHA-256 of everything that a point's numbers are made from."""
    experiment, files = settled(point.checked)
    tokens = [
        (p.clean, p.corrupted, p.answers, p.foils, dict(p.positions), p.partner, p.sets)
        for p in point.plan.bound.pairs.pairs
    ]
    parts = (
        (begun.text, begun.included, begun.given, dict(point.checked.point), tokens),
        (files.weights_digest(), files.tokenizer_digest(), versions()),
        executor or experiment.run.executor,
    )
    return hashlib.sha256(dumps(parts).encode()).hexdigest()


def _kept(
    directory: Path, begun: SweepRecord, prints: Mapping[str, str], settings: Settings
) -> dict[str, SweepPoint]:
    """The points that need not be run again, by their folders; what is of no use goes away.

    Args:
        directory: of the sweep.
        begun: the sweep.
        prints: what each point is made of, by its folder.
        settings: how to run it.

    Raises:
        RunError: when something else is in the folder.
    """
    kept: dict[str, SweepPoint] = {}
    for point in _old_points(directory, begun, overwrite=settings.overwrite):
        # A name with a separator in it is none that we gave.
        if Path(point.folder).name != point.folder or point.folder in ("", ".", ".."):
            continue
        same = point.done and point.made_of == prints.get(point.folder)
        if same and not settings.overwrite and is_result(directory / point.folder):
            kept[point.folder] = point
        elif point.folder not in prints:
            shutil.rmtree(directory / point.folder, ignore_errors=True)
    return kept


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
        rows = failure(labels, error)
        return SweepPoint(values=values, folder=folder.name, rows=rows), error
    unmet = tuple(one.text for one in result.record.unmet)
    rows = describe(result)
    return SweepPoint(values=values, folder=folder.name, rows=rows, unmet=unmet), None


def _old_points(
    directory: Path, wanted: SweepRecord, *, overwrite: bool
) -> tuple[SweepPoint, ...]:
    """The points that an old sweep left; nothing but such a one may be in the folder."""
    if not directory.exists() or (directory.is_dir() and not any(directory.iterdir())):
        return ()
    if not sweep.is_sweep(directory):
        raise _in_the_way(f"`{directory}` holds something else than a sweep", "")
    try:
        record = Sweep.load(directory).record
    except RunError:
        if overwrite:
            return ()
        raise
    other = _what_differs(record, wanted)
    if other and not overwrite:
        message = f"`{directory}` holds the sweep of {other}"
        raise _in_the_way(message, ", or replace it with `--overwrite`")
    return record.points


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
