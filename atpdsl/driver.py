"""The whole pipeline, stage by stage: parse, resolve, locate, bind, lower, optimize, execute.

One function per command. Up to and including the plan nothing imports torch.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from atpdsl.binding.bind import Bound, bind
from atpdsl.exports import EXPORTERS
from atpdsl.methods import METHODS
from atpdsl.methods.lower import lower
from atpdsl.metrics import METRICS
from atpdsl.models.config import read_shape
from atpdsl.models.files import ModelFiles
from atpdsl.models.locate import locate
from atpdsl.models.tokenizer import ModelTokenizer, load_tokenizer
from atpdsl.nodes import NODE_KINDS
from atpdsl.passes import optimize
from atpdsl.planning.cost import PlanRow, plan_rows
from atpdsl.planning.plan import Plan
from atpdsl.problems import Label, Problem, RunError, Severity, Source, SpecError
from atpdsl.registry import closest
from atpdsl.runtime.executor import EXECUTORS, Progress, Silent
from atpdsl.semantics.experiment import Direction, Experiment
from atpdsl.semantics.resolve import resolve
from atpdsl.semantics.signature import Vocabulary
from atpdsl.syntax.parse import parse

if TYPE_CHECKING:
    import networkx

    from atpdsl.planning.outcome import Outcome
    from atpdsl.results.record import ModelRecord
    from atpdsl.results.result import Result

# A difference between two metrics below this is rounding.
NO_GAP = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A spec as far as it could be understood.

    Attributes:
        problems: errors and warnings in the order of the text; without errors, all else
            but `tokenizer` is there.
    """

    source: Source
    base: Path
    problems: tuple[Problem, ...]
    experiment: Experiment | None = None
    files: ModelFiles | None = None
    tokenizer: ModelTokenizer | None = None
    bound: Bound | None = None

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that keep the spec from running."""
        return tuple(p for p in self.problems if p.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The problems that do not."""
        return tuple(p for p in self.problems if p.severity is Severity.WARNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A good spec and the plan made of it."""

    checked: Checked
    plan: Plan

    def rows(self) -> tuple[PlanRow, ...]:
        """The stages and what they cost."""
        return plan_rows(self.plan)

    def to_networkx(self) -> networkx.DiGraph:
        """The operations as a graph."""
        return self.plan.to_networkx()


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
    problems = (*problems, *found)
    if experiment is None or _has_errors(problems):
        return Checked(source=source, base=base, problems=problems, experiment=experiment)
    problems = (*problems, *_flat_metrics(experiment))
    files = locate(
        experiment.model, base=base, offline=offline, trust_remote_code=trust_remote_code
    )
    if isinstance(files, Problem):
        problems = (*problems, files)
        return Checked(source=source, base=base, problems=problems, experiment=experiment)
    shape = read_shape(files.directory, at=Label(experiment.model.span))
    if isinstance(shape, Problem):
        problems = (*problems, shape)
        return Checked(source=source, base=base, problems=problems, experiment=experiment)
    try:
        tokenizer = load_tokenizer(files.directory)
    except SpecError as error:
        problems = (*problems, *error.problems)
        return Checked(source=source, base=base, problems=problems, experiment=experiment)
    bound, found = bind(experiment, shape, tokenizer, base)
    return Checked(
        source=source,
        base=base,
        problems=(*problems, *found),
        experiment=experiment,
        files=files,
        tokenizer=tokenizer,
        bound=bound,
    )


def _has_errors(problems: Sequence[Problem]) -> bool:
    return any(p.severity is Severity.ERROR for p in problems)


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

    experiment, files = _good(planned.checked)
    folder = out or Path("runs") / experiment.name
    identity = (planned.checked.source.text, files.weights_digest())
    try:
        folders.check_free(folder, identity, overwrite=overwrite)
        exports.check_paths(experiment.exports)
        result = _execute(planned, executor or experiment.run.executor, progress)
    except RunError as error:
        raise RunError(error.problems, planned.checked.source) from error
    return exports.save(result, folder, experiment.exports, overwrite=overwrite)


def _good(checked: Checked) -> tuple[Experiment, ModelFiles]:
    if checked.experiment is None or checked.files is None:
        raise SpecError(checked.problems, checked.source)
    return checked.experiment, checked.files


def _execute(planned: Planned, name: str, progress: Progress) -> Result:
    """Load the model, run the plan, assemble the result."""
    experiment, files = _good(planned.checked)
    entry = EXECUTORS[name]
    began, started = time.perf_counter(), datetime.now(UTC)
    if not entry.needs_model:
        outcome = entry.make().execute(planned.plan, None, progress)
        return _result(planned, name, outcome, ("none", 0, started, began))
    from atpdsl.runtime.threads import choose_threads, prepare_environment, using_threads

    prepare_environment()
    from atpdsl.runtime.load import load_model
    from atpdsl.runtime.memory import check_activations

    check_activations(planned.plan)
    bound = planned.plan.bound
    with progress.stage("loading the model", None, "models") as step:
        model = load_model(
            files,
            bound.shape,
            dtype=experiment.model.dtype,
            device=experiment.run.device,
            at=Label(experiment.model.span),
        )
        step.advance(1)
    choice = choose_threads(files.n_parameters(), requested=experiment.run.threads)
    with using_threads(choice):
        outcome = entry.make().execute(planned.plan, model, progress)
    return _result(planned, name, outcome, (model.device, choice.count, started, began))


def _result(
    planned: Planned,
    executor: str,
    outcome: Outcome,
    circumstances: tuple[str, int, datetime, float],
) -> Result:
    from atpdsl.results.assemble import Finished, assemble

    device, threads, started, began = circumstances
    checked = planned.checked
    experiment, _ = _good(checked)
    if checked.tokenizer is None:
        raise SpecError(checked.problems, checked.source)
    return assemble(
        Finished(
            experiment=experiment,
            pairs=planned.plan.bound.pairs,
            outcome=outcome,
            model=_model_record(planned),
            spell=checked.tokenizer.decode_token,
            device=device,
            threads=threads,
            started=started.isoformat(timespec="seconds"),
            seconds=time.perf_counter() - began,
            executor=executor,
            warnings=(*checked.warnings, *_gapless(outcome, experiment)),
        )
    )


def _model_record(planned: Planned) -> ModelRecord:
    from atpdsl.results.record import ModelRecord

    experiment, files = _good(planned.checked)
    return ModelRecord(
        name=files.name,
        kind=files.kind.value,
        revision=files.revision,
        dtype=experiment.model.dtype,
        weights_sha256=files.weights_digest(),
        tokenizer_sha256=files.tokenizer_digest(),
        shape=planned.plan.bound.shape,
        remote_code=files.remote_code,
    )


def _gapless(outcome: Outcome, experiment: Experiment) -> tuple[Problem, ...]:
    """A warning for pairs whose two sides have the same metric: nothing can be found there."""
    gaps = abs(outcome.clean_metric - outcome.corrupted_metric)
    flat = [number for number, gap in enumerate(gaps) if gap <= NO_GAP]
    if not flat:
        return ()
    named = ", ".join(str(number) for number in flat[:5]) + (", ..." if len(flat) > 5 else "")
    return (
        Problem(
            code="ATP422",
            message=f"{len(flat)} of {len(gaps)} pairs have no metric gap: the clean and the "
            f"corrupted prompt give the same `{experiment.metric.name}` (pairs {named})",
            at=Label(experiment.prompts.span, "has pairs that show nothing"),
            help="corrupt something that the metric depends on",
            severity=Severity.WARNING,
        ),
    )
