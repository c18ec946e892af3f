"""From one spec to its points: files included, names replaced by values, sweeps spread out."""
