"""Which position of the corrupted prompt belongs to which of the clean one."""

from __future__ import annotations

from atpdsl.semantics.experiment import Align

NO_PARTNER = -1


def partner_map(clean: int, corrupted: int, align: Align, anchored: int = 0) -> tuple[int, ...]:
    """For each clean position the corrupted one it is patched from, -1 where there is none.

    Args:
        clean: tokens of the clean prompt.
        corrupted: tokens of the corrupted prompt; equal to `clean` under `Align.STRICT`.
        align: how the two correspond.
        anchored: how many tokens at the start (BOS: 1) belong together under every alignment.
            BOS begins both prompts whatever their lengths; taking another token's activation
            for it, or its for another token, would compare unlike things.
    """
    shift = corrupted - clean if align is Align.END else 0
    return tuple(
        position if position < anchored else _shifted(position + shift, corrupted, anchored)
        for position in range(clean)
    )


def _shifted(position: int, corrupted: int, anchored: int) -> int:
    return position if anchored <= position < corrupted else NO_PARTNER
