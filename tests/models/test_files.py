import hashlib
import json
import os
from pathlib import Path

import pytest

from atpdsl.models.files import ModelFiles, Origin, cache_folder, digest
from tests.models.folders import safetensors_bytes, write_model


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("ATPDSL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def files(folder: Path) -> ModelFiles:
    return ModelFiles(name="m", directory=folder, kind=Origin.LOCAL)


def test_digest_of_one_weight_file_is_the_files_own(cache: Path, tmp_path: Path) -> None:
    model = write_model(tmp_path / "m")

    assert files(model).weights_digest() == sha((model / "model.safetensors").read_bytes())


def test_digest_of_several_files_covers_names_and_contents(cache: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "1", tmp_path / "2"
    one.write_bytes(b"first")
    two.write_bytes(b"second")

    assert digest((one, two)) == sha(f"{sha(b'first')}  1\n{sha(b'second')}  2\n".encode())


def test_digest_is_remembered_until_the_file_changes(cache: Path, tmp_path: Path) -> None:
    path = tmp_path / "w"
    path.write_bytes(b"old")
    digest((path,))
    memory = json.loads((cache / "digests.json").read_text())
    memory[str(path)][1] = "remembered"
    (cache / "digests.json").write_text(json.dumps(memory))

    assert digest((path,)) == "remembered"

    path.write_bytes(b"new")
    os.utime(path, ns=(1, 1))

    assert digest((path,)) == sha(b"new")


@pytest.mark.parametrize("memory", ["{", "[]", '{"a": 3, "b": ["x"]}', "[" * 100_000])
def test_memory_that_makes_no_sense_is_forgotten(
    cache: Path, tmp_path: Path, memory: str
) -> None:
    cache.mkdir()
    (cache / "digests.json").write_text(memory)
    path = tmp_path / "w"
    path.write_bytes(b"x")

    assert digest((path,)) == sha(b"x")


def test_cache_that_cannot_be_written_is_no_error(cache: Path, tmp_path: Path) -> None:
    cache.write_text("a file where the folder should be")
    path = tmp_path / "w"
    path.write_bytes(b"x")

    assert digest((path,)) == sha(b"x")


def test_cache_is_where_the_variable_says_else_where_the_platform_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ATPDSL_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path

    monkeypatch.delenv("ATPDSL_CACHE")
    assert cache_folder().name == "atpdsl"


def test_parameters_of_sharded_weights_add_up(tmp_path: Path) -> None:
    for name, tensors in (("1", {"a": (2, 3)}), ("2", {"b": (4,)})):
        (tmp_path / f"{name}.safetensors").write_bytes(safetensors_bytes(tensors))
    index = {"weight_map": {"a": "1.safetensors", "b": "2.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))

    assert files(tmp_path).n_parameters() == 10
