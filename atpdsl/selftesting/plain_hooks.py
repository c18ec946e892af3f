"""Patching by PyTorch's own module hooks on the wrapped Hugging Face modules.

The engine patches at TransformerLens' hook points. The same activation is the input or the
output of a module of the Hugging Face model, where this twin writes it, with nothing of
TransformerLens in between. Where TransformerLens computes something itself, the module is
never called, and there is nothing to compare.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from operator import attrgetter
from typing import Any

from torch import Tensor, nn

from atpdsl.runtime.hooked import hook_point
from atpdsl.runtime.load import LoadedModel
from atpdsl.runtime.sites import site_of
from atpdsl.selftesting.alone import Alone, Change


def patched_plainly(model: LoadedModel, alone: Alone, change: Change) -> float | None:
    """The metric of the base run with a change made by a module hook; None if it cannot be."""
    site = site_of(change.place)
    if site.stream is not None:
        return None
    owner, _, side = str(hook_point(model.bridge, site.write).name).rpartition(".")
    module = getattr(attrgetter(owner)(model.bridge), "original_component", None)
    if not isinstance(module, nn.Module):
        return None
    shape = alone.base_run.values[change.place].shape
    with _written(module, change, shape, side.endswith("in")) as reached:
        (metric,) = alone.metrics([[]])
    return metric if reached == [True] else None


@contextmanager
def _written(
    module: nn.Module, change: Change, shape: tuple[int, ...], is_input: bool
) -> Iterator[list[bool]]:
    """A module hook that makes the change; the list gets an item each time it is called."""
    reached: list[bool] = []

    def changed(tensor: Tensor) -> Tensor:
        whole = tensor.clone()
        view = whole.reshape(shape)
        at = view[0] if change.unit is None else view[0, :, change.unit]
        at[list(change.positions)] = change.values
        reached.append(view.data_ptr() == whole.data_ptr())
        return whole

    def before(_module: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
        return (changed(given[0]), *given[1:])

    def after(_module: nn.Module, _given: object, output: Any) -> Any:
        if isinstance(output, Tensor):
            return changed(output)
        return (changed(output[0]), *output[1:])

    handle = (
        module.register_forward_pre_hook(before)
        if is_input
        else module.register_forward_hook(after)
    )
    try:
        yield reached
    finally:
        handle.remove()
