"""Every code that binding uses is explained, and its examples are true."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

import atpdsl.binding
import atpdsl.models.tokenizer
from atpdsl.binding.bind import bind
from atpdsl.metrics import METRICS, READINGS
from atpdsl.models.shape import ModelShape
from atpdsl.models.tokenizer import ModelTokenizer
from atpdsl.nodes import NODE_KINDS
from atpdsl.problems import Source
from atpdsl.problems.codes.binding import CODES_BINDING
from atpdsl.semantics.resolve import resolve
from atpdsl.semantics.signature import Signature, Vocabulary
from atpdsl.syntax.parse import parse
from tests.binding.build import SHAPE
from tests.data_files import write_files

FOLDER = Path(atpdsl.binding.__file__).parent
VOCABULARY = Vocabulary(
    methods=(Signature(name="atp", summary="", estimates=True, needs_gradient=True),),
    metrics=tuple(metric.signature for metric in METRICS),
    nodes=tuple((kind.name, kind.unit.value) for kind in NODE_KINDS),
    exports=(),
    executors=("bridge",),
    readings=tuple(reading.signature for reading in READINGS),
)
TWELVE = replace(SHAPE, n_layers=12, n_heads=12, n_kv_heads=12)
SHAPES = {
    "ATP272": replace(TWELVE, n_heads=9, n_kv_heads=3),
    "ATP273": replace(TWELVE, architecture="GPTNeoXForCausalLM", parallel=True),
}
# What an example that leaves it out is completed with.
PROMPT_LINES = {
    "template": 'template "{S} and {IO} went. {S as S2} saw {IO as IO2} and"',
    "slot": 'slot IO, S in ["Mary", "John", "Tom"]',
    "corrupt": "corrupt S2 -> other",
    "answer": 'answer " Tom" vs " Lucy"',
    "count": "count = 2",
}
NODE_WORDS = ("heads", "mlp", "resid")
RESULT_WORDS = ("circuit", "diagnose", "expect")


def spec(example: str) -> str:
    """A whole spec around an example."""
    lines = example.split("\n")
    nodes = [line for line in lines if line.startswith(NODE_WORDS)] or ["mlp at last"]
    metric = [line for line in lines if line.startswith("metric")] or [
        "metric logit_diff at last"
    ]
    wanted_of_result = [line for line in lines if line.startswith(RESULT_WORDS)]
    others = (*NODE_WORDS, "metric", *RESULT_WORDS)
    prompts = [line for line in lines if not line.startswith(others)]
    if not example.startswith("prompts"):
        wanted = ("answer",) if example.startswith("pair") else tuple(PROMPT_LINES)
        added = [PROMPT_LINES[word] for word in wanted if word not in example]
        prompts = ["prompts {", *prompts, *added, "}"]
    return "\n".join(
        [
            'atp 1\nmodel "tiny"',
            *prompts,
            *metric,
            "nodes {",
            *nodes,
            "}",
            "method atp",
            *wanted_of_result,
            "",
        ]
    )


def codes(text: str, shape: ModelShape, tokenizer: ModelTokenizer, folder: Path) -> list[str]:
    source = Source("test.atp", text)
    tree, problems = parse(source)
    experiment, found = resolve(tree, source, VOCABULARY, folder)
    problems = (*problems, *found)
    if experiment is not None:
        problems += bind(experiment, shape, tokenizer, folder)[1]
    return [problem.code for problem in problems]


def test_used_codes_and_explained_codes_are_the_same() -> None:
    files = [*FOLDER.rglob("*.py"), Path(atpdsl.models.tokenizer.__file__)]
    used = {code for file in files for code in re.findall(r"ATP\d{3}", file.read_text("utf-8"))}
    explained = [code.code for code in CODES_BINDING]

    assert explained == sorted(used)


@pytest.mark.parametrize("code", [c for c in CODES_BINDING if c.bad], ids=lambda c: c.code)
def test_a_bad_example_has_its_problem_and_a_good_one_has_none(code, tiny, tmp_path) -> None:
    write_files(tmp_path)
    shape = SHAPES.get(code.code, TWELVE)

    assert set(codes(spec(code.bad), shape, tiny, tmp_path)) == {code.code}
    assert codes(spec(code.good), shape, tiny, tmp_path) == []
