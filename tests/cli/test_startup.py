"""What is imported when: heavy libraries only for what needs them."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"torch", "transformers", "transformer_lens", "networkx", "pandas"}
LATER = HEAVY | {"rich", "lark", "pyarrow", "numpy", "tokenizers"}


def loaded(code: str) -> set[str]:
    """The modules that a fresh interpreter has after `code`."""
    program = f"{code}\nimport sys; print('\\n' + ' '.join(sys.modules))"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=False, text=True
    )
    assert run.returncode == 0, run.stderr
    return set(run.stdout.splitlines()[-1].split())


def test_the_command_line_itself_is_light():
    assert LATER.isdisjoint(loaded("import atpdsl.cli"))


@pytest.mark.parametrize(
    "words",
    [
        ["check", "good.atp"],
        ["plan", "good.atp"],
        ["tokens", "good.atp"],
        ["explain", "ATP440"],
        ["list"],
    ],
)
def test_nothing_but_a_run_imports_torch(words):
    assert HEAVY.isdisjoint(loaded(f"from atpdsl.cli import main; main({words!r})"))


def test_the_module_can_be_run():
    run = subprocess.run(
        [sys.executable, "-m", "atpdsl", "--version"],
        capture_output=True,
        check=False,
        text=True,
    )

    assert run.stdout.startswith("atpdsl ")
    assert run.returncode == 0
