"""`atpdsl check`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from atpdsl import driver
from atpdsl.binding.bind import Bound
from atpdsl.cli.failures import DONE, SPEC
from atpdsl.cli.terminal import count, facts, say, say_json, show, tell_problems, word
from atpdsl.problems import render
from atpdsl.problems.clean import clean


def check(chosen: argparse.Namespace) -> int:
    """Say what is wrong with a spec, or what it asks for."""
    checked = driver.check(
        chosen.spec, offline=chosen.offline, trust_remote_code=chosen.trust_remote_code
    )
    code = SPEC if checked.errors else DONE
    if chosen.json or chosen.format == "json":
        say_json(
            "atpdsl/check/1",
            good=not checked.errors,
            pairs=None if checked.bound is None else len(checked.bound.pairs),
            nodes=None if checked.bound is None else checked.bound.node_count,
            problems=render.as_json(checked.problems, checked.source),
        )
        return code
    if checked.problems:
        tell_problems(checked.problems, checked.source, json=False)
    if checked.bound is not None and not checked.errors:
        warnings = len(checked.warnings)
        found = count(warnings, "warning") if warnings else "no problems"
        say(f"{clean(str(chosen.spec))}: {found}")
        show(facts(_content(checked.bound, str(chosen.spec))))
    return code


def _content(bound: Bound, spec: str) -> Iterator[tuple[str, str]]:
    experiment, shape = bound.experiment, bound.shape
    lengths = {len(pair.clean) for pair in bound.pairs.pairs}
    tokens = f"{min(lengths)} to {max(lengths)}" if len(lengths) > 1 else f"{max(lengths)}"
    yield (
        "model",
        f"{clean(experiment.model.name)}: {shape.n_layers} layers of {shape.n_heads} heads",
    )
    yield "prompts", f"{count(len(bound.pairs), 'pair')} of {tokens} tokens"
    yield "metric", f"{experiment.metric.name} at {clean(experiment.metric.position)}"
    yield "nodes", f"{bound.node_count:,}"
    yield "methods", ", ".join(f"{clean(m.label)} ({m.direction})" for m in experiment.methods)
    if experiment.verify is not None:
        yield "verify", f"top {experiment.verify.top}, random {experiment.verify.random}"
    yield "next", f"atpdsl plan {word(spec)}"
