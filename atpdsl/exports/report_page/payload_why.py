"""What flags mean, for the view that says why a node has them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from atpdsl.results.result import Result

FLAG_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "cancellation": "cancellation: its paths cancel, so that a small error of one is a "
        "large error of the sum",
        "saturation": "saturation: the patch moves attention too far for a gradient",
        "uncertainty": "uncertainty: it differs much between pairs",
        "not-excluded": "not excluded: not measured, and its bound is at least `min_effect`",
        "missed": "missed: drawn at random, and above the weakest of the verified top",
        "signs-cancel": "signs cancel: pairs change the metric in both directions",
        "index-varies": "the position is at another index in other pairs",
        "token-varies": "the position has another token in other pairs",
    }
)


def why(result: Result) -> dict[str, Any]:
    """What to say where no node is flagged."""
    asked = [one.name for one in result.record.flags]
    if asked:
        conditions = "; ".join(f"{one.name}: {one.text}" for one in result.record.flags)
        return {"nothing": f"No node is flagged ({conditions})."}
    return {
        "nothing": "The run has no flags. `diagnose { cancellation; saturation }` in the spec "
        "computes them."
    }
