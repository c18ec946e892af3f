"""From a tree to an experiment: every name looked up, every default filled in.

Input: the tree of `atpdsl.syntax.parse`. Output: an `Experiment`, and all that is wrong.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from atpdsl.problems import Problem, Severity, Source
from atpdsl.problems.fixes import replaced
from atpdsl.semantics.answers import check_answers
from atpdsl.semantics.circuit import read_circuit
from atpdsl.semantics.diagnosis import Diagnosis
from atpdsl.semantics.experiment import (
    CircuitCall,
    Expectation,
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
from atpdsl.semantics.findings import Findings
from atpdsl.semantics.later import check_edges
from atpdsl.semantics.measured import Measured
from atpdsl.semantics.methods import read_methods, read_verify
from atpdsl.semantics.metric import Surroundings, check_gradients, read_metric, signature_of
from atpdsl.semantics.nodes import read_nodes
from atpdsl.semantics.outline import Outline
from atpdsl.semantics.pair_lets import warn_unused
from atpdsl.semantics.positions import Positions
from atpdsl.semantics.prompt_files import read_file_prompts
from atpdsl.semantics.prompts import read_prompts
from atpdsl.semantics.schema import RUN, SHAPE_OF
from atpdsl.semantics.settings import read_settings
from atpdsl.semantics.signature import Vocabulary
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
        self.comments = tree.comments
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
        metric = self._metric(prompts)
        nodes, attends = self._nodes()
        methods = read_methods(
            self.outline.all("method", t.Declaration), self.vocabulary, self.findings
        )
        verify = self._verify(methods)
        measured = self._diagnosed(self._measured(methods, verify), attends=attends)
        circuit, expectations = self._circuit(measured), self._expectations(measured)
        for block in self.outline.all("edges", t.Block):
            check_edges(block, self.vocabulary, self.findings)
        run = self._run()
        exports = read_exports(
            self.outline.all("export", t.Export), self.vocabulary, self.findings
        )
        if metric is not None:
            check_gradients(metric, methods, self.vocabulary, self.findings)
        if prompts is not None and metric is not None and self._answers_readable():
            needs = signature_of(metric, self.vocabulary)
            check_answers(prompts, metric, needs, self.findings)
        if prompts is not None:
            self._check_lets(prompts)
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
            circuit=circuit,
            expectations=expectations,
            diagnosis=measured.diagnosis,
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
            meant = name.text if isinstance(name, t.Name) else "tiny"
            advice = f'write it in quotes: `model "{meant}"`'
            quoted = replaced(name.span, f'"{meant}"') if isinstance(name, t.Name) else None
            self.findings.error("ATP108", message, name.span, advice=advice, fix=quoted)
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
                statement, statement.origin, self.base, self.findings
            )
        return prompts

    def _answers_readable(self) -> bool:
        """Whether no line was lost that may have been an `answer`."""
        statement = self.outline.one("prompts", t.PromptSet)
        if statement is None or statement.body.broken:
            return False
        pairs = (line for line in statement.body.statements if isinstance(line, t.Pair))
        return not any(pair.body is not None and pair.body.broken for pair in pairs)

    def _check_lets(self, prompts: Prompts) -> None:
        """A `let` that nothing uses; where there are errors its use may stand in one."""
        if any(p.severity is Severity.ERROR for p in self.findings.problems):
            return
        if self._answers_readable() and self.outline.readable("metric"):
            metrics = (line.value for line in self.outline.all("metric", t.Declaration))
            warn_unused(prompts, metrics, self.findings)

    def _metric(self, prompts: Prompts | None) -> MetricCall | None:
        statement = self.outline.one("metric", t.Declaration)
        if statement is None:
            return None
        around = Surroundings(
            vocabulary=self.vocabulary,
            positions=self.positions,
            prompts=prompts,
            source=self.source,
            comments=self.comments,
        )
        return read_metric(statement, around, self.findings)

    def _nodes(self) -> tuple[tuple[NodeSelection, ...], bool]:
        """The nodes; and whether some act through attention's softmax, or may do so."""
        before, blocks = len(self.findings), self.outline.all("nodes", t.Block)
        nodes = tuple(one for block in blocks for one in self._selections(block))
        lost = len(self.findings) > before or any(block.body.broken for block in blocks)
        lost = lost or not self.outline.readable("nodes") or not nodes
        return nodes, lost or any(one.kind in self.vocabulary.attending for one in nodes)

    def _selections(self, block: t.Block) -> tuple[NodeSelection, ...]:
        self._no_name(block)
        read_settings(block.body, SHAPE_OF["nodes"], self.findings)
        return read_nodes(block, self.vocabulary, self.positions, self.findings)

    def _verify(self, methods: tuple[MethodCall, ...]) -> VerifyCall | None:
        statement = self.outline.one("verify", t.Block)
        if statement is None:
            return None
        self._no_name(statement)
        complete = self._has_all(methods)
        return read_verify(
            statement, methods, self.vocabulary, self.findings, complete=complete
        )

    def _has_all(self, methods: tuple[MethodCall, ...]) -> bool:
        """Whether every method of the spec could be read."""
        written = self.outline.all("method", t.Declaration)
        return self.outline.readable("method") and len(written) == len(methods)

    def _measured(self, methods: tuple[MethodCall, ...], verify: VerifyCall | None) -> Measured:
        known = self.vocabulary.methods
        return Measured(
            calls=methods,
            estimates=frozenset(s.name for s in known if s.estimates),
            gradients=frozenset(s.name for s in known if s.needs_gradient),
            verify=verify,
            complete=self._has_all(methods) and self.outline.readable("verify"),
        )

    def _diagnosed(self, measured: Measured, *, attends: bool) -> Measured:
        """With what `diagnose` asks for, and what `verify` needs of it."""
        statement = self.outline.one("diagnose", t.Block)
        stop = None if measured.verify is None else measured.verify.stop
        if statement is None and stop is None:
            return replace(measured, diagnosed=self.outline.readable("diagnose"))
        # Most specs have neither, and a check should not take the time to load this.
        from atpdsl.semantics.diagnose import read_diagnosis, with_bounds

        diagnosis, diagnosed = Diagnosis(), self.outline.readable("diagnose")
        if statement is not None:
            before = len(self.findings)
            self._no_name(statement)
            diagnosis = read_diagnosis(statement, measured, self.findings, attends=attends)
            found = self.findings.problems[before:]
            failed = any(p.severity is Severity.ERROR for p in found)
            diagnosed = not failed and not statement.body.broken
        if stop is not None:
            diagnosis = with_bounds(diagnosis, stop, measured, self.findings)
        return replace(measured, diagnosis=diagnosis, diagnosed=diagnosed)

    def _circuit(self, measured: Measured) -> CircuitCall | None:
        statement = self.outline.one("circuit", t.Block)
        if statement is None:
            return None
        self._no_name(statement)
        return read_circuit(statement, measured, self.findings)

    def _expectations(self, measured: Measured) -> tuple[Expectation, ...]:
        blocks = self.outline.all("expect", t.Block)
        if not blocks:
            return ()
        # As above: many specs expect nothing.
        from atpdsl.semantics.arguments import ArgumentReader
        from atpdsl.semantics.asked_methods import AskedMethods
        from atpdsl.semantics.expectations import read_expectations
        from atpdsl.semantics.questions import Questions

        described = self.outline.one("circuit", t.Block) is not None
        asking = Questions(
            source=self.source,
            arguments=ArgumentReader(
                source=self.source,
                measured=measured,
                vocabulary=self.vocabulary,
                positions=self.positions,
                findings=self.findings,
            ),
            methods=AskedMethods(
                measured=measured,
                has_circuit=described or not self.outline.readable("circuit"),
                findings=self.findings,
            ),
            findings=self.findings,
        )
        expectations: list[Expectation] = []
        for block in blocks:
            self._no_name(block)
            expectations += read_expectations(block, self.source, asking, self.findings)
        return tuple(expectations)

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
            memory=settings.optional_integer("memory"),
            budget=settings.optional_number("budget"),
            deterministic=bool(settings["deterministic"]),
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
