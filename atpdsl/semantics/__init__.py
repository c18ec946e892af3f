"""From a syntax tree to an experiment."""
