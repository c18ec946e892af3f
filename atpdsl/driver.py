"""The whole pipeline, stage by stage: parse, resolve, locate, bind, lower, optimize, execute.

One function per command. Up to and including the plan nothing imports torch.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from atpdsl.binding.bind import bind
from atpdsl.checked import Checked, Planned, settled
from atpdsl.execution import execute
from atpdsl.exports import EXPORTERS
from atpdsl.methods import METHODS
from atpdsl.methods.lower import lower
from atpdsl.metrics import METRICS
from atpdsl.models.config import read_shape
from atpdsl.models.files import ModelFiles
from atpdsl.models.locate import locate
from atpdsl.models.tokenizer import load_tokenizer
from atpdsl.nodes import NODE_KINDS
from atpdsl.passes import optimize
from atpdsl.problems import Label, Problem, RunError, Source, SpecError
from atpdsl.problems.render import in_order
from atpdsl.registry import closest
from atpdsl.runtime.executor import EXECUTORS, Progress, Silent
from atpdsl.semantics.experiment import Direction, Experiment
from atpdsl.semantics.resolve import resolve
from atpdsl.semantics.signature import Vocabulary
from atpdsl.syntax.parse import parse

if TYPE_CHECKING:
    from atpdsl.results.result import Result


def vocabulary() -> Vocabulary:
    """Every name that a spec may use."""
    return Vocabulary(
        methods=tuple(method.signature for method in METHODS),
        metrics=tuple(metric.signature for metric in METRICS),
        nodes=tuple((kind.name, kind.unit.value) for kind in NODE_KINDS),
        exports=tuple((suffix, e.name) for e in EXPORTERS for suffix in e.suffixes),
        executors=EXECUTORS.names,
    )


def read_source(path: Path) -> Source:
    """The text of a spec file.

    Raises:
        SpecError: ATP420 when it cannot be read.
    """
    try:
        return Source(str(path), path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        beside = [p.name for p in path.parent.glob("*.atp")] if path.parent.is_dir() else []
        meant = closest(path.name, beside)
        advice = f"did you mean `{path.parent / meant}`?" if meant else "check the path"
        message = f"cannot read `{path}`: {error.strerror or error}"
        raise SpecError([Problem(code="ATP420", message=message, help=advice)]) from error
    except UnicodeDecodeError as error:
        message = f"`{path}` is not UTF-8 text (byte {error.start})"
        advice = "save the spec as UTF-8"
        raise SpecError([Problem(code="ATP420", message=message, help=advice)]) from error


def check(path: Path, *, offline: bool = False, trust_remote_code: bool = False) -> Checked:
    """Everything that can be known of a spec without running a model.

    Args:
        path: the spec file.
        offline: never ask a model hub.
        trust_remote_code: accept a model that brings Python code of its own.

    Raises:
        SpecError: when the file cannot be read.
    """
    source = read_source(path)
    return check_source(
        source, path.parent, offline=offline, trust_remote_code=trust_remote_code
    )


def check_source(
    source: Source, base: Path, *, offline: bool = False, trust_remote_code: bool = False
) -> Checked:
    """As `check`, for a text whose relative paths count from `base`."""
    tree, problems = parse(source)
    experiment, found = resolve(tree, source, vocabulary(), base)
    checked = Checked(source=source, base=base, problems=in_order((*problems, *found)))
    if experiment is None or checked.errors:
        return checked
    checked = replace(checked, experiment=experiment).with_problems(
        (*_flat_metrics(experiment), *_export_names(experiment))
    )
    files = locate(
        experiment.model, base=base, offline=offline, trust_remote_code=trust_remote_code
    )
    if isinstance(files, Problem):
        return checked.with_problems((files,))
    return _bind(checked, experiment, files)


def _bind(checked: Checked, experiment: Experiment, files: ModelFiles) -> Checked:
    """What can be known once the model's files are there."""
    checked = replace(checked, files=files)
    shape = read_shape(files.directory, at=Label(experiment.model.span))
    if isinstance(shape, Problem):
        return checked.with_problems((shape,))
    try:
        tokenizer = load_tokenizer(files.directory)
    except SpecError as error:
        at = Label(experiment.model.span)
        return checked.with_problems(replace(problem, at=at) for problem in error.problems)
    bound, found = bind(experiment, shape, tokenizer, checked.base)
    return replace(checked, tokenizer=tokenizer, bound=bound).with_problems(found)


def _flat_metrics(experiment: Experiment) -> tuple[Problem, ...]:
    """Estimates at a run where the metric's gradient is zero by definition."""
    if not METRICS[experiment.metric.name].flat_at_clean:
        return ()
    return tuple(
        Problem(
            code="ATP421",
            message=f"`{call.method}` cannot estimate effects on `{experiment.metric.name}`: "
            "its gradient at the clean run is zero, so every estimate would be 0",
            at=Label(call.span, "takes gradients at the clean run"),
            also=(Label(experiment.metric.span, "a distance from the clean run"),),
            help="use `logit_diff`, or `ap`, or `direction = denoising`",
        )
        for call in experiment.methods
        if not METHODS[call.method].exact and call.direction is Direction.NOISING
    )


def _export_names(experiment: Experiment) -> tuple[Problem, ...]:
    """Exports that would take the place of the result's own files."""
    from atpdsl import exports

    try:
        exports.check_paths(experiment.exports)
    except RunError as error:
        return error.problems
    return ()


def plan(path: Path, *, offline: bool = False, trust_remote_code: bool = False) -> Planned:
    """The plan of a spec.

    Raises:
        SpecError: when the spec has errors.
    """
    return plan_checked(check(path, offline=offline, trust_remote_code=trust_remote_code))


def plan_checked(checked: Checked) -> Planned:
    """The plan of a checked spec.

    Raises:
        SpecError: when it has errors.
    """
    if checked.errors or checked.bound is None:
        raise SpecError(checked.problems, checked.source)
    return Planned(checked=checked, plan=optimize(lower(checked.bound)))


def run(
    path: Path,
    *,
    out: Path | None = None,
    progress: Progress | None = None,
    executor: str | None = None,
    offline: bool = False,
    overwrite: bool = False,
) -> Result:
    """Run a spec and save its result.

    Args:
        out: the result directory; `runs/<spec name>` in the current folder if not given.
        executor: an executor's name, instead of the spec's.
        overwrite: replace the result of another spec.

    Raises:
        SpecError: when the spec has errors.
        RunError: when it cannot be run or the result cannot be written.
    """
    return run_planned(
        plan(path, offline=offline),
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
) -> Result:
    """As `run`, for a plan that was made already."""
    from atpdsl import exports
    from atpdsl.results import directory as folders

    experiment, files = settled(planned.checked)
    folder = out or Path("runs") / experiment.name
    identity = (planned.checked.source.text, files.weights_digest())
    try:
        folders.check_free(folder, identity, overwrite=overwrite)
        exports.check_paths(experiment.exports)
        result = execute(planned, executor or experiment.run.executor, progress)
    except RunError as error:
        raise RunError(error.problems, planned.checked.source) from error
    return exports.save(result, folder, experiment.exports, overwrite=overwrite)
