"""The grammar, specs' models and types reach users however they install."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GRAMMAR = ROOT / "grammars" / "atp.lark"

pytestmark = pytest.mark.slow


def build(target: str, source: Path, out: Path) -> Path:
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", f"--{target}", "-o", out, source],
        check=True,
        capture_output=True,
    )
    suffix = ".whl" if target == "wheel" else ".tar.gz"
    (built,) = out.glob(f"*{suffix}")
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    return build("sdist", ROOT, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def wheel_from_sdist(sdist, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (source,) = folder.iterdir()
    return build("wheel", source, tmp_path_factory.mktemp("again"))


def found_grammar(paths: list[Path], folder: Path) -> str:
    """The grammar that a Python sees whose atpdsl comes from `paths`."""
    program = (
        "import sys; sys.path[:0] = sys.argv[1:]\n"
        "import atpdsl.syntax.grammar as g\n"
        "sys.stdout.write(g.__file__ + '\\n' + g.grammar_text())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, paths)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    place, _, text = done.stdout.partition("\n")
    assert any(place.startswith(str(path)) for path in paths)
    return text


def unpacked(wheel: Path, folder: Path) -> Path:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_the_wheel_finds_its_grammar(wheel, tmp_path):
    found = found_grammar([unpacked(wheel, tmp_path / "site")], tmp_path)

    assert found == GRAMMAR.read_text()


def test_a_wheel_made_from_the_sdist_finds_its_grammar(wheel_from_sdist, tmp_path):
    found = found_grammar([unpacked(wheel_from_sdist, tmp_path / "site")], tmp_path)

    assert found == GRAMMAR.read_text()


def test_a_plain_checkout_finds_its_grammar(tmp_path):
    assert found_grammar([ROOT], tmp_path) == GRAMMAR.read_text()


def test_the_editable_install_reads_the_grammar_of_the_checkout():
    from atpdsl.syntax.grammar import grammar_text

    assert grammar_text() == GRAMMAR.read_text()


def test_both_wheels_hold_the_same_files(wheel, wheel_from_sdist):
    names = [
        {n for n in zipfile.ZipFile(path).namelist() if ".dist-info/" not in n}
        for path in (wheel, wheel_from_sdist)
    ]
    assert names[0] == names[1]


def test_the_wheel_says_that_it_is_typed_and_has_the_models(wheel):
    names = zipfile.ZipFile(wheel).namelist()

    assert "atpdsl/py.typed" in names
    for model in ("tiny", "induction", "tiny-llama"):
        assert f"atpdsl/embedded/{model}/model.safetensors" in names
        assert f"atpdsl/embedded/{model}/tokenizer.json" in names


def test_the_wheel_has_the_library(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    library = {path.name for path in (ROOT / "atpdsl" / "library").glob("*.atp")}

    assert "names.atp" in library
    assert {f"atpdsl/library/{name}" for name in library} <= set(names)


def test_the_models_in_the_wheel_are_at_most_five_megabytes(wheel):
    embedded = [
        entry
        for entry in zipfile.ZipFile(wheel).infolist()
        if entry.filename.startswith("atpdsl/embedded/")
    ]
    assert 0 < sum(entry.file_size for entry in embedded) <= 5_000_000


def test_the_wheel_holds_neither_tests_nor_training(wheel):
    names = zipfile.ZipFile(wheel).namelist()

    assert not [n for n in names if n.startswith(("tests/", "training/", "benchmarks/"))]
