from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.editor.client import Client


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the editor has open."""
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(scope="module")
def client(root: Path, session_cache: Path) -> Iterator[Client]:
    """A server, ready to be asked; the tests of a module share it."""
    found = Client(session_cache / "atpdsl")
    found.initialize(root)
    yield found
    found.kill()
