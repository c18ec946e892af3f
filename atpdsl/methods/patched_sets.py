"""What the baselines share: estimates out of patching sets of nodes by a scheme."""

from __future__ import annotations

from atpdsl.methods.method import Request
from atpdsl.planning.ops import Estimate, Forward, PatchSets, places_of
from atpdsl.planning.schemes import Scheme
from atpdsl.semantics.experiment import MethodCall


def estimates(request: Request, scheme: Scheme) -> tuple[Estimate, ...]:
    """One estimate per node set, all out of the same patched sets."""
    places = tuple(sorted({place for nodes in request.sets for place in places_of(nodes)}))
    numbers = [batch.number for batch in request.batches]
    patched = PatchSets(
        bases=tuple(
            request.measure(Forward(batch=number, side=request.base)) for number in numbers
        ),
        donors=tuple(
            Forward(batch=number, side=request.donor, captures=places) for number in numbers
        ),
        sets=request.sets,
        scheme=scheme,
    )
    return tuple(Estimate(source=patched, number=i) for i in range(len(request.sets)))


def whole(call: MethodCall, name: str) -> int:
    """The value of a setting of type `int` or `amount`.

    Raises:
        TypeError: when it has none.
    """
    value = call.settings.get(name)
    if not isinstance(value, int):
        raise TypeError(f"`{name}` is {value!r}")
    return value
