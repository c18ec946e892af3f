"""Runs whose numbers are the same to the last bit every time, on the same machine.

On a CPU they are so anyway: no operation that is used there depends on the order in which
threads come to its end. On a GPU some kernels add in any order; torch can be told to take
others, and cuBLAS needs a workspace of a fixed size.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from atpdsl.problems import Label, Problem, RunError

WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"
FIXED = ":4096:8"
"""One of the two that cuBLAS calls reproducible; the other saves 24 MB and is slower."""


@contextmanager
def reproducible(wanted: bool, at: Label | None = None) -> Iterator[None]:
    """Refuses operations whose result is not reproducible, if `wanted`; restores what was.

    Args:
        at: the model in the spec.

    Raises:
        RunError: ATP435 when the model needs such an operation.
    """
    if not wanted:
        yield
        return
    enabled = torch.are_deterministic_algorithms_enabled()
    lenient = torch.is_deterministic_algorithms_warn_only_enabled()
    workspace = os.environ.get(WORKSPACE)
    os.environ.setdefault(WORKSPACE, FIXED)
    torch.use_deterministic_algorithms(True)
    try:
        yield
    except RuntimeError as error:
        if "deterministic" not in str(error):
            raise
        raise RunError([_not_reproducible(error, at)]) from error
    finally:
        torch.use_deterministic_algorithms(enabled, warn_only=lenient)
        if workspace is None:
            del os.environ[WORKSPACE]


def _not_reproducible(error: RuntimeError, at: Label | None) -> Problem:
    what = str(error).split(" does not have")[0].strip().split("\n")[0]
    return Problem(
        code="ATP435",
        message=f"an operation has no reproducible form on this device: {what}",
        at=at,
        help="leave `deterministic` out, or run with `device = cpu`, which is reproducible",
    )
