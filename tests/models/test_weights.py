import json
from pathlib import Path

import pytest

from atpdsl.models.weights import (
    DamagedWeightsError,
    inspect,
    parameter_count,
    read_json,
    weight_files,
)
from tests.models.folders import safetensors_bytes, write_model


def test_parameters_are_counted_from_the_header(tmp_path: Path) -> None:
    assert parameter_count(write_model(tmp_path)) == 10


def test_single_file_goes_before_the_index(tmp_path: Path) -> None:
    write_model(tmp_path)
    (tmp_path / "model.safetensors.index.json").write_text('{"weight_map": {"a": "x"}}')

    assert weight_files(tmp_path) == (tmp_path / "model.safetensors",)


def test_index_lists_its_files_once_each(tmp_path: Path) -> None:
    index = {"weight_map": {"a": "2.safetensors", "b": "1.safetensors", "c": "2.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))

    assert [path.name for path in weight_files(tmp_path)] == ["1.safetensors", "2.safetensors"]


@pytest.mark.parametrize("index", ['{"weight_map": {"a": "../secret"}}', "[]", "{", "{}"])
def test_index_outside_its_folder_or_malformed_is_damaged(tmp_path: Path, index: str) -> None:
    (tmp_path / "model.safetensors.index.json").write_text(index)

    with pytest.raises(DamagedWeightsError):
        weight_files(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 7,
        (10**9).to_bytes(8, "little"),
        (2).to_bytes(8, "little") + b"[]",
        (9).to_bytes(8, "little") + b'{"a": {}}',
        safetensors_bytes({"a": (2, 3)})[:-1],
        safetensors_bytes({"a": (2, 3)}) + b"\x00",
    ],
)
def test_file_that_is_not_whole_is_damaged(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)

    with pytest.raises(DamagedWeightsError):
        inspect(path)


@pytest.mark.parametrize("text", ["[]", "{", "[" * 100_000, '{"a": "' + "x" * 5_000_000 + '"}'])
def test_json_that_is_no_configuration_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)

    with pytest.raises(ValueError, match=r".+"):
        read_json(path)
