from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from atpdsl.semantics.experiment import Experiment
from atpdsl.semantics.resolve import experiment_name
from tests.semantics.words import complete, experiment_of, resolved

ROOT = Path(__file__).parents[2]
SPECS = sorted((ROOT / "specs").glob("*.atp"))
HEAVY = ("torch", "transformers", "transformer_lens", "networkx", "numpy", "pandas")


def resolve_spec(path: Path) -> Experiment:
    text = path.read_text(encoding="utf-8")
    experiment, problems = resolved(text, base=path.parent, name=str(path))
    assert problems == ()
    assert experiment is not None
    return experiment


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.name)
def test_shipped_specs_have_no_problems(path):
    experiment = resolve_spec(path)

    assert experiment.name == path.stem
    assert experiment.doc
    assert experiment.exports


def test_the_first_spec_reads_as_the_readme_says():
    experiment = resolve_spec(ROOT / "specs" / "ioi.atp")

    assert experiment.model.name == "tiny"
    assert [method.label for method in experiment.methods] == ["atp"]
    assert experiment.verify is not None
    assert (experiment.verify.top, experiment.verify.random) == (20, 20)
    assert [export.path for export in experiment.exports] == ["ioi.graphml", "ioi.csv"]
    assert {node.kind for node in experiment.nodes} >= {"heads.q", "heads.k", "heads.v", "mlp"}


def test_the_spec_of_the_real_model_asks_for_what_the_issue_names():
    experiment = resolve_spec(ROOT / "specs" / "ioi_smollm2.atp")
    (part,) = experiment.prompts.parts

    assert experiment.model.name == "smollm2"
    assert getattr(part, "count", None) == 32
    assert experiment.verify is not None
    assert experiment.verify.top == 20


def test_the_doc_comment_comes_along():
    assert experiment_of('## What is asked\nmodel "tiny"').doc == "What is asked"


def test_equal_specs_give_equal_experiments():
    assert experiment_of("run { seed = 3 }") == experiment_of("run { seed = 3 }")
    assert experiment_of("run { seed = 3 }") != experiment_of("run { seed = 4 }")


def test_an_experiment_does_not_depend_on_line_ends():
    text = complete("run { seed = 3 }")
    unix, problems = resolved(text)
    dos, found = resolved(text.replace("\n", "\r\n"))

    assert problems == found == ()
    assert unix is not None
    assert dos is not None
    assert unix.prompts.parts[0] != dos.prompts.parts[0]
    assert unix.run == dos.run
    assert [n.kind for n in unix.nodes] == [n.kind for n in dos.nodes]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("specs/ioi.atp", "ioi"),
        ("C:\\specs\\my ioi.atp", "my_ioi"),
        ("<string>", "string"),
        ("../..atp", "spec"),
        ("a.b.atp", "a.b"),
        ("ä\x00/\u202eé.atp", "é"),
        ("", "spec"),
    ],
)
def test_an_experiment_is_called_like_its_file(source, name):
    assert experiment_name(source) == name


def test_ten_mistakes_of_meaning_are_all_told():
    text = """\
atp 1
model "tiny" { dtyp = float32 }
prompts {
  template "When {IO} and {X} went, {S as S2} gave it to"
  slot IO, S in []
  corrupt S2 -> IO
}
metric logit_dif at last
nodes {
  heads at every
  heads.z
  heads.z[9.6] at S3
}
method apt
verify { top = many }
run { device = gpu }
export "../a.csv", "b.xyz"
"""

    codes = [problem.code for problem in resolved(text)[1]]

    assert codes == [
        "ATP105",
        "ATP241",
        "ATP204",
        "ATP112",
        "ATP220",
        "ATP221",
        "ATP222",
        "ATP262",
        "ATP111",
        "ATP108",
        "ATP321",
        "ATP117",
        "ATP118",
    ]


def test_reading_a_spec_imports_nothing_heavy():
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tests.semantics.words import resolved\n"
        "experiment, problems = resolved(Path('specs/ioi.atp').read_text())\n"
        "assert experiment and not problems, problems\n"
        f"print([name for name in {HEAVY} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"
