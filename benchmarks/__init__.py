"""Benchmarks: one script per claim, ratios measured side by side in one run."""
