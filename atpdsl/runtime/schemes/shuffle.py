"""Nodes in random order: what every method has to beat."""

from __future__ import annotations

import numpy as np

from atpdsl.planning.outcome import Visits
from atpdsl.planning.schemes import Shuffle
from atpdsl.runtime.schemes.setting import Patched, Setting


def shuffled(scheme: Shuffle, setting: Setting) -> Patched:
    """Estimates from 1 down to 1/n in random order; nothing is patched."""
    nodes = np.random.default_rng(scheme.seed).permutation(setting.candidates())
    place = np.arange(1, len(nodes) + 1)
    values = np.zeros(setting.live.shape[1])
    values[nodes] = (len(nodes) + 1 - place) / max(len(nodes), 1)
    return Patched(
        statistics=setting.statistics(values, values, np.square(values)),
        visits=Visits(nodes=nodes, spent=setting.n_pairs * place),
    )
