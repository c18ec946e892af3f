"""From a text to everything that can be known of it without running a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from atpdsl.binding.bind import Reading, bind, read_pairs
from atpdsl.checked import Checked, Study
from atpdsl.elaboration.elaborate import NOTHING, elaborate
from atpdsl.elaboration.gaps import whole
from atpdsl.elaboration.meant import meant
from atpdsl.elaboration.program import Point, Program
from atpdsl.exports import EXPORTERS, check_paths, every_exporter
from atpdsl.methods import METHODS
from atpdsl.metrics import METRICS, READINGS, metric_of
from atpdsl.models.config import read_shape
from atpdsl.models.files import ModelFiles
from atpdsl.models.locate import locate
from atpdsl.models.shape import ModelShape
from atpdsl.models.tokenizer import ModelTokenizer, load_tokenizer
from atpdsl.nodes import ATTENDING, NODE_KINDS
from atpdsl.problems import Label, Problem, RunError, Source, SpecError
from atpdsl.problems.fixes import mended
from atpdsl.problems.render import in_order
from atpdsl.runtime.executor import EXECUTORS
from atpdsl.semantics.experiment import Direction, Experiment, ModelRef
from atpdsl.semantics.resolve import resolve
from atpdsl.semantics.signature import Vocabulary
from atpdsl.syntax.limits import shortened
from atpdsl.syntax.parse import parse

# As many sets of pairs are kept for later points.
MOST_READINGS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What may be asked of the outside.

    Attributes:
        offline: never ask a model hub.
        trust_remote_code: accept a model that brings Python code of its own.
        given: values for `param` and `sweep` names, as written after `-p`.
        most_points: points of a sweep that are checked; None is all of them.
    """

    offline: bool = False
    trust_remote_code: bool = False
    given: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    most_points: int | None = None


def vocabulary() -> Vocabulary:
    """Every name that a spec may use."""
    return Vocabulary(
        methods=tuple(method.signature for method in METHODS),
        metrics=tuple(metric.signature for metric in METRICS),
        nodes=tuple((kind.name, kind.unit.value) for kind in NODE_KINDS),
        exports=tuple((suffix, e.name) for e in EXPORTERS for suffix in e.suffixes),
        more_exports=_formats_of_others,
        executors=EXECUTORS.names,
        readings=tuple(reading.signature for reading in READINGS),
        attending=ATTENDING,
    )


def _formats_of_others() -> tuple[tuple[str, str], ...]:
    return tuple((s, e.name) for e in every_exporter() if e.package for s in e.suffixes)


def check_source(source: Source, base: Path, access: Access | None = None) -> Study:
    """Everything that can be known of a spec without running a model.

    Args:
        source: the spec's text.
        base: the folder from which its relative paths count.
        access: what may be asked of the outside.
    """
    access = access or Access()
    tree, syntax = parse(source)
    program = elaborate(tree, source, base, access.given, vocabulary=vocabulary())
    checker = _Checker(program, base, access, readable=not syntax)
    points = tuple(checker.check(point) for point in program.points[: access.most_points])
    problems = shortened(in_order((*syntax, *program.problems, *merged(points))))
    found = tuple(mended(meant(problem, program), program.source) for problem in problems)
    return Study(
        source=program.source, base=base, program=program, problems=found, points=points
    )


