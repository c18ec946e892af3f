"""Numbers of nodes in words."""

from __future__ import annotations

from atpdsl.semantics.experiment import VerifyCall


def amount(nodes: int, share: float | None) -> str:
    """`20`, or `12 (5%)` where it was written as a share of all nodes."""
    return f"{nodes:,}" if share is None else f"{nodes:,} ({percent(share)})"


def percent(share: float) -> str:
    """0.05 as `5%`."""
    return f"{100 * share:.6g}%"


def rule(keep: str, limit: float) -> str:
    """How a circuit's nodes are chosen, in words."""
    match keep:
        case "top":
            return f"the best {int(limit):,} nodes"
        case "share":
            return f"the best {percent(limit)} of the nodes"
        case _:
            return f"a score of {limit:g} or above"


def verification(verify: VerifyCall) -> str:
    """How many nodes are verified, in words."""
    top = amount(verify.top, verify.top_share)
    return f"top {top}, random {amount(verify.random, verify.random_share)}"
