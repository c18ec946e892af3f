"""Letting go of what runs keep, layer by layer, while gradients are walked back.

A run's activations are needed until estimates are made of them. Kept until the last layer was
done, they would be most of what a run of AtP takes at its highest: beside them grow the sums.
"""

from __future__ import annotations

from collections.abc import Sequence

from atpdsl.runtime.contraction import Contraction
from atpdsl.runtime.forward import Run


class LastUse:
    """Runs that nobody looks at after these contractions.

    Args:
        runs: some of those that the contractions are about.
    """

    def __init__(self, runs: Sequence[Run], contractions: Sequence[Contraction]) -> None:
        self._runs, self._contractions = runs, contractions

    def release(self) -> None:
        """Of everything that all contractions have taken what they needed of."""
        if not self._runs:
            return
        left = {place for one in self._contractions for place in one.left()}
        layers = {place.layer for place in left}
        for run in self._runs:
            for place in run.values.keys() - left:
                del run.values[place]
            for layer in run.attention.keys() - layers:
                del run.attention[layer]
