import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from atpdsl.models import hub
from atpdsl.models.files import ModelFiles, Origin
from atpdsl.models.locate import locate
from atpdsl.problems import Problem
from tests.models.folders import LLAMA, code, ref, safetensors_bytes, write_model
from tests.models.hub_server import COMMIT, Hub, serving

FILES = {
    "config.json": json.dumps(LLAMA).encode(),
    "tokenizer.json": b"{}",
    "model.safetensors": safetensors_bytes({"a": (2, 3)}),
    "pytorch_model.bin": b"never fetched",
    "modeling.py": b"never fetched",
    "onnx/model.safetensors": b"never fetched",
    "README.md": b"not needed",
}


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    return tmp_path / "hf" / "hub"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    # The library reads `HF_HUB_OFFLINE` once, when it is imported.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    with serving(Hub(FILES)) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.address)
        yield running


def found(
    name: str, revision: str | None = None, *, offline: bool = False
) -> ModelFiles | Problem:
    return locate(ref(name, revision), base=Path(), offline=offline)


def put(cache: Path, name: str, commit: str = COMMIT, branch: str | None = "main") -> Path:
    """A whole model in the cache, as the library would have put it there."""
    folder = cache / f"models--{name.replace('/', '--')}"
    if branch is not None:
        (folder / "refs").mkdir(parents=True, exist_ok=True)
        (folder / "refs" / branch).write_text(commit)
    return write_model(folder / "snapshots" / commit)


def test_cached_model_needs_no_network(cache: Path) -> None:
    snapshot = put(cache, "org/model")

    assert found("org/model", offline=True) == ModelFiles(
        name="org/model", directory=snapshot, kind=Origin.HUB, revision=COMMIT
    )


@pytest.mark.parametrize("stored", ["gpt2", "openai-community/gpt2"])
def test_short_name_is_found_under_both_its_names(cache: Path, stored: str) -> None:
    snapshot = put(cache, stored)

    assert found("gpt2", offline=True).directory == snapshot


def test_revision_picks_the_snapshot(cache: Path) -> None:
    put(cache, "org/model")
    other = put(cache, "org/model", "f" * 40, "v2")

    assert found("org/model", "v2", offline=True).directory == other
    assert found("org/model", "f" * 40, offline=True).directory == other
    assert found("org/model", "fffffff", offline=True).revision == "f" * 40
    assert found("org/model", offline=True).revision == COMMIT
    assert code(found("org/model", "v3", offline=True)) == "ATP312"


def test_snapshot_that_is_not_whole_is_not_used(cache: Path) -> None:
    (put(cache, "org/model") / "model.safetensors").unlink()

    assert code(found("org/model", offline=True)) == "ATP312"


@pytest.mark.parametrize("revision", ["../../x", "", "a b", "-x"])
def test_revision_that_can_be_none_is_a_problem(revision: str) -> None:
    assert code(found("org/model", revision, offline=True)) == "ATP313"


def test_offline_fails_at_once_and_names_cache_and_fixes(cache: Path) -> None:
    problem = found("gpt2", offline=True)

    assert code(problem) == "ATP312"
    assert "this run is offline" in problem.message
    for part in (str(cache), "HF_HOME", "./folder", "atpdsl model add smollm2"):
        assert part in problem.help


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_environment_can_forbid_the_network(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "1")

    assert f"`{variable}` is set" in found("gpt2").message


def test_hub_that_is_not_there_is_asked_once_and_briefly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
    monkeypatch.setenv("HF_ENDPOINT", address)
    start = time.monotonic()

    problem = found("gpt2")

    assert f"{address} does not answer" in problem.message
    assert time.monotonic() - start < 5  # three seconds of patience, and slack


def test_hub_that_is_silent_is_given_up() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"

        assert not hub.is_reachable(address, patience=0.2)


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://x", "huggingface.co", ""])
def test_address_that_is_not_http_is_not_opened(address: str) -> None:
    assert not hub.is_reachable(address)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"HF_HUB_CACHE": "/a"}, "/a"),
        ({"HF_HUB_CACHE": "/a", "HF_HOME": "/b"}, "/a"),
        ({"HUGGINGFACE_HUB_CACHE": "/c"}, "/c"),
        ({"HF_HOME": "/b"}, "/b/hub"),
        ({"XDG_CACHE_HOME": "/d"}, "/d/huggingface/hub"),
    ],
)
def test_cache_is_where_hugging_face_libraries_have_it(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str
) -> None:
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert hub.hub_cache() == Path(expected)


def test_download_fetches_only_what_is_needed(server: Hub, cache: Path) -> None:
    files = found("org/model")

    assert isinstance(files, ModelFiles)
    assert (files.revision, files.kind) == (COMMIT, Origin.HUB)
    assert sorted(path.name for path in files.directory.iterdir()) == [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
    ]
    assert files.directory.is_relative_to(cache)


def test_downloaded_model_is_found_in_the_cache_afterwards(server: Hub) -> None:
    found("org/model")
    server.asked.clear()

    assert found("org/model").revision == COMMIT
    assert server.asked == []


def test_model_that_the_hub_lacks_is_a_problem(server: Hub) -> None:
    assert code(found("org/mode")) == "ATP313"


def test_revision_that_the_hub_lacks_is_a_problem(server: Hub) -> None:
    problem = found("org/model", "v9")

    assert code(problem) == "ATP313"
    assert "`v9`" in problem.message


def test_gated_model_says_where_to_accept_its_terms(server: Hub) -> None:
    server.gated = True

    problem = found("org/model")

    assert code(problem) == "ATP313"
    assert f"{server.address}/org/model" in problem.help


def test_model_with_only_pickled_weights_on_the_hub_is_a_problem(server: Hub) -> None:
    server.files = {name: data for name, data in FILES.items() if name != "model.safetensors"}

    assert code(found("org/model")) == "ATP305"
    assert not any("pytorch_model.bin" in path for path in server.asked)


def test_download_that_breaks_off_is_a_problem(
    server: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object, **__: object) -> str:
        raise OSError("the connection was lost\nand more")

    monkeypatch.setattr("huggingface_hub.snapshot_download", lost)
    problem = found("org/model")

    assert code(problem) == "ATP314"
    assert isinstance(problem, Problem)
    assert problem.message == "downloading `org/model` failed: the connection was lost"
