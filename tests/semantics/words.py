"""A small vocabulary, and specs made whole from a few lines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from atpdsl.elaboration.elaborate import NOTHING, elaborate
from atpdsl.problems import Problem, Severity, Source
from atpdsl.semantics.experiment import Experiment
from atpdsl.semantics.resolve import resolve
from atpdsl.semantics.signature import Param, Signature, Vocabulary
from atpdsl.syntax.parse import parse

DROPS = ("off", "on", "every_layer", "every_sublayer", "first_reader", "auto")
VOCABULARY = Vocabulary(
    methods=(
        Signature(name="ap", summary="exact"),
        Signature(
            name="atp",
            summary="an estimate",
            estimates=True,
            needs_gradient=True,
            params=(
                Param(name="qk_fix", type="bool", default=False, doc="a correction"),
                Param(name="grad_drop", type="word", default="off", doc="", choices=DROPS),
            ),
        ),
        Signature(
            name="atp*",
            summary="an estimate with corrections",
            estimates=True,
            needs_gradient=True,
            params=(
                Param(name="qk_fix", type="bool", default=True, doc="a correction"),
                Param(name="grad_drop", type="word", default="auto", doc="", choices=DROPS),
            ),
        ),
        Signature(name="auto", summary="one or the other", estimates=True),
        Signature(
            name="subsampling",
            summary="an estimate without a gradient",
            estimates=True,
            params=(
                Param(
                    name="inclusion",
                    type="share",
                    default=0.03,
                    doc="of the nodes in each set",
                    minimum=0.0001,
                    maximum=0.5,
                ),
            ),
        ),
        Signature(
            name="hierarchical",
            summary="another",
            estimates=True,
            params=(Param(name="most", type="amount", default=None, doc="at most", minimum=1),),
        ),
        Signature(
            name="stepped",
            summary="an estimate with settings",
            estimates=True,
            needs_gradient=True,
            params=(
                Param(name="steps", type="int", default=5, doc="steps", minimum=1),
                Param(name="over", type="word", default="all", doc="", choices=("all", "one")),
                Param(name="scale", type="float", default=1.0, doc="a factor"),
                Param(name="exact", type="bool", default=False, doc="exactness"),
            ),
        ),
    ),
    metrics=(
        Signature(name="logit_diff", summary="", needs_answer=True, needs_foil=True),
        Signature(name="prob_diff", summary="", needs_answer=True, needs_foil=True),
        Signature(name="nll", summary="", needs_answer=True),
        Signature(name="kl", summary=""),
        Signature(name="entropy", summary=""),
    ),
    nodes=(
        ("heads.q", "head"),
        ("heads.k", "kv_head"),
        ("heads.v", "kv_head"),
        ("heads.z", "head"),
        ("attn", "vector"),
        ("mlp", "vector"),
        ("neurons", "neuron"),
        ("resid.pre", "vector"),
        ("resid.mid", "vector"),
        ("resid.post", "vector"),
        ("embed", "vector"),
    ),
    exports=(
        (".graphml", "graphml"),
        (".gexf", "gexf"),
        (".csv", "csv"),
        (".parquet", "parquet"),
        (".json", "json"),
    ),
    executors=("bridge", "null"),
    readings=(
        Signature(name="logit", summary=""),
        Signature(name="prob", summary=""),
        Signature(name="logprob", summary=""),
        Signature(name="loss", summary=""),
        Signature(name="rank", summary="", differentiable=False),
    ),
    attending=("heads.q", "heads.k"),
)

DEFAULTS = {
    "model": 'model "tiny"',
    "prompts": """\
prompts {
  template "When {IO} and {S} went to the store, {S as S2} gave a drink to"
  slot IO, S in ["Mary", "John", "Tom"]
  corrupt S2 -> IO
  answer " {IO}" vs " {S}"
}""",
    "metric": "metric logit_diff at last",
    "nodes": "nodes { heads.z at every }",
    "method": "method atp",
}


def complete(lines: str) -> str:
    """A whole spec: the lines, and what they lack; lines with an `atp` are a spec already."""
    words = set(re.findall(r"^(\w+)", lines, re.MULTILINE))
    if "atp" in words:
        return lines
    rest = (text for word, text in DEFAULTS.items() if word not in words)
    return "\n".join(("atp 1", lines, *rest)) + "\n"


def resolved(
    text: str, *, base: Path = Path(), name: str = "spec.atp"
) -> tuple[Experiment | None, tuple[Problem, ...]]:
    """The experiment of a whole spec, and the problems of its text and its meaning."""
    experiments, problems = all_resolved(text, base=base, name=name)
    return experiments[0], problems


def all_resolved(
    text: str,
    *,
    base: Path = Path(),
    name: str = "spec.atp",
    given: Mapping[str, str] = NOTHING,
) -> tuple[tuple[Experiment | None, ...], tuple[Problem, ...]]:
    """The experiments of all points of a spec, and all its problems."""
    source = Source(name, text)
    tree, problems = parse(source)
    program = elaborate(tree, source, base, given, vocabulary=VOCABULARY)
    made = [resolve(point.tree, program.source, VOCABULARY, base) for point in program.points]
    found = [problem for _, own in made for problem in own]
    problems = (*problems, *program.problems, *dict.fromkeys(found))
    if any(problem.severity is Severity.ERROR for problem in program.problems):
        return (None,) * len(made), problems
    return tuple(experiment for experiment, _ in made), problems


def experiment_of(lines: str, *, base: Path = Path()) -> Experiment:
    """The experiment of some lines; they must be right."""
    experiment, problems = resolved(complete(lines), base=base)
    assert problems == ()
    assert experiment is not None
    return experiment


def found(lines: str, *, base: Path = Path()) -> list[tuple[str, str]]:
    """The problems of some lines: codes, and the text that each points at."""
    text = complete(lines)
    _, problems = resolved(text, base=base)
    return [(p.code, text[p.at.span.start : p.at.span.end] if p.at else "") for p in problems]


def helps(lines: str) -> list[str]:
    """The help of each problem of some lines."""
    return [problem.help for problem in resolved(complete(lines))[1]]
