"""What a model is like before and after: evaluation mode, parameters, hooks, logits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from atpdsl.runtime.load import LoadedModel
from atpdsl.selftesting.alone import Alone
from atpdsl.selftesting.checks import Check

HOOKS = (
    "_forward_hooks",
    "_forward_pre_hooks",
    "_backward_hooks",
    "_backward_pre_hooks",
    "fwd_hooks",
    "bwd_hooks",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Of a model.

    Attributes:
        training: modules in training mode.
        hooks: (module, list of hooks) -> how many there are.
        parameters: name -> (times written, sum, whether it takes gradients, has one).
        logits: of the base prompts, one tensor per pair.
    """

    training: frozenset[str]
    hooks: dict[tuple[str, str], int]
    parameters: dict[str, tuple[int, float, bool, bool]]
    logits: tuple[Tensor, ...]


def state_of(model: LoadedModel, alones: list[Alone]) -> State:
    """The state of a model now."""
    training, hooks = set(), {}
    parameters: dict[str, tuple[int, float, bool, bool]] = {}
    for root in _roots(model.bridge):
        for name, module in root.named_modules():
            if module.training:
                training.add(name)
            for kind in HOOKS:
                hooks[name, kind] = len(getattr(module, kind, ()))
        for name, tensor in root.named_parameters():
            parameters[name] = _of_parameter(tensor)
    logits = tuple(alone.logits_again() for alone in alones)
    return State(
        training=frozenset(training), hooks=hooks, parameters=parameters, logits=logits
    )


def _roots(bridge: Any) -> list[nn.Module]:
    roots: list[nn.Module] = [bridge]
    original = getattr(bridge, "original_model", None)
    return [*roots, original] if isinstance(original, nn.Module) else roots


def _of_parameter(tensor: Tensor) -> tuple[int, float, bool, bool]:
    wide = torch.float64 if tensor.device.type != "mps" else torch.float32
    total = float(tensor.detach().sum(dtype=wide))
    return tensor._version, total, tensor.requires_grad, tensor.grad is not None


def state_checks(before: State, after: State) -> list[Check]:
    """Nothing may be another than it was."""
    return [
        Check(
            name="modules in training mode",
            numbers=len(after.hooks) // len(HOOKS),
            error=len(after.training),
            allowed=0,
            worst=min(after.training, default=""),
        ),
        _equal("parameters touched", before.parameters, after.parameters),
        _equal("hooks added or removed", before.hooks, after.hooks),
        _logits(before, after),
    ]


def _equal(name: str, before: dict[Any, Any], after: dict[Any, Any]) -> Check:
    keys = sorted(before.keys() | after.keys())
    other = [str(key) for key in keys if before.get(key) != after.get(key)]
    return Check(
        name=name, numbers=len(keys), error=len(other), allowed=0, worst=min(other, default="")
    )


def _logits(before: State, after: State) -> Check:
    pairs = list(zip(before.logits, after.logits, strict=True))
    error = max(float((a.double() - b.double()).abs().max()) for a, b in pairs)
    return Check(
        name="logits afterwards",
        numbers=sum(before.numel() for before, _ in pairs),
        error=error,
        allowed=0,
    )
