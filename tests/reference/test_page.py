"""docs/reference.md is what the tables say, leaves nothing out, and its examples work."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from atpdsl.checking import Access, check_source, vocabulary
from atpdsl.problems import Source
from atpdsl.problems.codes import CODES
from atpdsl.problems.render import plain
from atpdsl.reference.page import page
from atpdsl.semantics.diagnosis import FLAG_QUANTITIES
from atpdsl.semantics.functions import FUNCTIONS
from atpdsl.semantics.result_functions import RESULT_FUNCTIONS
from atpdsl.semantics.schema import DIAGNOSE, LINES, PROMPTS_FROM_FILE, SHAPES, Key
from tests.semantics.words import DEFAULTS, complete

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
PAIRS = "clean,corrupted,right,wrong\nMary saw,John saw,Tom,Anna\n"
# What an example that is a part of a block is completed with.
LINES_AROUND = {
    "template": 'template "When {IO} and {S} went to the store, {S as S2} gave a drink to"',
    "slot": 'slot IO, S in ["Mary", "John", "Tom", "Anna"]',
    "corrupt": "corrupt S2 -> IO",
    "answer": 'answer " {IO}" vs " {S}"',
    "count": "count = 4",
}


def examples(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def problems_of(text: str, folder: Path) -> str:
    (folder / "pairs.csv").write_text(PAIRS, encoding="utf-8")
    study = check_source(Source("spec.atp", text), folder, Access(offline=True))
    return plain(study.problems, study.source)


def whole(example: str) -> str:
    """A spec around the lines of one."""
    lines = example.removeprefix("atp 1\n")
    prompts = DEFAULTS["prompts"]
    return complete(lines).replace(prompts, f"{prompts[:-1]}  count = 4\n}}")


def in_prompts(example: str) -> str:
    first = example.split(maxsplit=1)[0]
    if first == "pair":
        body = f'{example.strip()} {{ answer " Mary" vs " John" }}'
        return complete(f"prompts {{\n{body}\n}}")
    words = {line.split()[0] for line in example.strip().split("\n")}
    if first == "template":
        words -= {"slot"}
    around = [line for word, line in LINES_AROUND.items() if word not in words]
    used = ['keep = shouted != "TOM"'] if first == "let" else []
    lines = "\n".join((example.strip(), *around, *used))
    return complete(f"nodes {{ heads.z at last }}\nprompts {{\n{lines}\n}}")


def test_the_page_is_what_the_tables_say():
    assert page() == PAGE, "write it anew: atpdsl docs --markdown > docs/reference.md"


@pytest.mark.parametrize("example", examples("atp"))
def test_every_example_has_no_problems(tmp_path, example):
    assert problems_of(whole(example), tmp_path) == "no problems"


@pytest.mark.parametrize("example", examples("atp-prompts"))
def test_every_line_of_prompts_has_no_problems(tmp_path, example):
    assert problems_of(in_prompts(example), tmp_path) == "no problems"


@pytest.mark.parametrize("example", examples("atp-nodes"))
def test_every_selection_has_no_problems(tmp_path, example):
    assert problems_of(whole(f"nodes {{\n{example}}}"), tmp_path) == "no problems"


def test_the_examples_are_there():
    assert len(examples("atp")) > 25
    assert len(examples("atp-prompts")) >= 8
    assert len(examples("atp-nodes")) >= 13


def section(word: str) -> str:
    found = re.search(rf"^### `{re.escape(word)}`\n(.*?)^###? ", PAGE, re.MULTILINE | re.DOTALL)
    assert found, word
    return found[1]


@pytest.mark.parametrize(
    ("word", "key"),
    [
        (shape.word, key)
        for shape in (*SHAPES, PROMPTS_FROM_FILE, *LINES, *DIAGNOSE.parts)
        for key in shape.keys
        if not key.later
    ],
    ids=lambda part: part.name if isinstance(part, Key) else part,
)
def test_every_key_is_in_a_table_of_its_statement_with_its_default(word, key):
    row = next(
        line for line in section(word).split("\n") if line.startswith(f"| `{key.name}` |")
    )

    assert key.doc in row.replace("\\|", "|")
    if isinstance(key.default, bool):
        assert f"| `{'on' if key.default else 'off'}` |" in row
    elif isinstance(key.default, float):
        assert f"| `{key.default:.0%}` |" in row
    elif key.default is not None:
        assert f"| `{key.default}` |" in row
    assert all(f"`{choice}`" in row for choice in key.choices)


@pytest.mark.parametrize("part", FLAG_QUANTITIES)
def test_every_quantity_of_a_flag_is_in_a_table_of_its_diagnostic(part):
    rows = section(part).replace("\\|", "|").split("\n")

    for name, doc in FLAG_QUANTITIES[part].items():
        assert f"| `{name}` | {doc} |" in rows


def test_every_setting_of_a_method_is_in_its_own_table():
    chapter = PAGE.split("\n## Methods\n")[1].split("\n## ")[0]
    sections = dict(re.findall(r"^### `(\S+)`\n(.*?)(?=^### |\Z)", chapter, re.M | re.S))

    for method in vocabulary().methods:
        for param in method.params:
            (row,) = re.findall(rf"^\| `{param.name}` .*$", sections[method.name], re.M)
            assert param.doc in row


def test_every_name_that_a_spec_may_use_is_on_the_page():
    real = vocabulary()
    names = (
        *(shape.word for shape in (*SHAPES, *LINES)),
        *(kind for kind, _ in real.nodes),
        *(metric.name for metric in real.metrics),
        *(f"{reading.name}(...)" for reading in real.readings),
        *(method.name for method in real.methods),
        *(suffix for suffix, _ in real.exports),
        *real.executors,
        *FUNCTIONS,
        *(function.name for function in RESULT_FUNCTIONS),
        *CODES,
    )

    assert [name for name in names if f"`{name}`" not in PAGE] == []


def test_what_is_not_in_this_version_is_marked():
    for shape in SHAPES:
        if shape.later:
            assert "Not in this version" in section(shape.word)
