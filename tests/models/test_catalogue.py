import json
from pathlib import Path

import pytest

from atpdsl.models.add import add_model
from atpdsl.models.catalogue import ADDABLE, EMBEDDED, list_models
from atpdsl.models.check import check_folder
from atpdsl.models.config import read_shape
from atpdsl.models.files import ModelFiles
from atpdsl.models.shape import ModelShape
from atpdsl.models.weights import parameter_count


@pytest.mark.parametrize("name", EMBEDDED.names)
def test_embedded_model_is_whole_and_supported(name: str) -> None:
    assert check_folder(EMBEDDED[name].folder, at=None) is None
    assert isinstance(read_shape(EMBEDDED[name].folder), ModelShape)


def test_list_tells_what_is_ready_and_how_to_get_the_rest(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ATPDSL_CACHE", str(tmp_path))
    (tmp_path / "models" / "smollm2").mkdir(parents=True)
    source = tmp_path / "models" / "smollm2" / "source.json"
    source.write_text(json.dumps({"packages": []}))

    rows = {row.name: row for row in list_models()}

    assert tuple(rows) == (*EMBEDDED.names, *ADDABLE.names)
    assert rows["tiny"].ready
    assert rows["tiny"].parameters == parameter_count(EMBEDDED["tiny"].folder) > 100_000
    assert rows["smollm2"].where == str(source.parent)
    assert not rows["gemma3-270m"].ready
    assert rows["gemma3-270m"].where == "atpdsl model add gemma3-270m --accept-terms"


@pytest.mark.real_model
def test_smollm2_is_the_model_that_the_catalogue_says() -> None:
    files = add_model("smollm2")

    assert isinstance(files, ModelFiles)
    assert files.n_parameters() == ADDABLE["smollm2"].parameters
    shape = read_shape(files.directory)
    assert isinstance(shape, ModelShape)
    assert (shape.n_layers, shape.n_heads, shape.n_kv_heads) == (30, 9, 3)
    assert (files.directory / "LICENSE").is_file()
