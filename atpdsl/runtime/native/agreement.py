"""Whether the native engine computes what the bridge does, on a few tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from atpdsl.nodes import NODE_KINDS, Unit
from atpdsl.planning.ops import Backward, Forward, Measure, Place, Side
from atpdsl.problems import Span
from atpdsl.runtime.bridge import BridgeEngine
from atpdsl.runtime.engine import Engine, PatchedRows
from atpdsl.runtime.forward import Patch, Run
from atpdsl.runtime.load import LoadedModel
from atpdsl.runtime.native.engine import NativeEngine
from atpdsl.runtime.native.families import UnknownModelError
from atpdsl.runtime.prompts import Prompts
from atpdsl.runtime.sites import at_least_float32, unit_axis
from atpdsl.semantics.experiment import MetricCall

ROWS, TOKENS = 2, 8
TOLERANCE: Mapping[torch.dtype, float] = {
    # The Hugging Face code takes softmaxes in float32 within float64 models.
    torch.float64: 1e-5,
    torch.float32: 1e-3,
    torch.float16: 3e-2,
    torch.bfloat16: 2e-1,
}
"""How far two engines may be apart, relative to the size (as vectors). In half precision
gradients of keys, which nearly cancel, differ by up to a tenth by rounding alone."""
_CHECKED: WeakKeyDictionary[object, str] = WeakKeyDictionary()


def checked_engine(model: LoadedModel) -> tuple[NativeEngine | None, str]:
    """The native engine if it may be used, or why not; a model is checked once.

    Compared with the bridge are the logits of two prompts, activations of every kind in the
    first, a middle and the last layer, gradients at them, and the logits after patching one
    of each kind.
    """
    try:
        engine = NativeEngine(model)
    except UnknownModelError as error:
        return None, str(error)
    if model.bridge not in _CHECKED:
        _CHECKED[model.bridge] = disagreement(BridgeEngine(model), engine)
    reason = _CHECKED[model.bridge]
    return (None, reason) if reason else (engine, "")


def disagreement(one: Engine, other: Engine) -> str:
    """Where two engines differ by more than rounding; empty where they do not."""
    tolerance = TOLERANCE[_dtype(one.model)]
    mine, theirs = (_sample(engine) for engine in (one, other))
    for name, expected in mine.items():
        found = theirs[name]
        size = float(at_least_float32(expected).norm())
        off = float((at_least_float32(found) - at_least_float32(expected)).norm())
        if not off <= tolerance * max(size, 1e-30):
            return f"its {name} differ from the bridge's by {off:.2g} of {size:.2g}"
    return ""


def _sample(engine: Engine) -> Mapping[str, Tensor]:
    """Logits, activations, gradients and patched logits, by what they are."""
    model = engine.model
    prompts = _prompts(model)
    places = tuple(sorted(_places(model)))
    forward = Forward(
        batch=0,
        side=Side.CLEAN,
        captures=places,
        tracked=True,
        segmented=True,
        resumable=True,
    )
    run = engine.run(prompts, forward, None)
    metric = MetricCall(name="logit_diff", position="last", span=Span(0, 0))
    backward = Backward(measure=Measure(forward=forward, metric=metric), places=places)
    with torch.enable_grad():
        difference = run.logits[:, 1] - run.logits[:, 2]
    found = {"logits": run.logits.detach()}
    # In a last layer the native engine has only what is read.
    found |= {
        f"activations at `{place.kind}` of layer {place.layer}": _read(values, place, model)
        for place, values in run.values.items()
    }
    for gradients in engine.gradients(backward, difference, run, more=False):
        for name, gradient in gradients.plain.items():
            found[f"gradients at `{name}`"] = gradient
    rows = _patched(prompts, run, places)
    found["logits after patching"] = engine.patched(rows)
    return found


def _read(values: Tensor, place: Place, model: LoadedModel) -> Tensor:
    return values[:, -1:] if place.layer == model.shape.n_layers - 1 else values[:]


def _prompts(model: LoadedModel) -> Prompts:
    length = min(TOKENS, model.shape.n_context)
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(model.shape.d_vocab, (ROWS, length), generator=generator)
    reads = torch.full((ROWS,), length - 1)
    return Prompts(tokens=tokens.to(model.device), reads=reads.to(model.device))


def _places(model: LoadedModel) -> Iterator[Place]:
    shape = model.shape
    for kind in NODE_KINDS:
        if kind.sequential_only and shape.parallel:
            continue
        last = shape.n_layers - 1
        for layer in {0, last // 2, last} if kind.layered else {0}:
            yield Place(kind.name, layer)


def _patched(prompts: Prompts, run: Run, places: tuple[Place, ...]) -> PatchedRows:
    """One row for each place: the first prompt, with a value of the second at a position."""
    device = prompts.tokens.device
    position = prompts.tokens.shape[1] // 2
    pair = torch.zeros(len(places), dtype=torch.long, device=device)
    at = torch.tensor([position], device=device)
    unit = torch.zeros(1, dtype=torch.long, device=device)
    patches = [
        Patch(
            place=place,
            row=torch.tensor([number], device=device),
            position=at,
            unit=None if unit_axis(place) is Unit.VECTOR else unit,
            value=_value(run.values[place][1, position], place)[None],
        )
        for number, place in enumerate(places)
    ]
    rows = Prompts(tokens=prompts.tokens[pair], reads=prompts.reads[pair])
    base = run if run.native is not None else None
    return PatchedRows(prompts=rows, patches=patches, base=base, pair=pair)


def _value(activation: Tensor, place: Place) -> Tensor:
    return activation if unit_axis(place) is Unit.VECTOR else activation[0]


def _dtype(model: LoadedModel) -> torch.dtype:
    from atpdsl.runtime.load import DTYPES

    return DTYPES[model.dtype]
