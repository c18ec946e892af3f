"""Numbers of nodes in words."""

from __future__ import annotations

from atpdsl.problems.clean import clean
from atpdsl.semantics.diagnosis import Diagnosis
from atpdsl.semantics.experiment import VerifyCall
from atpdsl.semantics.numbers import percentage


def amount(nodes: int, share: float | None) -> str:
    """`20`, or `12 (5%)` where it was written as a share of all nodes."""
    return f"{nodes:,}" if share is None else f"{nodes:,} ({percentage(share)})"


def rule(keep: str, limit: float) -> str:
    """How a circuit's nodes are chosen, in words."""
    match keep:
        case "top":
            return f"the best {int(limit):,} nodes"
        case "share":
            return f"the best {percentage(limit)} of the nodes"
        case _:
            return f"a score of {limit:g} or above"


def verification(verify: VerifyCall) -> str:
    """How many nodes are verified, in words."""
    top = amount(verify.top, verify.top_share)
    first = f"top {top}, random {amount(verify.random, verify.random_share)}"
    if verify.stop is None:
        return first
    text = f"{first}, then on until {clean(verify.stop.text)}"
    if verify.most is None:
        return text
    return f"{text} or {amount(verify.most, verify.most_share)} more are measured"


def diagnosis(asked: Diagnosis) -> str:
    """What is diagnosed, in words; empty for nothing."""
    parts = {
        "cancellation": asked.cancellation,
        "saturation": asked.saturation,
        "uncertainty": asked.uncertainty,
    }
    words = [name for name, part in parts.items() if part is not None]
    sampling = asked.subset_sampling
    if sampling is not None:
        words.append(
            f"bounds by {sampling.samples:,} sets, {percentage(sampling.confidence)} confidence"
        )
    return ", ".join(words)
