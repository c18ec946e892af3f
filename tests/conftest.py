"""What every test has: no network, a cache of its own, one thread; and shared fixtures."""

from __future__ import annotations

import os
import socket
from pathlib import Path

# Before torch and transformers are imported anywhere: they read these once.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"

import pytest

from atpdsl.models.files import SOURCE, added_folder
from tests.families import FAMILIES

REAL_MODEL = "smollm2"
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips what needs weights or hardware that is not here; in CI, weights are fetched."""
    if not (os.environ.get("CI") or (added_folder(REAL_MODEL) / SOURCE).is_file()):
        reason = pytest.mark.skip(reason=f"needs `atpdsl model add {REAL_MODEL}`")
        for item in items:
            if item.get_closest_marker("real_model"):
                item.add_marker(reason)
    on_gpu = [item for item in items if item.get_closest_marker("gpu")]
    if on_gpu:
        import torch

        if not torch.cuda.is_available():
            for item in on_gpu:
                item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))


@pytest.fixture(scope="session")
def session_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty cache that all tests of the session share."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def own_cache(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, session_cache: Path
) -> None:
    """Keeps tests out of the user's caches; tests on the real model read its folder there."""
    monkeypatch.setenv("HF_HOME", str(session_cache / "huggingface"))
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_ENDPOINT"):
        monkeypatch.delenv(variable, raising=False)
    if not request.node.get_closest_marker("real_model"):
        monkeypatch.setenv("ATPDSL_CACHE", str(session_cache / "atpdsl"))


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuses connections to other machines."""
    connect = socket.socket.connect

    def refuse(self: socket.socket, address: object) -> None:
        remote = self.family in {socket.AF_INET, socket.AF_INET6}
        if remote and isinstance(address, tuple) and address[0] not in LOOPBACK:
            raise OSError(f"a test tried to reach {address}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    """Each family of `tests.small_models` in turn."""
    return request.param
