"""The snippets of README.md and docs/ do what is said of them.

docs/language.md and docs/reference.md have tests of their own.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
from pathlib import Path

import pytest

from atpdsl.checking import Access, check_source
from atpdsl.cli import main
from atpdsl.problems import Source
from atpdsl.problems.render import plain
from tests.semantics.words import complete

ROOT = Path(__file__).parents[1]
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
README = (ROOT / "README.md").read_text(encoding="utf-8")
IOI = (ROOT / "specs" / "ioi.atp").read_text(encoding="utf-8")
# They need a network, an hour, an editor, or nothing but Make.
NOT_RUN = (
    "make ",
    "source ",
    "pip ",
    "code ",
    "python -m training.",
    "python -m benchmarks.",
    "atpdsl model add ",
    "atpdsl run specs/ioi_smollm2.atp",
    "atpdsl lsp",
    "pygmentize ",
)


def blocks(text: str) -> list[tuple[str, str]]:
    """The fenced blocks with their languages."""
    return re.findall(r"^```(\S*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def of_kind(kind: str, path: Path) -> list[str]:
    return [text for word, text in blocks(path.read_text(encoding="utf-8")) if word == kind]


def commands() -> list[str]:
    """Every line of every `sh` block, without its comment."""
    lines = [
        line.split("  #")[0].strip()
        for path in DOCUMENTS
        for text in of_kind("sh", path)
        for line in text.splitlines()
    ]
    return [line for line in lines if line and not line.startswith("#")]


RUN = [line for line in dict.fromkeys(commands()) if not line.startswith(NOT_RUN)]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_block_says_what_it_is(path):
    assert [text for kind, text in blocks(path.read_text(encoding="utf-8")) if not kind] == []


def test_the_spec_of_the_readme_is_the_one_that_is_run():
    (spec,) = of_kind("atp", ROOT / "README.md")

    assert spec == IOI


@pytest.mark.parametrize(
    "line", of_kind("atp", ROOT / "docs" / "models" / "README.md")[0].splitlines()
)
def test_a_way_to_name_a_model_can_be_read(line, tmp_path):
    study = check_source(Source("spec.atp", complete(line)), tmp_path, Access(offline=True))

    # Whether there is such a model here is another question.
    assert {problem.code for problem in study.problems} <= {
        "ATP243",
        "ATP301",
        "ATP302",
        "ATP303",
        "ATP312",
    }


def test_the_message_of_the_readme_is_the_one_that_is_given():
    (shown,) = [text for text in of_kind("text", ROOT / "README.md") if text[:6] == "error["]
    (wrong,) = re.findall(r"^\d+ \| (.*)$", shown, re.MULTILINE)
    text = re.sub(r"^nodes \{.*?^\}", wrong, IOI, flags=re.MULTILINE | re.DOTALL)
    study = check_source(Source("ioi.atp", text), ROOT / "specs", Access(offline=True))

    assert plain(study.problems, study.source).split("\n\n")[0] + "\n" == shown


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with the shipped specs in which the README's spec was run; and what it said."""
    folder = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "specs", folder / "specs")
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="utf-8", write_through=True)
    with contextlib.chdir(folder), contextlib.redirect_stdout(out):
        assert main(["run", "specs/ioi.atp", "--quiet"]) == 0
    # What is compared with it.
    shutil.copytree(folder / "runs" / "ioi", folder / "runs" / "other")
    return folder, raw.getvalue().decode("utf-8")


def numbers(text: str) -> list[float]:
    return [float(number.replace(",", "")) for number in re.findall(r"\d[\d,]*\.?\d*", text)]


@pytest.mark.slow
def test_the_output_in_the_readme_is_the_real_one(ran):
    """Word for word, and every number to three digits; but for the time that it took."""
    shown = next(text for text in of_kind("text", ROOT / "README.md") if "top 20 of" in text)
    words = {re.sub(r"[\d,.]+", "0", line).strip(): line for line in ran[1].splitlines()}

    for line in shown.splitlines():
        if line == "..." or line.lstrip().startswith("cost"):
            continue
        like = re.sub(r"[\d,.]+", "0", line).strip()
        assert like in words or any(
            numbers(line) == pytest.approx(numbers(real), rel=1e-3) for real in words.values()
        ), line


@pytest.mark.slow
@pytest.mark.parametrize("line", RUN)
def test_a_command_of_the_documents_works(line, ran, monkeypatch, capsys):
    monkeypatch.chdir(ran[0])
    program, *words = shlex.split(line)
    for path in ("mine.atp", *(word for word in words if word.startswith(("ioi.", "report.")))):
        with contextlib.suppress(OSError):
            os.remove(path)

    assert program == "atpdsl"
    assert main(words) == 0, capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_python_of_the_documents_works(path, ran, monkeypatch):
    monkeypatch.chdir(ran[0])

    for text in of_kind("python", path):
        if "load_dataset(" in text:
            continue  # from a hub
        exec(compile(text, str(path), "exec"), {})  # noqa: S102 (our own documents)


def test_what_is_not_run_is_what_cannot_be():
    left = {line for line in commands() if line.startswith(NOT_RUN)}

    assert all(line.startswith("atpdsl ") for line in RUN)
    assert {"make run", "make test"} <= left