class _Checker:
    """Checks points; what several of them need is read once."""

    def __init__(self, program: Program, base: Path, access: Access, *, readable: bool) -> None:
        self.program = program
        self.readable = readable
        self.base = base
        self.access = access
        self.vocabulary = vocabulary()
        self._located: dict[tuple[str, str | None, str], ModelFiles | Problem] = {}
        self._readings: dict[tuple[object, ...], Reading] = {}
        self._read: dict[Path, tuple[ModelShape, ModelTokenizer] | tuple[Problem, ...]] = {}

    def check(self, point: Point) -> Checked:
        """One point, as far as it can be understood."""
        source = self.program.source
        experiment, found = resolve(point.tree, source, self.vocabulary, self.base)
        checked = Checked(source=source, base=self.base, problems=in_order(found))
        checked = replace(checked, point=point.values)
        # What could not be read may be what a pair or a node lacks.
        readable = self.readable and whole(point.tree)
        if experiment is None or checked.errors or not readable:
            return checked
        experiment = replace(
            experiment, point=point.values, given=tuple(self.access.given.items())
        )
        checked = replace(checked, experiment=experiment).with_problems(
            (*_flat_metrics(experiment), *_export_names(experiment))
        )
        files = self._files(experiment.model)
        if isinstance(files, Problem):
            return checked.with_problems((files,))
        return self._bind(checked, experiment, files)

    def _files(self, model: ModelRef) -> ModelFiles | Problem:
        key = (model.name, model.revision, model.dtype)
        if key not in self._located:
            self._located[key] = locate(
                model,
                base=self.base,
                offline=self.access.offline,
                trust_remote_code=self.access.trust_remote_code,
            )
        return self._located[key]

    def _bind(self, checked: Checked, experiment: Experiment, files: ModelFiles) -> Checked:
        """What can be known once the model's files are there."""
        checked = replace(checked, files=files)
        read = self._shape_and_tokenizer(files, Label(experiment.model.span))
        if isinstance(read[0], Problem):
            return checked.with_problems(p for p in read if isinstance(p, Problem))
        shape, tokenizer = read
        reading = self._reading(experiment, files, shape, tokenizer)
        bound, found = bind(experiment, shape, tokenizer, self.base, reading=reading)
        if bound is not None:
            checked = replace(checked, experiment=bound.experiment)
        return replace(checked, tokenizer=tokenizer, bound=bound).with_problems(found)

    def _reading(
        self,
        experiment: Experiment,
        files: ModelFiles,
        shape: ModelShape,
        tokenizer: ModelTokenizer,
    ) -> Reading:
        """The pairs, which points that differ in something else share."""
        metric = experiment.metric
        sets = None if metric.formula is None else metric.formula.sets
        key = (experiment.prompts, experiment.run.seed, metric.position, sets, files.directory)
        if key not in self._readings:
            if len(self._readings) == MOST_READINGS:
                del self._readings[next(iter(self._readings))]
            self._readings[key] = read_pairs(experiment, shape, tokenizer, self.base)
        return self._readings[key]

    def _shape_and_tokenizer(
        self, files: ModelFiles, at: Label
    ) -> tuple[ModelShape, ModelTokenizer] | tuple[Problem, ...]:
        if files.directory not in self._read:
            self._read[files.directory] = _read_model(files, at)
        return self._read[files.directory]


def _read_model(
    files: ModelFiles, at: Label
) -> tuple[ModelShape, ModelTokenizer] | tuple[Problem, ...]:
    shape = read_shape(files.directory, at=at)
    if isinstance(shape, Problem):
        return (shape,)
    try:
        return shape, load_tokenizer(files.directory)
    except SpecError as error:
        return tuple(replace(problem, at=at) for problem in error.problems)


def merged(points: Iterable[Checked]) -> tuple[Problem, ...]:
    """The problems of all points: those that are everywhere once, others with their points."""
    points = tuple(points)
    if len(points) == 1:
        return points[0].problems
    first: dict[tuple[object, ...], Problem] = {}
    places: dict[tuple[object, ...], list[Checked]] = {}
    differing: set[tuple[object, ...]] = set()
    for point in points:
        seen: dict[tuple[object, ...], int] = {}
        for problem in point.problems:
            span = problem.at.span if problem.at else None
            key: tuple[object, ...] = (problem.code, problem.severity, span)
            seen[key] = seen.get(key, 0) + 1
            key = (*key, seen[key])
            if first.setdefault(key, problem) != problem:
                differing.add(key)
            places.setdefault(key, []).append(point)
    everywhere = {key for key in first if len(places[key]) == len(points)} - differing
    return tuple(
        problem if key in everywhere else _at_points(problem, places[key])
        for key, problem in first.items()
    )


def _at_points(problem: Problem, points: list[Checked]) -> Problem:
    """The problem with the points at which it is."""
    others = len(points) - 1
    units = "point" if others == 1 else "points"
    more = f" and {others} more {units}" if others else ""
    where = ", ".join(f"{name} = {value}" for name, value in points[0].point)
    return replace(problem, message=f"{problem.message} (at {where}{more})")


def _flat_metrics(experiment: Experiment) -> tuple[Problem, ...]:
    """Estimates at a run where the metric's gradient is zero by definition."""
    if not metric_of(experiment.metric).flat_at_clean:
        return ()
    return tuple(
        Problem(
            code="ATP421",
            message=f"`{call.method}` cannot estimate effects on `{experiment.metric.title}`: "
            "its gradient at the clean run is zero, so every estimate would be 0",
            at=Label(call.span, "takes gradients at the clean run"),
            also=(Label(experiment.metric.span, "a distance from the clean run"),),
            help="use `logit_diff`, or `ap`, or `direction = denoising`",
        )
        for call in experiment.methods
        if METHODS[call.method].signature.needs_gradient and call.direction is Direction.NOISING
    )


def _export_names(experiment: Experiment) -> tuple[Problem, ...]:
    """Exports that would take the place of the result's own files."""
    try:
        check_paths(experiment.exports)
    except RunError as error:
        return error.problems
    return ()
