"""From a tree to an experiment: every name looked up, every default filled in.

Input: the tree of `atpdsl.syntax.parse`. Output: an `Experiment`, and all that is wrong.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from atpdsl.problems import Problem, Severity, Source
from atpdsl.registry import closest
from atpdsl.semantics.answers import check_answers
from atpdsl.semantics.experiment import (
    Experiment,
    MethodCall,
    MetricCall,
    ModelRef,
    NodeSelection,
    Prompts,
    RunSettings,
    VerifyCall,
)
from atpdsl.semantics.exports import read_exports
from atpdsl.semantics.findings import Findings, did_you_mean, listed
from atpdsl.semantics.methods import read_methods, read_verify
from atpdsl.semantics.nodes import PLACEMENTS, read_nodes
from atpdsl.semantics.outline import Outline
from atpdsl.semantics.positions import LAST, Positions
from atpdsl.semantics.prompt_files import read_file_prompts
from atpdsl.semantics.prompts import read_prompts
from atpdsl.semantics.schema import RUN, SHAPE_OF, key_of
from atpdsl.semantics.settings import read_settings
from atpdsl.semantics.signature import Signature, Vocabulary
from atpdsl.syntax import tree as t
from atpdsl.syntax.limits import first_ones


def resolve(
    tree: t.SpecFile, source: Source, vocabulary: Vocabulary, base: Path
) -> tuple[Experiment | None, tuple[Problem, ...]]:
    """The experiment that a spec describes.

    Args:
        tree: the spec; what could not be parsed is not reported again.
        source: where it comes from; its file name names the experiment.
        vocabulary: the names that a spec may use.
        base: the spec's folder, from which word lists are read.

    Returns:
        The experiment, None where an error stands in its way; and the problems in the
        order of their places, warnings among them.
    """
    findings = Findings()
    experiment = _Resolver(tree, source, vocabulary, base, findings).resolve()
    problems = first_ones(findings.problems)
    if any(problem.severity is Severity.ERROR for problem in problems):
        return None, problems
    return experiment, problems


class _Resolver:
    def __init__(
        self,
        tree: t.SpecFile,
        source: Source,
        vocabulary: Vocabulary,
        base: Path,
        findings: Findings,
    ) -> None:
        self.source = source
        self.doc = tree.doc
        self.vocabulary = vocabulary
        self.base = base
        self.findings = findings
        self.outline = Outline(tree, findings)
        self.positions = Positions(findings, complete=False)

    def resolve(self) -> Experiment | None:
        """The experiment; None where a part of it is missing."""
        if not self.outline.known_edition:
            return None
        model = self._model()
        prompts = self._prompts()
        metric = self._metric()
        nodes = self._nodes()
        methods = read_methods(
            self.outline.all("method", t.Declaration), self.vocabulary, self.findings
        )
        verify = self._verify(methods)
        run = self._run()
        exports = read_exports(
            self.outline.all("export", t.Export), self.vocabulary, self.findings
        )
        if prompts is not None and metric is not None:
            check_answers(prompts, metric, self._metrics()[metric.name], self.findings)
        if model is None or prompts is None or metric is None:
            return None
        return Experiment(
            name=experiment_name(self.source.name),
            source=self.source,
            doc=self.doc,
            model=model,
            prompts=replace(prompts, positions=tuple(self.positions.rules)),
            metric=metric,
            nodes=nodes,
            methods=methods,
            verify=verify,
            run=run,
            exports=exports,
        )

    # ---- statements ----

    def _model(self) -> ModelRef | None:
        statement = self.outline.one("model", t.Declaration)
        if statement is None:
            return None
        self._no_label(statement)
        settings = read_settings(statement.body, SHAPE_OF["model"], self.findings)
        name = statement.value
        if not isinstance(name, t.String) or not name.value.strip():
            message = "a model's name is wanted here"
            advice = 'write it in quotes: `model "tiny"`'
            self.findings.error("ATP108", message, name.span, advice=advice)
            return None
        revision = settings["revision"]
        return ModelRef(
            name=name.value,
            revision=None if revision is None else str(revision),
            dtype=settings.text("dtype"),
            span=name.span,
        )

    def _prompts(self) -> Prompts | None:
        statement = self.outline.one("prompts", t.PromptSet)
        if statement is None:
            return None
        if statement.origin is None:
            prompts, self.positions = read_prompts(statement, self.base, self.findings)
        else:
            prompts, self.positions = read_file_prompts(
                statement, statement.origin, self.findings
            )
        return prompts

    def _metric(self) -> MetricCall | None:
        statement = self.outline.one("metric", t.Declaration)
        if statement is None:
            return None
        self._no_label(statement)
        signature = self._metric_signature(statement.value)
        position = self._metric_position(statement.positions)
        if signature is None:
            return None
        shape = SHAPE_OF["metric"]
        own = tuple(key_of(param) for param in signature.params)
        settings = read_settings(
            statement.body,
            replace(shape, keys=(*own, *shape.keys)),
            self.findings,
            owner=f"metric `{signature.name}`",
        )
        return MetricCall(
            name=signature.name,
            position=position,
            settings=MappingProxyType({key.name: settings[key.name] for key in own}),
            span=statement.value.span,
        )

    def _metrics(self) -> dict[str, Signature]:
        return {signature.name: signature for signature in self.vocabulary.metrics}

    def _metric_signature(self, value: t.Expression) -> Signature | None:
        known = self._metrics()
        if not isinstance(value, t.Name):
            advice = f"there are {listed(tuple(known))}"
            self.findings.not_yet("a computed metric", value.span, advice=advice)
            return None
        if value.text not in known:
            self.findings.error(
                "ATP112",
                f"there is no metric `{value.text}`",
                value.span,
                advice=did_you_mean(
                    closest(value.text, known), f"there are {listed(tuple(known))}"
                ),
            )
            return None
        return known[value.text]

    def _metric_position(self, positions: tuple[t.Expression, ...]) -> str:
        if not positions:
            return LAST
        first = positions[0]
        spread = isinstance(first, t.Name) and first.text in PLACEMENTS
        if len(positions) > 1 or spread:
            self.findings.error(
                "ATP226",
                "a metric reads the logits at one position",
                first.span.to(positions[-1].span),
                advice="write `at last`, or the name of another position",
            )
            return LAST
        text = self.positions.use(first)
        return LAST if text is None else text.text

    def _nodes(self) -> tuple[NodeSelection, ...]:
        return tuple(
            selection
            for block in self.outline.all("nodes", t.Block)
            for selection in self._selections(block)
        )

    def _selections(self, block: t.Block) -> tuple[NodeSelection, ...]:
        self._no_name(block)
        read_settings(block.body, SHAPE_OF["nodes"], self.findings)
        return read_nodes(block, self.vocabulary, self.positions, self.findings)

    def _verify(self, methods: tuple[MethodCall, ...]) -> VerifyCall | None:
        statement = self.outline.one("verify", t.Block)
        if statement is None:
            return None
        self._no_name(statement)
        written = self.outline.all("method", t.Declaration)
        complete = self.outline.readable("method") and len(written) == len(methods)
        return read_verify(
            statement, methods, self.vocabulary, self.findings, complete=complete
        )

    def _run(self) -> RunSettings:
        statement = self.outline.one("run", t.Block)
        if statement is None:
            return RunSettings()
        self._no_name(statement)
        executors = self.vocabulary.executors
        keys = tuple(
            replace(key, choices=executors) if key.name == "executor" else key
            for key in RUN.keys
        )
        settings = read_settings(statement.body, replace(RUN, keys=keys), self.findings)
        return RunSettings(
            device=settings.text("device"),
            seed=settings.integer("seed"),
            batch=settings.optional_integer("batch"),
            threads=settings.optional_integer("threads"),
            per_pair=bool(settings["per_pair"]),
            executor=settings.text("executor"),
        )

    # ---- names that only later versions use ----

    def _no_label(self, statement: t.Declaration) -> None:
        if statement.label is not None:
            word = statement.word.text
            self.findings.not_yet(
                f"a `{word}` with a name", statement.label.span, advice=f"write `{word} ...`"
            )

    def _no_name(self, block: t.Block) -> None:
        if block.name is not None:
            word = block.word.text
            self.findings.not_yet(
                f"a `{word}` with a name",
                block.name.span,
                advice=f"write `{word} {{ ... }}`",
            )


def experiment_name(source_name: str) -> str:
    """The name of an experiment: that of its file, made fit for a folder."""
    stem = re.split(r"[/\\]", source_name)[-1].removesuffix(".atp")
    return re.sub(r"[^\w.-]+", "_", stem).strip("._-") or "spec"
