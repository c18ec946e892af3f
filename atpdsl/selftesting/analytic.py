"""All cases whose answers are known, as parts of a self-test."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from atpdsl.problems import Problem, RunError
from atpdsl.runtime.load import pick_device
from atpdsl.selftesting.analytic_attention import attention_cases
from atpdsl.selftesting.analytic_counting import counting_cases
from atpdsl.selftesting.analytic_layers import layer_cases
from atpdsl.selftesting.checks import Part

TITLE = "analytic cases"


def analytic_parts(device: str) -> Iterator[Part]:
    """The cases in float64 and in float32.

    Args:
        device: `auto`, or as torch writes it.

    Raises:
        RunError: when there is no such device.
    """
    place = pick_device(device)
    if isinstance(place, Problem):
        raise RunError([place])
    for name, dtype in (("float64", torch.float64), ("float32", torch.float32)):
        # Apple's GPUs have no float64.
        here = "cpu" if place == "mps" and name == "float64" else place
        checks = [*attention_cases(dtype, here), *layer_cases(dtype, here)]
        if name == "float64":
            checks += counting_cases()
        yield Part(title=TITLE, dtype=name, device=here, checks=tuple(checks))
