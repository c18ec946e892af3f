"""The whole pipeline, command by command: check, plan, run, sweep over points, compare methods.

Up to and including the plan nothing imports torch.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from atpdsl.binding.bind import Bound
from atpdsl.checked import Checked, Planned, PlannedStudy, Study, settled
from atpdsl.checking import Access, check_source, vocabulary
from atpdsl.estimating import measure, setup_of
from atpdsl.execution import Shelf, execute
from atpdsl.methods.lower import lower
from atpdsl.passes import around, optimize
from atpdsl.planning.plan import Plan
from atpdsl.planning.target import target_of
from atpdsl.problems import Problem, RunError, Source, SpecError
from atpdsl.registry import closest
from atpdsl.runtime.executor import Progress, Silent
from atpdsl.semantics.paths import why_unreadable

if TYPE_CHECKING:
    from atpdsl.comparing import Prepared, Wanted
    from atpdsl.results.comparison import Comparison
    from atpdsl.results.result import Result
    from atpdsl.results.sweep import Sweep
    from atpdsl.selftesting.checks import SelfTest
    from atpdsl.selftesting.selftest import Amount
    from atpdsl.sweeping import Told

__all__ = [
    "Access",
    "calibrate",
    "check",
    "check_source",
    "compare",
    "plan",
    "plan_around",
    "plan_comparison",
    "plan_study",
    "read_source",
    "run",
    "run_planned",
    "selftest",
    "sweep",
    "vocabulary",
]


def read_source(path: Path) -> Source:
    """The text of a spec file.

    Raises:
        SpecError: ATP420 when it cannot be read.
    """
    try:
        return Source(str(path), path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        others = path.parent.glob("*.atp") if path.parent.is_dir() else ()
        beside = [other.name for other in others if other.name != path.name]
        meant = closest(path.name, beside)
        advice = f"did you mean `{path.parent / meant}`?" if meant else "name a file, `ioi.atp`"
        message = f"cannot read `{path}`: {why_unreadable(error)}"
        raise SpecError([Problem(code="ATP420", message=message, help=advice)]) from error
    except UnicodeDecodeError as error:
        message = f"`{path}` is not UTF-8 text (byte {error.start})"
        advice = "save the spec as UTF-8"
        raise SpecError([Problem(code="ATP420", message=message, help=advice)]) from error


def check(path: Path, access: Access | None = None) -> Study:
    """Everything that can be known of a spec without running a model.

    Args:
        path: the spec file.
        access: what may be asked of the outside, and values for the spec's parameters.

    Raises:
        SpecError: when the file cannot be read.
    """
    return check_source(read_source(path), path.parent, access)


def plan(
    path: Path,
    access: Access | None = None,
    *,
    executor: str | None = None,
    passes: Iterable[str] | None = None,
) -> PlannedStudy:
    """The plans of a spec, one for each of its points.

    Args:
        access: what may be asked of the outside, and values for the spec's parameters.
        executor: what the plans are made for, instead of the spec's.
        passes: names of the passes that are applied; None is all of them.

    Raises:
        SpecError: when the spec has errors.
    """
    return plan_study(check(path, access), executor=executor, passes=passes)


def plan_study(
    study: Study, *, executor: str | None = None, passes: Iterable[str] | None = None
) -> PlannedStudy:
    """The plans of a checked spec; the arguments are those of `plan`.

    Raises:
        SpecError: when it has errors.
    """
    names = None if passes is None else tuple(passes)
    points = []
    for checked, bound in _bound_points(study):
        planned = optimize(lower(bound), target_of(bound, executor), names)
        points.append(Planned(checked=checked, plan=planned))
    return PlannedStudy(study=study, points=tuple(points))


def calibrate(planned: PlannedStudy, executor: str | None = None) -> None:
    """Measure how fast this machine runs the models of a study, for its estimates.

    Raises:
        RunError: when a model cannot be loaded.
    """
    points = {setup_of(point, executor): point for point in planned.points}
    for point in points.values():
        measure(point, executor)


def plan_around(
    study: Study, name: str, *, passes: Iterable[str] | None = None
) -> tuple[Plan, Plan]:
    """The plan of a spec's first point before and after one pass.

    Raises:
        SpecError: when the spec has errors.
    """
    _, bound = _bound_points(study)[0]
    return around(lower(bound), name, None, passes)


def _bound_points(study: Study) -> list[tuple[Checked, Bound]]:
    points = [(point, point.bound) for point in study.points if point.bound is not None]
    if study.errors or not points or len(points) != len(study.points):
        raise SpecError(study.problems, study.source)
    return points


def run(  # noqa: PLR0913 (all but the first have a default and a name)
    path: Path,
    access: Access | None = None,
    *,
    out: Path | None = None,
    progress: Progress | None = None,
    executor: str | None = None,
    passes: Iterable[str] | None = None,
    overwrite: bool = False,
) -> Result:
    """Run a spec that has one point, and save its result.

    Args:
        access: what may be asked of the outside, and values for the spec's parameters.
        out: the result directory; `runs/<spec name>` in the current folder if not given.
        executor: an executor's name, instead of the spec's.
        passes: names of the passes that its plan goes through; None is all of them.
        overwrite: replace the result of another spec.

    Raises:
        SpecError: when the spec has errors, or is a sweep.
        RunError: when it cannot be run or the result cannot be written.
    """
    return run_planned(
        plan(path, access, executor=executor, passes=passes).only(),
        out=out,
        progress=progress or Silent(),
        executor=executor,
        overwrite=overwrite,
    )


def run_planned(
    planned: Planned,
    *,
    out: Path | None = None,
    progress: Progress,
    executor: str | None = None,
    overwrite: bool = False,
    shelf: Shelf | None = None,
) -> Result:
    """As `run`, for a point that is planned; `shelf` has models that were loaded before."""
    from atpdsl import exports
    from atpdsl.results import directory as folders
    from atpdsl.results.assemble import describe_spec

    experiment, files = settled(planned.checked)
    folder = out or Path("runs") / experiment.name
    identity = folders.identity_of(describe_spec(experiment), files.weights_digest())
    try:
        folders.check_free(folder, identity, overwrite=overwrite)
        exports.check_paths(experiment.exports)
        chosen = executor or experiment.run.executor
        result = execute(planned, chosen, progress, shelf or Shelf())
    except RunError as error:
        raise RunError(error.problems, planned.checked.source) from error
    return exports.save(result, folder, experiment.exports, overwrite=overwrite)


def sweep(
    planned: PlannedStudy,
    *,
    out: Path | None = None,
    progress: Progress | None = None,
    executor: str | None = None,
    overwrite: bool = False,
    told: Told | None = None,
) -> Sweep:
    """Run every point of a spec; each has a result of its own, and all of them one table.

    A point that fails does not stop the others; what it failed of is in its row.

    Args:
        planned: the plans.
        out: the folder of the sweep; `runs/<spec name>` in the current folder if not given.
        told: called when a point is over.

    Raises:
        RunError: when the folder holds something else, or cannot be written.
    """
    from atpdsl.sweeping import Settings, run_points

    name = settled(planned.points[0].checked)[0].name
    return run_points(
        planned,
        out or Path("runs") / name,
        Settings(
            progress=progress or Silent(), executor=executor, overwrite=overwrite, told=told
        ),
        run_planned,
    )


def plan_comparison(study: Study, wanted: Wanted) -> Prepared:
    """The plan of a comparison of methods on a checked spec.

    Raises:
        SpecError: when the spec has errors or several points, a method is unknown or cannot
            be compared, or the exact truth would take too many forwards.
    """
    from atpdsl.comparing import prepare

    return prepare(study, wanted)


def compare(
    prepared: Prepared,
    *,
    out: Path | None = None,
    progress: Progress | None = None,
    overwrite: bool = False,
) -> Comparison:
    """Run several methods and the exact truth on the same nodes, and save what each found.

    Args:
        prepared: the plan.
        out: the folder; `runs/<spec name>-compared` in the current folder if not given.
        overwrite: replace what another run left there.

    Raises:
        RunError: when it cannot be run or the result cannot be written.
    """
    from atpdsl.comparing import run_comparison

    return run_comparison(prepared, out, progress or Silent(), overwrite=overwrite)


def selftest(planned: Planned | None, amount: Amount, progress: Progress | None) -> SelfTest:
    """Compare the engine with slow twins, on the model and nodes of a spec.

    Args:
        planned: the spec; None is the analytic cases and the embedded model.

    Raises:
        RunError: when the model cannot be loaded or run.
    """
    from atpdsl.selftesting import selftest as testing

    return testing.selftest(planned, amount, progress or Silent())
