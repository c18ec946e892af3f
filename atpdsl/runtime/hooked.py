"""Hooks on a bridge that leave no trace, and the states of a bridge in which they would lie."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from operator import attrgetter
from typing import Any

from torch import Tensor, nn
from transformer_lens.hook_points import HookPoint

from atpdsl.problems import Problem, RunError

HookFunction = Callable[[Tensor, Any], Tensor | None]
"""(activation, hook point) -> the activation that the model goes on with; None: the same."""

# Hooks that a flag of the bridge silences: with it on they do not fire, or fire and the model
# goes on with something else. Written as ends of TransformerLens' canonical names, with `*`
# for any name below.
_BEFORE_THE_SPLIT = (
    "attn.hook_in",
    "attn.q.hook_in",
    "attn.k.hook_in",
    "attn.v.hook_in",
    "ln1.*",
)
SILENCED: dict[str, tuple[str, ...]] = {
    "use_split_qkv_input": _BEFORE_THE_SPLIT,
    "use_attn_in": _BEFORE_THE_SPLIT,
    "use_attn_result": ("attn.o.hook_out",),
}


@contextmanager
def hooked(bridge: Any, fwd_hooks: Sequence[tuple[str, HookFunction]]) -> Iterator[None]:
    """Forward hooks for the length of a `with`; afterwards exactly these are gone.

    Hooks of others and the bridge's flags are left as found, after an exception too. What a
    hook sees is always part of the graph: the tensor goes on through it even where the hook
    returns None (at q, k, v and z TransformerLens shows a view that is not, unless returned).

    Args:
        bridge: a `TransformerBridge`, not in compatibility mode.
        fwd_hooks: names (either spelling) with functions, run in this order at equal names.

    Raises:
        RunError: when the bridge is in a state in which one of these hooks would not do what
            it says.
        KeyError: when there is no hook of that name.
    """
    points = [(hook_point(bridge, name), function) for name, function in fwd_hooks]
    problems = [*_silenced(bridge, points), *_compatibility(bridge)]
    if problems:
        raise RunError(problems)
    added: list[tuple[Any, Any]] = []
    try:
        for point, function in points:
            added.append((point, point.add_hook(_returning(function))))
        yield
    finally:
        for point, handle in added:
            handle.hook.remove()
            point.fwd_hooks[:] = [other for other in point.fwd_hooks if other is not handle]


def hook_point(bridge: Any, name: str) -> Any:
    """The `HookPoint` of a name in either spelling.

    The same one as `bridge.hook_dict[name]`, without making that dictionary of all names anew.

    Raises:
        KeyError: when there is none.
    """
    try:
        point = attrgetter(name)(bridge)
    except AttributeError:
        point = None
    if not isinstance(point, HookPoint):
        raise KeyError(f"this model has no hook `{name}`")
    return point


def _returning(function: HookFunction) -> HookFunction:
    def hook(tensor: Tensor, hook: Any) -> Tensor:
        result = function(tensor, hook)
        return tensor if result is None else result

    return hook


def _silenced(
    bridge: Any, points: Sequence[tuple[HookPoint, HookFunction]]
) -> Iterator[Problem]:
    """Hooks that would not work with the bridge's flags as they are."""
    flags = [flag for flag in SILENCED if getattr(bridge.cfg, flag, False)]
    for name in dict.fromkeys(str(point.name) for point, _ in points):
        for flag in flags:
            if any(_ends(name, end) for end in SILENCED[flag]):
                yield Problem(
                    code="ATP324",
                    message=f"the hook `{name}` has no effect while `{flag}` is on",
                    help=f"call `bridge.set_{flag}(False)` first",
                )
        try:
            bridge.check_hooks_to_add(hook_point(bridge, name), name, None)
        except ValueError as error:
            yield Problem(
                code="ATP324", message=f"the hook `{name}` never fires", help=str(error)
            )


def _ends(canonical: str, end: str) -> bool:
    """Whether a canonical name ends so, from a dot on; `ln1.*` stands for all below `ln1`."""
    if end.endswith(".*"):
        return f".{end[:-1]}" in f".{canonical}"
    return f".{canonical}".endswith(f".{end}")


def check_bridge(bridge: Any) -> tuple[Problem, ...]:
    """What keeps a bridge from giving right numbers; nothing for one that `load_model` made."""
    return (*_compatibility(bridge), *_training(bridge))


def _compatibility(bridge: Any) -> Iterator[Problem]:
    """Compatibility mode folds weights; if it was told not to, that cannot be seen later."""
    if getattr(bridge, "compatibility_mode", False):
        yield Problem(
            code="ATP325",
            message="the bridge is in compatibility mode, in which nodes have other values "
            "than in the Hugging Face model",
            help="load the model again without `enable_compatibility_mode()`",
        )


def _training(bridge: Any) -> Iterator[Problem]:
    """Dropout makes every run another model, so no part may be in training mode."""
    roots: list[nn.Module] = [bridge]
    original = getattr(bridge, "original_model", None)
    if isinstance(original, nn.Module):
        roots.append(original)
    training = [
        name or type(module).__name__
        for root in roots
        for name, module in root.named_modules()
        if module.training
    ]
    if training:
        yield Problem(
            code="ATP326",
            message=f"the model is in training mode (at `{training[0]}`), so dropout is on",
            help="call `bridge.eval()`",
        )
