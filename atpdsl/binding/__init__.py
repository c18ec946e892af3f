"""From an experiment and a model's files to token pairs and node sets."""
